#include "targets/on_machine.h"

#include <algorithm>
#include <optional>
#include <string>

namespace targets {
namespace {

using conformance::TargetInstance;
using proxy::Cluster;
using proxy::HopPlan;
using world::Duration;

/// Of a route that gives none.
constexpr Duration kRouteTimeout = std::chrono::seconds(15);
/// Envoy takes no shorter one.
constexpr Duration kShortestBackoff = std::chrono::milliseconds(1);

/// Divides what durations there are.
class Shorten {
 public:
  explicit Shorten(std::uint32_t by) : by_(by) {}

  void operator()(Duration& duration) const { duration /= by_; }
  void operator()(std::optional<Duration>& duration) const {
    if (duration) *duration /= by_;
  }
  void operator()(proxy::HopTimers& timers) const {
    for (Duration* one :
         {&timers.stream_idle, &timers.connection_idle, &timers.delayed_close, &timers.drain,
          &timers.request, &timers.request_headers, &timers.max_connection, &timers.max_stream,
          &timers.tls_inspector, &timers.proxy_header}) {
      (*this)(*one);
    }
  }
  void operator()(proxy::Route& route) const {
    if (!route.timeout) route.timeout = kRouteTimeout;
    (*this)(route.timeout);
    (*this)(route.idle_timeout);
    if (!route.retry) return;
    (*this)(route.retry->per_try_timeout);
    for (Duration* one : {&route.retry->backoff_base, &route.retry->backoff_most}) {
      (*this)(*one);
      *one = std::max<Duration>(*one, kShortestBackoff);
    }
  }
  void operator()(proxy::HealthCheckPlan& check) const {
    (*this)(check.interval);
    (*this)(check.timeout);
    (*this)(check.no_traffic_interval);
    (*this)(check.unhealthy_interval);
    (*this)(check.unhealthy_edge_interval);
    (*this)(check.healthy_edge_interval);
  }
  void operator()(Cluster& cluster) const {
    (*this)(cluster.connect_timeout);
    (*this)(cluster.idle_timeout);
    (*this)(cluster.merge_window);
    if (cluster.health_check) (*this)(*cluster.health_check);
    if (!cluster.outlier) return;
    (*this)(cluster.outlier->interval);
    (*this)(cluster.outlier->base_ejection_time);
  }

 private:
  std::uint32_t by_;
};

class Placing {
 public:
  explicit Placing(const TargetInstance& instance)
      : instance_(instance), shorten_(instance.time_scale) {}

  void operator()(HopPlan& hop) const {
    hop.port = instance_.port(hop.port);
    shorten_(hop.timers);
    for (proxy::VirtualHost& host : hop.routes.hosts) {
      for (proxy::Route& route : host.routes) shorten_(route);
    }
    if (hop.tls) set_files(*hop.tls);
    if (hop.access_log) hop.access_log->path = path(hop.access_log->path);
    for (Cluster& cluster : hop.clusters) {
      set_endpoints(cluster);
      shorten_(cluster);
      if (cluster.tls) set_files(*cluster.tls);
    }
  }

 private:
  std::string path(const std::string& of_scenario) const {
    return (instance_.folder / std::filesystem::path(of_scenario).relative_path()).string();
  }

  void set_files(proxy::TlsPlan& tls) const {
    const auto set = [this](proxy::SecretName& name) {
      if (name.kind != proxy::SecretName::Kind::File) return;
      name.name = path(name.name);
      if (!name.key.empty()) name.key = path(name.key);
    };
    for (proxy::SecretName& name : tls.certificates) set(name);
    if (tls.trust) set(*tls.trust);
  }

  /// Where they are is known: names need no server.
  void set_endpoints(Cluster& cluster) const {
    if (cluster.discovery == Cluster::Discovery::Self) {
      cluster.port = instance_.port(cluster.port);
      return;
    }
    const bool one = cluster.discovery == Cluster::Discovery::LogicalDns;
    auto named = std::move(cluster.endpoints);
    if (cluster.discovery != Cluster::Discovery::Static) {
      named = {{cluster.host_name, cluster.port}};
    }
    cluster.discovery = Cluster::Discovery::Static;
    cluster.endpoints.clear();
    for (const auto& [name, port] : named) {
      for (const world::Endpoint& end : instance_.endpoints(name, port)) {
        if (one && !cluster.endpoints.empty()) break;
        cluster.endpoints.emplace_back(end.address_text(), end.port);
      }
    }
  }

  const TargetInstance& instance_;
  Shorten shorten_;
};

}  // namespace

proxy::GatewayPlan on_machine(const TargetInstance& instance) {
  proxy::GatewayPlan plan = *instance.plan;
  const Placing place(instance);
  for (HopPlan& hop : plan.ingress) place(hop);
  if (plan.egress) place(*plan.egress);
  return plan;
}

}  // namespace targets
