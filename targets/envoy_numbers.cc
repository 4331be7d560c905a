#include "targets/envoy_numbers.h"

#include <string_view>

#include <nlohmann/json.hpp>

#include "targets/watch_log.h"

namespace targets {
namespace {

using nlohmann::json;

struct Counted {
  std::string_view name;
  const char* field;
  bool everywhere;  ///< Of the clusters of both hops, not of the first only.
};
constexpr Counted kOfClusters[] = {
    {"upstream_cx_active", "activeConnections", false},
    {"upstream_rq_pending_active", "pendingRequests", false},
    {"upstream_rq_pending_overflow", "overflow", false},
    {"upstream_rq_active_overflow", "overflow", false},
    {"upstream_rq_retry", "retries", true},
};
constexpr Counted kOfListeners[] = {
    {"downstream_rq_active", "activeRequests", false},
    {"downstream_rq_total", "requests", false},
    {"downstream_cx_active", "downstreamConnections", false},
};

}  // namespace

EnvoyNumbers::EnvoyNumbers(const proxy::GatewayPlan& plan) {
  for (const proxy::HopPlan& hop : plan.ingress) {
    for (const proxy::Cluster& cluster : hop.clusters) first_.insert(cluster.name);
  }
}

void EnvoyNumbers::read_stats(const std::string& body) {
  const json all = json::parse(body, nullptr, false);
  if (!all.is_object() || !all.contains("stats")) return;
  numbers_.own.clear();
  secrets_read_ = 0;
  for (const json& stat : all["stats"]) {
    if (!stat.contains("name") || !stat.contains("value")) continue;
    const std::string& name = stat["name"].get_ref<const std::string&>();
    const std::size_t first = name.find('.');
    const std::size_t last = name.rfind('.');
    const std::string of = name.substr(first + 1, last - first - 1);
    const std::string_view what = std::string_view(name).substr(last + 1);
    if (name.starts_with("sds.")) secrets_read_ += stat["value"].get<std::int64_t>();
    const bool of_cluster = name.starts_with("cluster.");
    const auto add = [&](const Counted& counted) {
      if (what != counted.name) return;
      if (of_cluster && !counted.everywhere && !first_.contains(of)) return;
      numbers_.own[counted.field] += stat["value"].get<std::int64_t>();
    };
    if (of_cluster) {
      for (const Counted& counted : kOfClusters) add(counted);
    } else {
      for (const Counted& counted : kOfListeners) add(counted);
    }
  }
}

void EnvoyNumbers::read_clusters(const std::string& body) {
  const json all = json::parse(body, nullptr, false);
  if (!all.is_object() || !all.contains("cluster_statuses")) return;
  numbers_.endpoints.clear();
  for (const json& cluster : all["cluster_statuses"]) {
    for (const json& host : cluster.value("host_statuses", json::array())) {
      const json address = host.value("/address/socket_address"_json_pointer, json::object());
      const json health = host.value("health_status", json::object());
      numbers_.endpoints.push_back(
          {.endpoint = endpoint_of(address.value("address", "") + ":" +
                                   std::to_string(address.value("port_value", 0))),
           .failed_check = health.value("failed_active_health_check", false),
           .ejected = health.value("failed_outlier_check", false)});
    }
  }
}

}  // namespace targets
