#include "conformance/listener_checker.h"

#include <algorithm>

#include "proxy/compile.h"
#include "proxy/host_checker.h"

namespace conformance {

ListenerChecker::ListenerChecker(world::World& host, std::uint32_t address,
                                 const mesh::VirtualGateway& gateway) {
  proxy::HostCheckEvents& events = *this;
  for (const mesh::Listener& listener : gateway.listeners) {
    if (!listener.health_check) continue;
    auto cluster = std::make_unique<proxy::Cluster>();
    cluster->name = gateway.name;
    cluster->tls = proxy::tls_without_policy(listener);
    if (cluster->tls) cluster->tls->trust.reset();  // it knows no authority
    cluster->health_check =
        proxy::check_plan(*listener.health_check, proxy::HealthCheckPlan::Rules::Letter);
    checkers_.push_back(std::make_unique<proxy::HostChecker>(
        host, cork_, *cluster, world::Endpoint{address, listener.port_mapping.port}, traffic_,
        counts_, events));
    clusters_.push_back(std::move(cluster));
  }
}

ListenerChecker::~ListenerChecker() = default;

void ListenerChecker::start() {
  for (const auto& checker : checkers_) checker->start();
}

bool ListenerChecker::healthy() const {
  return std::all_of(checkers_.begin(), checkers_.end(),
                     [](const auto& checker) { return checker->healthy(); });
}

}  // namespace conformance
