#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "conformance/scenario.h"
#include "conformance/staged_secrets.h"
#include "peers/request_spec.h"
#include "proxy/tls_side.h"

namespace conformance {

/// TLS of one run: what each process on its host has of certificates, and what clients and services
/// speak TLS with.
class StagedTls {
 public:
  /// `world` outlives it, and it outlives the events of the world.
  StagedTls(const WorldSetup& world, world::CalendarTime start);

  /// Of the process on that host, which begins anew: it reads its files. Null: the plan has no TLS.
  StagedSecrets* begin_gateway(world::World& host, const proxy::GatewayPlan& plan);
  /// The services of that host begin anew: they read their files again.
  void restart_services(world::World& host);
  /// Why the configuration is refused; empty: it is not.
  std::string problem(world::World& host, const proxy::GatewayPlan& plan);

  using ContextPtr = std::shared_ptr<const wire::tls::Context>;
  /// What an endpoint speaks on a listener of its node; empty: plain text.
  std::function<ContextPtr()> of_service(world::World& host, const mesh::Listener& listener,
                                         const ServiceSetup& setup);
  std::function<ContextPtr(const peers::RequestSpec&)> of_client(world::World& host,
                                                                 const ClientTls& tls) const;

  /// `set`: from now on.
  void change(const Materials& changes);

  /// The entry of the pki with that subject; the subject itself where there is none.
  std::string entry_of(const std::string& subject) const;

 private:
  /// Of one listener of a node: its plan stays where its side looks for it.
  struct Side {
    world::HostId host;
    proxy::TlsPlan plan;
    std::unique_ptr<proxy::TlsSide> side;
  };
  StagedSecrets& secrets(world::World& host);
  void change_by(const ServiceTls& tls, proxy::TlsPlan& plan) const;

  const WorldSetup& world_;
  StagedPki pki_;
  std::map<world::HostId, std::unique_ptr<StagedSecrets>> secrets_;
  std::vector<std::unique_ptr<Side>> sides_;
};

}  // namespace conformance
