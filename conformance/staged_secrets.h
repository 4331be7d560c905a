#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "conformance/tls_setup.h"
#include "proxy/secrets.h"
#include "world/random.h"
#include "world/world.h"

namespace conformance {

/// The certificates of a run, issued when they are asked for, and what files, secrets and ARNs hold
/// of them at present.
class StagedPki {
 public:
  /// `start`: what the certificates' dates count from.
  StagedPki(const std::vector<CertificateSetup>& setups, Materials materials,
            world::CalendarTime start);

  /// Requires: there is an entry of that name.
  pki::IssuedPtr entry(const std::string& name) const;
  /// Requires: it shows something.
  std::shared_ptr<const wire::tls::Identity> identity(const Shown& shown) const;
  /// Null for no names.
  std::shared_ptr<const wire::tls::TrustBundle> trust(const std::vector<std::string>& names) const;

  const Materials& materials() const { return materials_; }
  void change(const Materials& changes);

  // As files of PEM; empty for what is absent.
  std::string chain_text(const Material& material) const;
  std::string key_text(const Material& material) const;
  std::string trust_text(const Material& material) const;
  /// What an ARN of ACM is trusted by: an authority itself, of a certificate its root.
  std::string root_text(const Material& material) const;

 private:
  const std::vector<CertificateSetup>& setups_;
  Materials materials_;
  world::CalendarTime start_;
};

/// What one proxy of a run has of certificates and authorities.
///
/// A file is read once, when the process begins. A secret comes from the server beside
/// the proxy, at once. What is new in ACM comes at a time that the seed chooses, within 35 minutes.
/// Source: AM-TLS-02, AM-ROT-01 to -03.
class StagedSecrets final : public proxy::Secrets {
 public:
  /// Both must outlive the world's events.
  StagedSecrets(world::World& host, const StagedPki& pki);

  /// Why a configuration that names these files is refused; empty: it is not. Reads them.
  /// Source: ENV-TLS-08.
  std::string problem(const proxy::TlsPlan& plan);

  /// Reads the files that a plan names, as a process does when it begins.
  void read_files(const proxy::TlsPlan& plan);
  /// The process has begun anew: it reads everything again.
  void restart();
  /// The pki has changed so.
  void changed(const Materials& changes);

  std::shared_ptr<const wire::tls::Identity> identity(const proxy::SecretName& name) override;
  std::shared_ptr<const wire::tls::TrustBundle> trust(const proxy::SecretName& name) override;
  std::uint64_t version() const override { return version_; }

  /// As files of PEM.
  struct Text {
    std::string certificates;
    std::string key;
  };
  Text identity_text(const proxy::SecretName& name);
  std::string trust_text(const proxy::SecretName& name);

 private:
  /// What this proxy has under a name: of a path or an ARN not always the newest.
  const Material& held(proxy::SecretName::Kind kind, const std::string& name);

  world::World& host_;
  const StagedPki& pki_;
  world::Random random_;
  std::uint64_t version_ = 1;
  std::map<std::string, Material> files_;  // those that were read
  std::map<std::string, Material> acm_;    // those that have come
  std::map<proxy::SecretName, std::shared_ptr<const wire::tls::Identity>> identities_;
  std::map<proxy::SecretName, std::shared_ptr<const wire::tls::TrustBundle>> bundles_;
};

}  // namespace conformance
