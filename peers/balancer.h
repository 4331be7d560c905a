#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "peers/flow_hash.h"
#include "peers/flow_table.h"
#include "peers/health_checker.h"
#include "peers/source_ports.h"
#include "peers/target_group.h"
#include "world/result.h"
#include "world/world.h"

namespace peers {

/// Every choice that nobody documents is a setting here too: docs/balancer.md lists them.
struct BalancerOptions {
  std::uint16_t port = 80;
  TargetGroupOptions group{};  ///< `zones` and `checkers` are filled in from the nodes if empty.
  HealthCheckOptions check{};
  FlowTimes times{};
  bool keeps_client_address = false;    ///< NLB-50
  bool proxy_protocol = false;          ///< Version 2 (NLB-A0).
  std::uint32_t source_ports = 55'000;  ///< For each node and target (NLB-54).
  bool resets_without_target = false;   ///< Else its SYN is lost (NLB-77).
  /// A flow that ends because its target is unhealthy, or with the deregistration delay: both ends
  /// get a reset, or whoever sends next (NLB-69, NLB-66).
  bool unhealthy_resets_both = false;
  bool termination_resets_both = true;
  /// So many connects without an answer in a row make a target unhealthy; 0: they are not looked
  /// at (NLB-88).
  std::uint32_t passive_checks = 0;
};

/// Numbers since the start, but for the first. Source: NLB-93.
struct BalancerCounts {
  std::uint64_t active_flows = 0;  ///< Now.
  std::uint64_t flows_total = 0;
  std::uint64_t no_target_total = 0;       ///< No target was eligible.
  std::uint64_t target_refused_total = 0;  ///< The target answered the SYN with a reset.
  std::uint64_t client_resets_total = 0;
  std::uint64_t target_resets_total = 0;
  std::uint64_t own_resets_total = 0;
  std::uint64_t unhealthy_routing_total = 0;  ///< Flows that came when all targets were used.
  std::uint64_t port_errors_total = 0;        ///< No port was left for them.
  std::uint64_t checks_total = 0;
};

class BalancerEvents {
 public:
  virtual ~BalancerEvents() = default;
  /// The balancer's name gives the addresses of these nodes, by their numbers, from now on.
  virtual void on_addresses(const std::vector<std::size_t>& nodes) = 0;
};

/// A network load balancer with one TCP listener and one target group: a node in each zone, which
/// passes connections on without ending them.
///
/// Client and target shake hands with each other; refusals, FINs and resets go from end to end.
/// Where a flow goes is a seeded hash over the node's eligible targets in order of their endpoints,
/// and stays so for its life (NLB-11, NLB-20, NLB-23). What belongs to no flow gets a reset
/// (NLB-32), other ports do not answer (NLB-31). In a world that cannot pass segments on, nodes are
/// pumps: see BalancerPump. Traces TargetChosen with the client's flow, and the target's as `a`.
/// Source: nlb.md, the ids at each setting.
class Balancer final : private HealthCheckEvents {
 public:
  struct Node {
    world::World* world = nullptr;
    std::uint32_t address = 0;
    std::string zone{};
  };

  /// Requires: at least one node, their zones being different. `events` may be null.
  Balancer(const std::vector<Node>& nodes, BalancerOptions options,
           BalancerEvents* events = nullptr);
  ~Balancer() override;
  Balancer(const Balancer&) = delete;
  Balancer& operator=(const Balancer&) = delete;

  /// Begins to take flows, and says its addresses. Errors: a port is taken.
  world::Result<bool> start();

  /// See TargetGroup::add() and deregister().
  void register_target(const BalancerTarget& target, bool steady = false);
  void deregister_target(const world::Endpoint& endpoint);

  BalancerCounts counts() const;
  std::vector<TargetView> targets() const { return group_.targets(); }
  /// The nodes whose addresses its name gives.
  const std::vector<std::size_t>& addresses() const { return addresses_; }
  /// Flows that go to that endpoint now, and checks of it so far.
  std::uint64_t flows_to(const world::Endpoint& endpoint) const;
  std::uint64_t checks_of(const world::Endpoint& endpoint) const;

 private:
  class Gate;

  struct AddressChange {
    world::TimePoint at;
    std::vector<std::size_t> nodes;
  };

  world::TimePoint now() const;
  world::Onward open(std::size_t node, const world::Opening& opening);
  world::Passing pass(std::size_t node, std::uint64_t flow, bool from_client,
                      world::SegmentKind kind);
  const BalancerTarget* choose(std::size_t node, const FlowKey& key, bool* failed_open) const;
  world::Onward turn_away(std::uint64_t flow, world::PassVerdict verdict, std::uint64_t& counter);
  void forget(std::uint64_t flow);
  void end_flows(const world::Endpoint& target, bool both);
  void connect_failed(const world::Endpoint& target);
  std::string proxy_header(const FlowKey* key) const;

  void on_checked(const world::Endpoint& target, std::size_t checker, bool passed) override;
  void start_checks(const world::Endpoint& target);
  void work();
  void work_later();
  void on_timer();
  void schedule();
  void update_addresses();
  void publish(const std::vector<std::size_t>& nodes);

  BalancerOptions options_;
  BalancerEvents* events_;
  std::vector<std::unique_ptr<Gate>> gates_;
  BalancerCounts counts_;
  std::uint64_t hash_seed_;
  world::Random phases_;
  TargetGroup group_;
  FlowTable flows_;
  SourcePorts ports_;
  std::map<std::uint64_t, FlowKey> keys_;             // of flows that still want a PROXY header
  std::set<std::uint64_t> turned_away_;               // flows whose SYN was counted as lost
  std::set<std::pair<std::uint64_t, bool>> refused_;  // sides of flows that got a reset from us
  std::map<world::Endpoint, std::uint32_t> failed_connects_;  // in a row
  std::map<world::Endpoint, std::uint64_t> checks_;           // by those that have ended
  std::map<world::Endpoint, std::vector<std::unique_ptr<HealthChecker>>> checkers_;
  std::vector<std::vector<std::unique_ptr<HealthChecker>>> stopped_;  // until the next event
  std::vector<std::size_t> addresses_;
  std::deque<AddressChange> address_changes_;
  bool started_ = false;
  bool work_is_due_ = false;
  world::Timer timer_;
};

}  // namespace peers
