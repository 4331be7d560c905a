#include "proxy/gateway.h"

#include "proxy/hop.h"

namespace proxy {

Gateway::Gateway(world::World& world, std::shared_ptr<const GatewayPlan> plan)
    : world_(world), plan_(std::move(plan)) {
  hops_.reserve(plan_->ingress.size() + 1);
  // The second hop first: the first one connects to it.
  if (plan_->egress) hops_.push_back(std::make_unique<Hop>(world_, *plan_->egress));
  for (const HopPlan& ingress : plan_->ingress) {
    hops_.push_back(std::make_unique<Hop>(world_, ingress));
  }
}

Gateway::~Gateway() = default;

world::Result<bool> Gateway::start() {
  for (auto& hop : hops_) {
    if (auto started = hop->start(); !started) return started;
  }
  return true;
}

GatewayCounts Gateway::counts() const {
  GatewayCounts counts;
  for (const auto& hop : hops_) {
    if (hop->plan().role != HopPlan::Role::Ingress) continue;
    counts.downstream_connections += hop->downstream_connections();
    counts.active_requests += hop->active_requests();
    counts.requests_total += hop->requests_total();
    for (std::size_t i = 0; i < hop->plan().clusters.size(); ++i) {
      const PoolCounts& pool = hop->upstream(i).counts();
      counts.active_connections += pool.connections;
      counts.pending_requests += pool.pending;
      counts.overflow_total += pool.pending_overflow;
    }
  }
  return counts;
}

}  // namespace proxy
