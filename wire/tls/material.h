#pragma once

#include <compare>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <openssl/types.h>

#include "world/result.h"

namespace wire::tls {

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};

/// An alternative name of a certificate's subject.
struct SubjectName {
  enum class Kind : std::uint8_t { Dns, Uri, Ip };
  Kind kind = Kind::Dns;
  std::string text;
  auto operator<=>(const SubjectName&) const = default;
};

/// A chain of certificates and the private key of its first: what one end shows of itself.
/// Nothing of it changes; worlds and threads share it.
class Identity {
 public:
  enum class KeyKind : std::uint8_t { Ec, Rsa, Other };

  /// Reads PEM. Errors say what is wrong with which: no certificate, no key, an encrypted one, one
  /// that is not the certificate's.
  static world::Result<std::shared_ptr<const Identity>, std::string> read(std::string_view chain,
                                                                          std::string_view key);
  ~Identity();

  const std::vector<X509*>& chain() const { return chain_; }
  EVP_PKEY* key() const { return key_; }
  KeyKind key_kind() const;
  int key_bits() const;
  /// Whether its key may sign: it has no key usage, or one with digitalSignature.
  bool may_sign() const;
  std::string subject() const;  ///< "CN=svc".

 private:
  Identity() = default;

  std::vector<X509*> chain_;
  EVP_PKEY* key_ = nullptr;
};

/// The authorities whose signatures are believed.
class TrustBundle {
 public:
  /// Reads one PEM or several. Errors: there is no certificate in it, or something else is.
  static world::Result<std::shared_ptr<const TrustBundle>, std::string> read(std::string_view pem);
  ~TrustBundle();

  const std::vector<X509*>& certificates() const { return certificates_; }

 private:
  TrustBundle() = default;

  std::vector<X509*> certificates_;
};

/// The alternative names of a certificate, as the real proxy lists them.
std::vector<SubjectName> names_of(const X509* certificate);
/// "CN=svc" or "O=shop, CN=svc".
std::string subject_of(const X509* certificate);

/// Whether a certificate with these names has one of the wanted. Of DNS names the case does not
/// count, and one that begins with "*." stands for one label; a wanted one does not.
///
/// Source: ENV-TLS-13.
bool has_name(const std::vector<SubjectName>& names, const std::vector<SubjectName>& wanted);

}  // namespace wire::tls
