#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "peers/flow_hash.h"
#include "peers/target_group.h"
#include "world/result.h"
#include "world/world.h"

namespace peers {

/// Who tells a pump where connections go, and hears of them.
class PumpEvents {
 public:
  virtual ~PumpEvents() = default;
  /// Null: nowhere. Valid until the pump returns.
  virtual const BalancerTarget* on_client(const FlowKey& key, std::uint64_t flow) = 0;
  virtual void on_flow(const BalancerTarget& target, std::uint64_t client_flow,
                       std::uint64_t target_flow) = 0;
  /// What the target gets before the client's first bytes.
  virtual std::string on_first_bytes(const FlowKey& key) = 0;
  virtual void on_refused() = 0;
};

/// A balancer's node in a world whose segments cannot be had: it ends connections itself and pumps
/// bytes between two of them.
///
/// FIN and reset pass through in both directions, and a reader that is slow holds the writer back.
/// Apart from the real thing: a target that refuses looks to the client like a reset after
/// connecting (NLB-11, NLB-40), the target sees the node's address (NLB-50), the hash knows no
/// sequence number (NLB-20), and no flow is idle for too long.
class BalancerPump final : private world::AcceptEvents {
 public:
  BalancerPump(world::World& world, PumpEvents& events);
  ~BalancerPump() override;  ///< Closes all flows.
  BalancerPump(const BalancerPump&) = delete;
  BalancerPump& operator=(const BalancerPump&) = delete;

  /// Errors: the port is taken.
  world::Result<bool> listen(std::uint16_t port);

  std::uint64_t flows() const { return flows_; }
  std::uint64_t flows_to(const world::Endpoint& target) const;
  /// Resets both ends of every flow to that target.
  void reset_flows_to(const world::Endpoint& target);

 private:
  class Flow;

  void on_accept(std::unique_ptr<world::Transport> client) override;
  void remove(Flow& flow);

  world::World& world_;
  PumpEvents& events_;
  std::unique_ptr<world::Listener> listener_;
  std::uint64_t flows_ = 0;
  Flow* first_ = nullptr;  // in order of accepting
  Flow* last_ = nullptr;
};

}  // namespace peers
