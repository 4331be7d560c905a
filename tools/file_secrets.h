#pragma once

#include <map>
#include <memory>

#include "proxy/plan.h"
#include "proxy/secrets.h"
#include "world/result.h"

namespace tools {

/// The certificates and authorities that a plan names by file, read once: as the real proxy, it
/// does not look at a file again. Source: AM-ROT-02.
class FileSecrets final : public proxy::Secrets {
 public:
  /// Reads and tries all that the plan's listeners and clusters need.
  ///
  /// Errors, all at once, at `place`: what a file lacks, keys that are too short or not the
  /// certificate's, secrets by SDS or of ACM, which nobody gives here. Source: ENV-TLS-08.
  static world::Result<std::shared_ptr<FileSecrets>, world::Errors> read(
      const proxy::GatewayPlan& plan, const world::Place& place);

  std::shared_ptr<const wire::tls::Identity> identity(const proxy::SecretName& name) override;
  std::shared_ptr<const wire::tls::TrustBundle> trust(const proxy::SecretName& name) override;
  std::uint64_t version() const override { return 0; }

 private:
  class Loader;

  std::map<proxy::SecretName, std::shared_ptr<const wire::tls::Identity>> identities_;
  std::map<proxy::SecretName, std::shared_ptr<const wire::tls::TrustBundle>> bundles_;
};

}  // namespace tools
