#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "world/result.h"
#include "world/world.h"

namespace peers {

/// One address that a balancer sends flows to.
struct BalancerTarget {
  std::string name{};  ///< For the trace: "edge-1".
  world::Endpoint endpoint{};
  bool healthy = true;
};

struct TargetGroupOptions {
  std::string name{};
  std::vector<BalancerTarget> targets{};
};

struct BalancerListenerOptions {
  std::uint16_t port = 80;
  std::string group{};  ///< Name of its only target group (NLB-15).
};

struct BalancerOptions {
  std::vector<TargetGroupOptions> groups{};
  std::vector<BalancerListenerOptions> listeners{};
};

struct BalancerCounts {
  std::uint64_t active_flows = 0;
  std::uint64_t flows_total = 0;
  std::uint64_t no_target_total = 0;       ///< Reset: no target was eligible.
  std::uint64_t target_refused_total = 0;  ///< Reset: the target could not be reached.
};

/// A network load balancer with TCP listeners: spreads flows over targets, byte for byte.
///
/// A flow's target is a seeded hash of protocol, source and destination address and port over the
/// healthy targets in order of their endpoints; it keeps that target for its life, whatever changes
/// (NLB-11, NLB-23, NLB-24, NLB-26). FIN and reset pass through in both directions, and a reader
/// that is slow holds the writer back. A flow without a target, or whose target refuses, is reset.
/// Traces TargetChosen with the client's flow, and the target's flow as `a`.
///
/// Apart from the real one in what it does not model yet: it ends the client's handshake itself,
/// so a refused target looks to the client like a reset after connecting (NLB-11, NLB-40); the
/// target sees the balancer's address, as with client address preservation off (NLB-50); the TCP
/// sequence number is not in the hash (NLB-20); no zones, checks, draining or idle timeout.
class Balancer {
 public:
  Balancer(world::World& world, BalancerOptions options);
  ~Balancer();  ///< Closes all flows.
  Balancer(const Balancer&) = delete;
  Balancer& operator=(const Balancer&) = delete;

  /// Opens the listeners. Errors: a port is taken, a listener's group does not exist.
  world::Result<bool> start();

  /// For flows that begin from now on. Registering a known endpoint replaces its entry.
  /// Requires: the group exists.
  void register_target(std::string_view group, BalancerTarget target);
  void deregister_target(std::string_view group, const world::Endpoint& endpoint);
  /// Does nothing if there is no such target.
  void set_healthy(std::string_view group, const world::Endpoint& endpoint, bool healthy);
  /// In order of their endpoints. Requires: the group exists.
  const std::vector<BalancerTarget>& targets(std::string_view group) const;

  const BalancerCounts& counts() const { return counts_; }
  /// Flows that go to that endpoint now.
  std::uint64_t flows_to(const world::Endpoint& endpoint) const;

 private:
  class Entrance;
  class Flow;

  TargetGroupOptions* find_group(std::string_view name);
  void accept(const TargetGroupOptions& group, std::unique_ptr<world::Transport> client);
  const BalancerTarget* choose(const TargetGroupOptions& group, const world::Endpoint& source,
                               const world::Endpoint& destination) const;
  void remove(Flow& flow);

  world::World& world_;
  BalancerOptions options_;
  BalancerCounts counts_;
  std::uint64_t hash_seed_;
  std::vector<std::unique_ptr<Entrance>> entrances_;
  Flow* first_ = nullptr;  // in order of accepting
  Flow* last_ = nullptr;
};

}  // namespace peers
