#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "proxy/plan.h"
#include "proxy/secrets.h"
#include "wire/tls/transport.h"
#include "world/result.h"

namespace conformance::recorded {

/// The certificates of the records by their names, as they were made on the day of a world's start.
///
/// Source: the vocabulary of the observations, section 3.5.
class ActionCertificates {
 public:
  explicit ActionCertificates(world::CalendarTime today) : today_(today) {}

  /// The chain of `certificate` with the private key of `key`. Errors: there is no such name; the
  /// key is another's.
  world::Result<std::shared_ptr<const wire::tls::Identity>, std::string> identity(
      const std::string& certificate, const std::string& key) const;
  /// A bundle of authorities. Null: there is none of that name.
  std::shared_ptr<const wire::tls::TrustBundle> bundle(const std::string& name) const;

 private:
  /// PEM: the file of a certificate, and its key.
  std::pair<std::string, std::string> files(const std::string& name) const;

  world::CalendarTime today_;
};

/// What a script's gateway is given: certificates by name, and secrets from files that change.
class ActionSecrets final : public proxy::Secrets {
 public:
  explicit ActionSecrets(const ActionCertificates& certificates) : certificates_(certificates) {}

  /// Names what stands in a record: a certificate's name, or one with the name of its key.
  static proxy::SecretName name_of(const nlohmann::json& certificate);
  static proxy::SecretName secret_of(const nlohmann::json& secret);
  static proxy::SecretName bundle_of(const std::string& name);

  /// A `secret_file` step: what the file holds from now on.
  void write(const std::string& file, const nlohmann::json& secrets);
  /// Whether a certificate that is named cannot be had; empty: all can.
  std::string problem(const proxy::SecretName& name) const;

  std::uint64_t updates() const { return updates_; }
  std::uint64_t rejected() const { return rejected_; }

  std::shared_ptr<const wire::tls::Identity> identity(const proxy::SecretName& name) override;
  std::shared_ptr<const wire::tls::TrustBundle> trust(const proxy::SecretName& name) override;
  std::uint64_t version() const override { return version_; }

 private:
  const ActionCertificates& certificates_;
  static proxy::SecretName secret_of(const std::string& file, const std::string& name);

  std::map<proxy::SecretName, std::shared_ptr<const wire::tls::Identity>> identities_;
  std::map<proxy::SecretName, std::shared_ptr<const wire::tls::TrustBundle>> bundles_;
  std::uint64_t version_ = 1;
  std::uint64_t updates_ = 0;
  std::uint64_t rejected_ = 0;
};

/// Reads a gateway's `listener_tls` or `upstream_tls`. The text is what cannot be played; empty:
/// all can.
std::string read_listener_tls(const nlohmann::json& from, proxy::HopPlan& hop);
std::string read_upstream_tls(const nlohmann::json& from, proxy::Cluster& cluster);

/// What a client's `tls` says; it is like Python's. Throws NotSupported.
std::shared_ptr<const wire::tls::Context> client_context(const nlohmann::json& tls,
                                                         const ActionCertificates& certificates);
/// What an upstream's `tls` says. Throws NotSupported.
std::shared_ptr<const wire::tls::Context> upstream_context(const nlohmann::json& tls,
                                                           const ActionCertificates& certificates);

/// The result of a handshake: "ok", {alert, name}, {error}.
nlohmann::json handshake_result(const wire::tls::TlsTransport& transport);
/// {alert, name} for an alert that came.
nlohmann::json alert_result(std::uint8_t alert);

}  // namespace conformance::recorded
