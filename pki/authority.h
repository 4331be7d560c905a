#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "wire/tls/material.h"
#include "world/time.h"

namespace pki {

using wire::tls::SubjectName;

/// A certificate as somebody wants it, flaws included.
struct Description {
  enum class Key : std::uint8_t { EcP256, Rsa1024, Rsa2048, Rsa4096 };
  enum class Use : std::uint8_t { Server, Client, CodeSigning };

  std::string name;        ///< The common name, the only part of its subject.
  bool authority = false;  ///< It may issue others.
  Key key = Key::EcP256;
  std::vector<SubjectName> names{};
  /// Its extended key usage; absent: it has none, and authorities never do.
  std::optional<std::vector<Use>> uses = std::vector<Use>{Use::Server, Use::Client};
  /// Has a critical key usage of keyEncipherment alone, which does not allow signatures.
  bool cannot_sign = false;
  world::CalendarTime not_before{};
  world::CalendarTime not_after{};
};

/// A certificate and its key. Nothing of it changes; worlds and threads share it.
struct Issued {
  Description description;
  std::string certificate;               ///< PEM.
  std::string key;                       ///< PEM, PKCS #8.
  std::shared_ptr<const Issued> issuer;  ///< Null: itself.
};
using IssuedPtr = std::shared_ptr<const Issued>;

/// Issues a certificate; `issuer` null: it signs itself. The same description, issuer and `seed`
/// give the same bytes on every machine. What was issued once is kept for the process, keys longer
/// than certificates: the same name, kind and seed have the same key whatever the dates.
///
/// Source: the vocabulary of the observations, section 3.5.
IssuedPtr issue(const Description& description, const IssuedPtr& issuer, std::uint64_t seed = 0);

/// An authority valid for so long, and a leaf with these names. `issuer` null: it signs itself.
struct Validity {
  world::CalendarTime from{};
  world::CalendarTime until{};
};
IssuedPtr issue_authority(const std::string& name, const Validity& validity,
                          const IssuedPtr& issuer = nullptr);
IssuedPtr issue_leaf(const std::string& name, std::vector<SubjectName> names,
                     const Validity& validity, const IssuedPtr& issuer);

/// The certificate and those of its issuers up to the root, which is left out, as a file of PEM.
std::string chain_of(const Issued& leaf);

/// As Identity::read() and TrustBundle::read(), but the same text gives the same object: worlds and
/// their contexts share it.
world::Result<std::shared_ptr<const wire::tls::Identity>, std::string> shared_identity(
    const std::string& chain, const std::string& key);
world::Result<std::shared_ptr<const wire::tls::TrustBundle>, std::string> shared_trust(
    const std::string& pem);

/// What shows the certificate with its chain, and what trusts it.
std::shared_ptr<const wire::tls::Identity> identity_of(const Issued& leaf);
std::shared_ptr<const wire::tls::TrustBundle> trust_in(const Issued& authority);

}  // namespace pki
