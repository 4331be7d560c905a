#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "conformance/fault_targets.h"
#include "conformance/observer.h"
#include "conformance/scenario.h"
#include "conformance/setting.h"
#include "conformance/staged_balancer.h"
#include "conformance/staged_target.h"
#include "conformance/staged_tls.h"
#include "peers/client.h"
#include "peers/service.h"
#include "proxy/defects.h"
#include "proxy/gateway.h"

namespace conformance {

/// What is set up for one run: gateways, services, clients and balancers on their hosts, linked,
/// named and started as the scenario says.
class Stage final : public FaultTargets {
 public:
  /// `target`: what runs in place of our own gateways; nothing: they do. `defect`: what all
  /// gateways have; null: none.
  Stage(const Scenario& scenario, Setting& setting,
        const std::optional<StagedTarget::Parts>& target = {},
        const proxy::Defect* defect = nullptr);
  ~Stage();
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  Setting& setting() { return setting_; }
  /// Called when a client that came later has had all links set again.
  std::function<void()> links_set;
  Observer& observer() { return observer_; }
  /// Why an instance of a gateway did not start; empty if all did.
  const std::vector<std::string>& start_failures() const { return start_failures_; }
  /// Lets the world go on until the gateways that are not ours run, or will not.
  void await_target();
  /// Those; null: the gateways are ours.
  const StagedTarget* target() const { return target_.get(); }

  /// The client of that name. Requires: the scenario has it.
  struct ClientOn {
    peers::Client& client;
    world::World& host;
  };
  /// `tls`: what it speaks TLS with, if not what the scenario says of it.
  ClientOn client(const std::string& name, peers::ConnectionPolicy policy,
                  const std::optional<ClientTls>& tls = {});
  world::World& client_host(const std::string& name);
  peers::ConnectionPolicy policy_of(const std::string& client) const;

  /// Requires: the scenario has it.
  StagedBalancer& balancer(const std::string& name) const;

  void apply(const FaultAction& action) override;
  /// What files, secrets and ARNs hold from now on.
  void set(const Materials& changes);

  /// The number at this instant. Nothing: there is no such thing or field.
  std::optional<std::int64_t> count(const Observable& what) const;
  /// What one that checks holds of what it checks.
  struct Opinion {
    std::string by;  ///< "edge-1 of books-1"; "edge-1-checker" of whoever watches an instance.
    bool healthy = false;
    std::uint64_t passed = 0, failed = 0;  ///< Checks so far.
  };
  /// Of an endpoint, or of all of a service; of an instance, or of all of a gateway. One for each
  /// pair, in a fixed order; none where nobody checks.
  std::vector<Opinion> opinions(EntityKind kind, const std::string& name) const;
  /// One instance of a gateway at an instant.
  struct GatewayNow {
    const std::string& name;
    const proxy::Gateway* proxy;  ///< Null: it does not run.
    std::optional<bool> healthy;  ///< For whoever watches it; absent: nobody does.
    std::uint64_t checks = 0, failed_checks = 0;
  };
  /// All of them, in a fixed order.
  void visit_gateways(const std::function<void(const GatewayNow&)>& visit) const;
  /// What each gateway holds of each endpoint that it knows, in a fixed order. An endpoint comes
  /// once for each cluster.
  void visit_endpoints(
      const std::function<void(const std::string& gateway, const std::string& endpoint,
                               const proxy::HostState& host)>& visit) const;
  const std::vector<std::unique_ptr<StagedBalancer>>& balancers() const { return balancers_; }
  /// The hosts of a gateway, or of one instance of it, by name; all of them for "".
  std::vector<const world::World*> instances(const std::string& name) const;
  std::vector<peers::Service*> services(const std::string& name) override;
  std::vector<world::World*> hosts(const std::string& name) override { return hosts_of(name); }
  void crash(world::World& host) override;
  void restart(world::World& host) override;
  void set_listening(world::World& host, bool listening) override;

  /// What a host has written to that file so far, with the addresses that the scenario knows.
  std::string file(const world::World& host, const std::string& path) const;
  /// Where the access log of a gateway, or of an instance, goes; empty for nowhere.
  std::string log_path(const std::string& name) const;
  /// What its lines say; null for nowhere.
  const proxy::AccessLogPlan* log_plan(const std::string& name) const;

 private:
  struct Instance;
  struct Endpoint;
  struct ClientHost;

  void add_endpoints();
  void add_gateways();
  void start(Instance& instance);
  bool runs(const Instance& instance) const;
  void stop(Instance& instance);
  void add_numbers(const Instance& instance, const std::string& field, std::int64_t& total) const;
  bool refuses(const Endpoint& endpoint) const;
  template <class F>
  void visit_health(const Endpoint& endpoint, F&& visit) const;
  void add_health(const std::string& endpoint, const std::string& field, std::int64_t& total) const;
  void add_checkers(const GatewaySetup& setup);
  void add_balancers();
  void add_clients();
  void set_links();
  std::vector<world::World*> hosts_of(const std::string& name) const;
  ClientHost& find_client(const std::string& name) const;
  std::string service_of(const std::string& node, const peers::SeenRequest& request) const;

  const Scenario& scenario_;
  Setting& setting_;
  const proxy::Defect* defect_;
  StagedTls tls_;
  Observer observer_;
  std::unique_ptr<StagedTarget> target_;  // null: the gateways are ours
  std::vector<std::unique_ptr<Endpoint>> endpoints_;
  std::map<std::uint32_t, const Endpoint*> by_address_;
  std::vector<std::unique_ptr<Instance>> instances_;
  std::vector<std::unique_ptr<StagedBalancer>> balancers_;
  std::vector<std::unique_ptr<ClientHost>> clients_;
  std::vector<std::string> start_failures_;
};

}  // namespace conformance
