#include "wire/tls/failure.h"

#include <algorithm>
#include <cctype>
#include <iterator>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/sslerr.h>

namespace wire::tls {
namespace {

struct AlertName {
  std::uint8_t alert;
  std::string_view reason;
};

constexpr AlertName kAlerts[] = {{10, "SSLV3_ALERT_UNEXPECTED_MESSAGE"},
                                 {20, "SSLV3_ALERT_BAD_RECORD_MAC"},
                                 {21, "TLSV1_ALERT_DECRYPTION_FAILED"},
                                 {22, "TLSV1_ALERT_RECORD_OVERFLOW"},
                                 {30, "SSLV3_ALERT_DECOMPRESSION_FAILURE"},
                                 {40, "SSLV3_ALERT_HANDSHAKE_FAILURE"},
                                 {41, "SSLV3_ALERT_NO_CERTIFICATE"},
                                 {42, "SSLV3_ALERT_BAD_CERTIFICATE"},
                                 {43, "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE"},
                                 {44, "SSLV3_ALERT_CERTIFICATE_REVOKED"},
                                 {45, "SSLV3_ALERT_CERTIFICATE_EXPIRED"},
                                 {46, "SSLV3_ALERT_CERTIFICATE_UNKNOWN"},
                                 {47, "SSLV3_ALERT_ILLEGAL_PARAMETER"},
                                 {48, "TLSV1_ALERT_UNKNOWN_CA"},
                                 {49, "TLSV1_ALERT_ACCESS_DENIED"},
                                 {50, "TLSV1_ALERT_DECODE_ERROR"},
                                 {51, "TLSV1_ALERT_DECRYPT_ERROR"},
                                 {60, "TLSV1_ALERT_EXPORT_RESTRICTION"},
                                 {70, "TLSV1_ALERT_PROTOCOL_VERSION"},
                                 {71, "TLSV1_ALERT_INSUFFICIENT_SECURITY"},
                                 {80, "TLSV1_ALERT_INTERNAL_ERROR"},
                                 {86, "TLSV1_ALERT_INAPPROPRIATE_FALLBACK"},
                                 {90, "TLSV1_ALERT_USER_CANCELLED"},
                                 {100, "TLSV1_ALERT_NO_RENEGOTIATION"},
                                 {110, "TLSV1_ALERT_UNSUPPORTED_EXTENSION"},
                                 {111, "TLSV1_ALERT_CERTIFICATE_UNOBTAINABLE"},
                                 {112, "TLSV1_ALERT_UNRECOGNIZED_NAME"},
                                 {113, "TLSV1_ALERT_BAD_CERTIFICATE_STATUS_RESPONSE"},
                                 {114, "TLSV1_ALERT_BAD_CERTIFICATE_HASH_VALUE"},
                                 {115, "TLSV1_ALERT_UNKNOWN_PSK_IDENTITY"},
                                 {116, "TLSV1_ALERT_CERTIFICATE_REQUIRED"},
                                 {120, "TLSV1_ALERT_NO_APPLICATION_PROTOCOL"}};

struct ReasonName {
  int openssl;
  std::string_view reason;
  std::uint32_t number;  // in BoringSSL
};

constexpr ReasonName kReasons[] = {
    {SSL_R_CERTIFICATE_VERIFY_FAILED, "CERTIFICATE_VERIFY_FAILED", 125},
    {SSL_R_HTTPS_PROXY_REQUEST, "HTTPS_PROXY_REQUEST", 155},
    {SSL_R_HTTP_REQUEST, "HTTP_REQUEST", 156},
    {SSL_R_NO_SHARED_CIPHER, "NO_SHARED_CIPHER", 184},
    {SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, "PEER_DID_NOT_RETURN_A_CERTIFICATE", 192},
    {SSL_R_UNSUPPORTED_PROTOCOL, "UNSUPPORTED_PROTOCOL", 240},
    {SSL_R_WRONG_VERSION_NUMBER, "WRONG_VERSION_NUMBER", 247},
    {SSL_R_NO_SUITABLE_KEY_SHARE, "NO_SHARED_GROUP", 266},
    {SSL_R_NO_SHARED_GROUPS, "NO_SHARED_GROUP", 266},
};

constexpr std::uint32_t kSslLibrary = 16U << 24;
constexpr int kFirstAlertReason = 1000;

std::string with_underscores(std::string text) {
  std::replace(text.begin(), text.end(), ' ', '_');
  return text;
}

}  // namespace

std::string name_of_alert(std::uint8_t alert) {
  constexpr std::uint8_t kCertificateRequired = 116;  // which the library has no words for
  if (alert == kCertificateRequired) return "certificate_required";
  std::string name = with_underscores(SSL_alert_desc_string_long(alert));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name;
}

std::string_view reason_of_alert(std::uint8_t alert) {
  const auto* const found =
      std::find_if(std::begin(kAlerts), std::end(kAlerts),
                   [alert](const AlertName& name) { return name.alert == alert; });
  return found == std::end(kAlerts) ? std::string_view{} : found->reason;
}

void name_reason(int openssl_reason, Failure& failure) {
  if (openssl_reason > kFirstAlertReason) {
    failure.number = static_cast<std::uint32_t>(openssl_reason);
    failure.reason = reason_of_alert(static_cast<std::uint8_t>(openssl_reason - kFirstAlertReason));
    if (!failure.reason.empty()) return;
  }
  const auto* const found =
      std::find_if(std::begin(kReasons), std::end(kReasons),
                   [=](const ReasonName& name) { return name.openssl == openssl_reason; });
  if (found != std::end(kReasons)) {
    failure.reason = found->reason;
    failure.number = found->number;
    return;
  }
  const char* const words = ERR_reason_error_string(ERR_PACK(ERR_LIB_SSL, 0, openssl_reason));
  failure.reason = with_underscores(words != nullptr ? words : "unknown error");
  std::transform(failure.reason.begin(), failure.reason.end(), failure.reason.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
}

std::string log_text(const Failure& failure) {
  if (failure.reason.empty()) return {};
  std::string out = "TLS_error:|" + std::to_string(kSslLibrary + failure.number) +
                    ":SSL_routines:OPENSSL_internal:" + failure.reason;
  if (!failure.detail.empty()) out += ":" + with_underscores(failure.detail);
  return out + ":TLS_error_end";
}

}  // namespace wire::tls
