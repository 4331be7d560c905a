#include "envoy/clusters.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace envoy {
namespace {

using proxy::Cluster;
using proxy::HealthCheckPlan;

constexpr const char* kProtocolOptions = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

bool is_ipv4_address(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789.") == std::string_view::npos &&
         std::count(text.begin(), text.end(), '.') == 3;
}

/// A name is a whole one: no search domain is tried. Source: CD-04.
std::string whole_name(const std::string& name) {
  return name.empty() || name.back() == '.' || is_ipv4_address(name) ? name : name + ".";
}

Json endpoint(const Cluster& from, const std::string& host, std::uint16_t port) {
  Json out = {{"address", address(whole_name(host), port)}};
  if (from.health_check && from.health_check->port) {
    out["health_check_config"] = {{"port_value", *from.health_check->port}};
  }
  return {{"endpoint", std::move(out)}};
}

/// How its endpoints are found, and which they are.
void set_endpoints(Json& out, const Cluster& from, const std::string& self,
                   std::vector<std::string>& notes) {
  Json endpoints = Json::array();
  const char* type = "STATIC";
  switch (from.discovery) {
    case Cluster::Discovery::Self:
      endpoints.push_back(endpoint(from, self, from.port));
      break;
    case Cluster::Discovery::LogicalDns:
    case Cluster::Discovery::StrictDns: {
      std::string host = from.host_name;
      if (const auto attributes = host.find(';'); attributes != std::string::npos) {
        notes.push_back(
            fmt::format("{}: all instances of {} are taken, DNS knows no attributes ({})",
                        from.name, host.substr(0, attributes), host.substr(attributes + 1)));
        host.resize(attributes);
      }
      if (!is_ipv4_address(host)) {
        const bool one = from.discovery == Cluster::Discovery::LogicalDns;
        type = one ? "LOGICAL_DNS" : "STRICT_DNS";
      }
      endpoints.push_back(endpoint(from, host, from.port));
      break;
    }
    case Cluster::Discovery::Static:
      for (const auto& [host, port] : from.endpoints) {
        if (!is_ipv4_address(host)) type = "STRICT_DNS";
        endpoints.push_back(endpoint(from, host, port));
      }
      break;
  }
  out["type"] = type;
  if (type != std::string_view("STATIC")) out["dns_lookup_family"] = "V4_PREFERRED";
  out["load_assignment"] = {{"cluster_name", from.name},
                            {"endpoints", Json::array({{{"lb_endpoints", std::move(endpoints)}}})}};
}

Json protocol_options(const Cluster& from) {
  Json common = {{"idle_timeout", text_of(from.idle_timeout)}};
  if (from.max_requests_per_connection != 0) {
    common["max_requests_per_connection"] = from.max_requests_per_connection;
  }
  const bool http1 = from.protocol == proxy::Protocol::Http1;
  const char* const own = http1 ? "http_protocol_options" : "http2_protocol_options";
  return {{kProtocolOptions,
           typed(kProtocolOptions, {{"common_http_protocol_options", std::move(common)},
                                    {"explicit_http_config", {{own, Json::object()}}}})}};
}

Json circuit_breakers(const proxy::Limits& limits) {
  const Json threshold = {{"priority", "DEFAULT"},
                          {"max_connections", limits.max_connections},
                          {"max_pending_requests", limits.max_pending_requests},
                          {"max_requests", limits.max_requests},
                          {"max_retries", limits.max_retries}};
  return {{"thresholds", Json::array({threshold})}};
}

Json ranges(const std::vector<std::pair<std::uint16_t, std::uint16_t>>& from) {
  Json out = Json::array();
  for (const auto& [start, end] : from) out.push_back({{"start", start}, {"end", end}});
  return out;
}

void set_check_kind(Json& out, const HealthCheckPlan& from) {
  switch (from.kind) {
    case HealthCheckPlan::Kind::Http:
    case HealthCheckPlan::Kind::Http2: {
      Json http = {{"path", from.path}, {"expected_statuses", ranges(from.expected_statuses)}};
      if (!from.host.empty()) http["host"] = from.host;
      if (!from.retriable_statuses.empty()) {
        http["retriable_statuses"] = ranges(from.retriable_statuses);
      }
      const bool http1 = from.kind == HealthCheckPlan::Kind::Http;
      http["codec_client_type"] = http1 ? "HTTP1" : "HTTP2";
      out["http_health_check"] = std::move(http);
      break;
    }
    case HealthCheckPlan::Kind::Grpc:
      out["grpc_health_check"] = Json::object();
      if (!from.service.empty()) out["grpc_health_check"]["service_name"] = from.service;
      break;
    case HealthCheckPlan::Kind::Tcp:
      out["tcp_health_check"] = Json::object();
      break;
  }
}

Json health_check(const HealthCheckPlan& from) {
  Json out = {{"timeout", text_of(from.timeout)},
              {"interval", text_of(from.interval)},
              {"healthy_threshold", from.healthy_threshold},
              {"unhealthy_threshold", from.unhealthy_threshold},
              {"no_traffic_interval", text_of(from.no_traffic_interval)},
              {"reuse_connection", from.reuse_connection}};
  const auto set = [&out](const char* name, const std::optional<world::Duration>& given) {
    if (given) out[name] = text_of(*given);
  };
  set("unhealthy_interval", from.unhealthy_interval);
  set("unhealthy_edge_interval", from.unhealthy_edge_interval);
  set("healthy_edge_interval", from.healthy_edge_interval);
  set_check_kind(out, from);
  return out;
}

/// Of Envoy's kinds of ejection only the one that App Mesh sets.
Json outlier_detection(const proxy::OutlierPlan& from) {
  return {{"consecutive_5xx", from.consecutive_5xx},
          {"enforcing_consecutive_5xx", 100},
          {"enforcing_success_rate", 0},
          {"interval", text_of(from.interval)},
          {"base_ejection_time", text_of(from.base_ejection_time)},
          {"max_ejection_percent", from.max_ejection_percent},
          {"always_eject_one_host", from.always_eject_one}};
}

Json common_balancing(const Cluster& from) {
  Json out = {{"healthy_panic_threshold", {{"value", from.panic_percent}}},
              {"update_merge_window", text_of(from.merge_window)}};
  if (from.fail_on_panic) out["zone_aware_lb_config"] = {{"fail_traffic_on_panic", true}};
  return out;
}

}  // namespace

Json cluster(const Cluster& from, const std::string& self, Tls& tls,
             std::vector<std::string>& notes) {
  Json out = {{"name", from.name}};
  set_endpoints(out, from, self, notes);
  out["connect_timeout"] = text_of(from.connect_timeout);
  out["circuit_breakers"] = circuit_breakers(from.limits);
  out["typed_extension_protocol_options"] = protocol_options(from);
  out["common_lb_config"] = common_balancing(from);
  if (from.health_check) out["health_checks"] = Json::array({health_check(*from.health_check)});
  if (from.outlier) out["outlier_detection"] = outlier_detection(*from.outlier);
  if (from.tls) out["transport_socket"] = tls.of_cluster(*from.tls);
  return out;
}

}  // namespace envoy
