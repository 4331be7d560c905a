#include "tools/file_secrets.h"

#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "tools/pem_files.h"
#include "wire/tls/context.h"

namespace tools {
namespace {

using proxy::SecretName;

}  // namespace

class FileSecrets::Loader {
 public:
  Loader(FileSecrets& secrets, const world::Place& place) : secrets_(secrets), place_(place) {}

  /// `path`: where in the gateway's spec it comes from.
  void load(const proxy::TlsPlan& plan, const std::string& path) {
    failed_ = false;
    wire::tls::Settings settings = plan.settings;
    for (const SecretName& name : plan.certificates) {
      settings.identities.push_back(identity(name, path + "/certificate"));
    }
    if (plan.trust) settings.trust = trust(*plan.trust, path + "/validation/trust");
    if (failed_) return;
    const auto made = wire::tls::Context::make(std::move(settings), false);
    if (!made) {
      add(path + "/certificate",
          plan.certificates.empty() ? made.error() : of(plan.certificates.front(), made.error()));
    }
  }

  /// Authorities of ACM are a policy's or belong to the node's own certificate (AM-TLS-06): the
  /// node is named, which tells of both.
  void load_cluster(const proxy::Cluster& cluster) {
    const proxy::TlsPlan& plan = *cluster.tls;
    if (plan.trust && plan.trust->kind == SecretName::Kind::Acm) {
      add("", fmt::format("TLS towards virtual node {} needs {} of ACM, which nobody gives",
                          cluster.node, plan.trust->name));
      return;
    }
    load(plan, "/spec/backendDefaults/clientPolicy/tls");
  }

  world::Errors take() { return std::move(errors_); }

 private:
  static std::string of(const SecretName& name, const std::string& wrong) {
    return name.key.empty() ? fmt::format("{}: {}", name.name, wrong)
                            : fmt::format("{} with {}: {}", name.name, name.key, wrong);
  }

  /// What several listeners or clusters share is told once.
  void add(const std::string& path, std::string message) {
    failed_ = true;
    world::Error error{path, std::move(message), place_};
    if (std::find(errors_.begin(), errors_.end(), error) == errors_.end()) {
      errors_.push_back(std::move(error));
    }
  }

  bool by_file(const SecretName& name, const std::string& path) {
    if (name.kind == SecretName::Kind::File) return true;
    const bool sds = name.kind == SecretName::Kind::Sds;
    add(path, fmt::format("must be a file here, is {} {}, which nobody gives",
                          sds ? "the secret" : "of ACM", name.name));
    return false;
  }

  std::shared_ptr<const wire::tls::Identity> identity(const SecretName& name,
                                                      const std::string& path) {
    if (!by_file(name, path)) return nullptr;
    auto read = read_identity(name.name, name.key);
    if (read) return secrets_.identities_[name] = std::move(*read);
    using Of = PemProblem::Of;
    for (const PemProblem& problem : read.error()) {
      const char* const member = problem.of == Of::Certificate ? "/certificateChain"
                                 : problem.of == Of::Key       ? "/privateKey"
                                                               : "";
      add(path + "/file" + member, problem.message);
    }
    return nullptr;
  }

  std::shared_ptr<const wire::tls::TrustBundle> trust(const SecretName& name,
                                                      const std::string& path) {
    if (!by_file(name, path)) return nullptr;
    auto read = read_trust(name.name);
    if (!read) return add(path + "/file/certificateChain", read.error()), nullptr;
    return secrets_.bundles_[name] = std::move(*read);
  }

  FileSecrets& secrets_;
  const world::Place& place_;
  world::Errors errors_;
  bool failed_ = false;  // the plan that is being loaded
};

world::Result<std::shared_ptr<FileSecrets>, world::Errors> FileSecrets::read(
    const proxy::GatewayPlan& plan, const world::Place& place) {
  auto secrets = std::make_shared<FileSecrets>();
  Loader loader(*secrets, place);
  const auto load_clusters = [&](const proxy::HopPlan& hop) {
    for (const proxy::Cluster& cluster : hop.clusters) {
      if (cluster.tls) loader.load_cluster(cluster);
    }
  };
  for (std::size_t i = 0; i < plan.ingress.size(); ++i) {
    if (plan.ingress[i].tls) {
      loader.load(*plan.ingress[i].tls, fmt::format("/spec/listeners/{}/tls", i));
    }
    load_clusters(plan.ingress[i]);
  }
  if (plan.egress) load_clusters(*plan.egress);
  if (auto errors = loader.take(); !errors.empty()) return errors;
  return secrets;
}

std::shared_ptr<const wire::tls::Identity> FileSecrets::identity(const SecretName& name) {
  const auto found = identities_.find(name);
  return found == identities_.end() ? nullptr : found->second;
}

std::shared_ptr<const wire::tls::TrustBundle> FileSecrets::trust(const SecretName& name) {
  const auto found = bundles_.find(name);
  return found == bundles_.end() ? nullptr : found->second;
}

}  // namespace tools
