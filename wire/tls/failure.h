#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wire::tls {

/// Why a TLS connection was not made, or broke off.
struct Failure {
  enum class Cause : std::uint8_t {
    Protocol,       ///< The bytes, what was offered, or the peer's alert.
    NoCertificate,  ///< The peer showed none and must.
    Verification,   ///< The peer's chain is not believed.
    Name,           ///< None of the wanted names is in its certificate.
    Transport,      ///< The connection ended or was reset meanwhile.
  };
  Cause cause = Cause::Protocol;
  /// As the libraries name it: "CERTIFICATE_VERIFY_FAILED". Empty: the transport's own failure.
  std::string reason{};
  /// The number of that reason in the library of the real proxy (BoringSSL); 0: not known.
  std::uint32_t number = 0;
  std::string detail{};  ///< What verification says: "verify cert failed: ...".
  std::optional<std::uint8_t> alert_sent{};
  std::optional<std::uint8_t> alert_received{};
  bool ended = false;  ///< Of cause Transport: by a FIN rather than by a reset.
};

/// As the standard names it: "certificate_expired". Source: RFC 8446, section 6.
std::string name_of_alert(std::uint8_t alert);

/// The reason that stands for an alert from the peer: "TLSV1_ALERT_UNKNOWN_CA".
std::string_view reason_of_alert(std::uint8_t alert);

/// Names an error of OpenSSL's by its reason code, in the words and numbers of the real proxy's
/// library where they are known.
void name_reason(int openssl_reason, Failure& failure);

/// "TLS_error:|268435581:SSL_routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:...:TLS_error_end"
/// as the real proxy's logs have it. Source: ENV-TLS-14.
std::string log_text(const Failure& failure);

}  // namespace wire::tls
