#include "proxy/gateway.h"

#include "proxy/hop.h"

namespace proxy {

Gateway::Gateway(world::World& world, std::shared_ptr<const GatewayPlan> plan, Secrets* secrets)
    : world_(world), plan_(std::move(plan)) {
  hops_.reserve(plan_->ingress.size() + 1);
  // The second hop first: the first one connects to it.
  if (plan_->egress) hops_.push_back(std::make_unique<Hop>(world_, *plan_->egress, secrets));
  for (const HopPlan& ingress : plan_->ingress) {
    hops_.push_back(std::make_unique<Hop>(world_, ingress, secrets));
  }
}

Gateway::~Gateway() = default;

world::Result<bool> Gateway::start() {
  // Nobody gets in before the first checks of all endpoints are over (ENV-HC-13).
  world::Action held{};
  for (const auto& hop : hops_) {
    for (const Cluster& cluster : hop->plan().clusters) {
      if (cluster.health_check) held = world::bind<&Gateway::on_hop_ready>(this);
    }
  }
  for (auto& hop : hops_) {
    if (auto started = hop->start(held); !started) return started;
  }
  return true;
}

void Gateway::on_hop_ready() {
  for (const auto& hop : hops_) {
    if (!hop->ready()) return;
  }
  for (const auto& hop : hops_) hop->open();
}

void Gateway::drain(DrainMode mode) {
  for (auto& hop : hops_) hop->drain(mode, plan_->drain_time);
}

void Gateway::set_failing(bool failing) {
  failing_ = failing;
  for (auto& hop : hops_) hop->set_failing(failing);
}

std::string_view Gateway::ready_text() const {
  for (const auto& hop : hops_) {
    if (!hop->ready()) return "PRE_INITIALIZING";
  }
  return failing_ ? "DRAINING" : "LIVE";
}

std::vector<ListenerState> Gateway::listeners() const {
  std::vector<ListenerState> states;
  for (const auto role : {HopPlan::Role::Ingress, HopPlan::Role::Egress}) {
    for (const auto& hop : hops_) {
      if (hop->plan().role == role)
        states.push_back({&hop->plan(), hop->counts(), hop->tls_counts()});
    }
  }
  return states;
}

GatewayCounts Gateway::counts() const {
  GatewayCounts counts;
  for (const auto& hop : hops_) {
    for (std::size_t i = 0; i < hop->plan().clusters.size(); ++i) {
      counts.retries_total += hop->upstream(i).counts().retries_total;
    }
    if (hop->plan().role != HopPlan::Role::Ingress) continue;
    counts.downstream_connections += hop->downstream_connections();
    counts.active_requests += hop->active_requests();
    counts.requests_total += hop->requests_total();
    for (std::size_t i = 0; i < hop->plan().clusters.size(); ++i) {
      const PoolCounts& pool = hop->upstream(i).counts();
      counts.active_connections += pool.connections;
      counts.pending_requests += pool.pending;
      counts.overflow_total += pool.pending_overflow + pool.active_overflow;
    }
  }
  return counts;
}

std::vector<ClusterState> Gateway::clusters() const {
  std::vector<ClusterState> states;
  const auto add = [&states](const Hop& hop) {
    for (std::size_t i = 0; i < hop.plan().clusters.size(); ++i) {
      const Upstream& upstream = hop.upstream(i);
      states.push_back({.hop = &hop.plan(),
                        .cluster = &upstream.cluster(),
                        .pool = upstream.counts(),
                        .tls = upstream.tls_counts(),
                        .open = upstream.open_circuits(),
                        .health = upstream.health(),
                        .hosts = upstream.hosts()});
    }
  };
  for (const auto role : {HopPlan::Role::Ingress, HopPlan::Role::Egress}) {
    for (const auto& hop : hops_) {
      if (hop->plan().role == role) add(*hop);
    }
  }
  return states;
}

}  // namespace proxy
