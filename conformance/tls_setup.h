#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "pki/authority.h"
#include "wire/tls/context.h"
#include "world/result.h"

/// TLS in scenario files: `pki`, `files`, `secrets` and `acm` of `world`, `tls` of clients and
/// services.
namespace conformance {

/// One entry of `world: { pki: ... }`.
struct CertificateSetup {
  std::string name;
  /// Its dates count from the Unix epoch: they are relative to the start of the world.
  pki::Description description;
  std::string issuer;  ///< An entry; empty: it signs itself.
};

/// Certificates as one end shows them: one with those of its issuers, the root left out, or exactly
/// these.
struct Shown {
  std::vector<std::string> certificates;  ///< Entries; none: it shows nothing.
  bool with_issuers = false;
  auto operator<=>(const Shown&) const = default;
};

/// What a file, a secret or an ARN stands for.
struct Material {
  enum class Kind : std::uint8_t {
    Absent,        ///< There is nothing under that name.
    Certificates,  ///< Those of the pki, and the key of the first, unless `key` says another.
    Text,          ///< Of files: exactly that.
  };
  Kind kind = Kind::Absent;
  Shown shown{};
  std::string key{};   ///< An entry; empty: the first that is shown.
  std::string text{};  ///< Empty, unless of that kind.
};

/// By name: what processes are given. ARNs of certificates and of authorities are alike.
struct Materials {
  std::map<std::string, Material> files, secrets, acm;
  bool empty() const { return files.empty() && secrets.empty() && acm.empty(); }
};

/// `tls` of a client or of a request.
struct ClientTls {
  std::vector<std::string> trust;  ///< Entries; empty: the server is not verified.
  Shown certificate;               ///< When it is asked for.
  bool checks_name = true;         ///< With `trust`: the certificate must be the host's.
  /// Sent as SNI; absent: the URL's host, unless that is an address. Empty: none is sent.
  std::optional<std::string> server_name;
  std::optional<std::vector<std::string>> alpn;  ///< Absent: that of what is spoken.
  wire::tls::Version least = wire::tls::Version::Tls12;
  wire::tls::Version most = wire::tls::Version::Tls13;
  auto operator<=>(const ClientTls&) const = default;
};

/// `tls` of a service: where its endpoints do otherwise than their virtual node's listener says.
struct ServiceTls {
  bool off = false;   ///< They speak plain text.
  Shown certificate;  ///< None: as the listener says.
  std::vector<std::string> trust;
  std::optional<bool> require_certificate;
  std::optional<std::vector<std::string>> alpn;
  std::optional<wire::tls::Version> least, most;
};

}  // namespace conformance
