#include "conformance/recorded/action_plan.h"

#include <functional>
#include <map>

#include "conformance/recorded/action_readings.h"
#include "conformance/recorded/action_tls.h"

namespace conformance::recorded {
namespace {

using nlohmann::json;

/// By member, what it does to the plan.
using Settings = std::map<std::string, std::function<void(const json&)>>;

/// Applies each member. The one that is not known, after `what`; empty: all are.
std::string apply(const json& members, const Settings& settings, const std::string& what) {
  for (const auto& [name, value] : members.items()) {
    const auto setting = settings.find(name);
    if (setting == settings.end()) return what + name;
    setting->second(value);
  }
  return {};
}

std::function<void(const json&)> into(world::Duration& duration) {
  return [&duration](const json& value) { duration = seconds_of(value.get<std::string>()); };
}

std::function<void(const json&)> into(std::optional<world::Duration>& duration) {
  return [&duration](const json& value) { duration = seconds_of(value.get<std::string>()); };
}

template <class T>
std::function<void(const json&)> into(T& number) {
  return [&number](const json& value) { number = value.get<T>(); };
}

/// What the simulated gateway does anyway, as long as the value is this one.
std::function<void(const json&)> only(json wanted, std::string& problem, std::string name) {
  return [wanted = std::move(wanted), &problem, name = std::move(name)](const json& value) {
    if (value != wanted) problem = "the gateway's " + name + " " + value.dump();
  };
}

std::string read_check(const json& from, proxy::HealthCheckPlan& check) {
  using Kind = proxy::HealthCheckPlan::Kind;
  static const std::map<std::string, Kind> kKinds = {
      {"http", Kind::Http}, {"http2", Kind::Http2}, {"grpc", Kind::Grpc}, {"tcp", Kind::Tcp}};
  std::string problem;
  check.path = "/ping";
  const auto ranges = [](auto& list) {
    return [&list](const json& value) {
      list.clear();
      for (const json& range : value) {
        const json& start = range.is_object() ? range.at("start") : range.at(0);
        const json& end = range.is_object() ? range.at("end") : range.at(1);
        list.emplace_back(start.get<std::uint16_t>(), end.get<std::uint16_t>());
      }
    };
  };
  const Settings settings = {{"protocol",
                              [&](const json& value) {
                                const auto kind = kKinds.find(value.get<std::string>());
                                if (kind == kKinds.end())
                                  problem = "a health check of protocol " + value.dump();
                                if (kind != kKinds.end()) check.kind = kind->second;
                              }},
                             {"interval", into(check.interval)},
                             {"timeout", into(check.timeout)},
                             {"no_traffic_interval", into(check.no_traffic_interval)},
                             {"unhealthy_interval", into(check.unhealthy_interval)},
                             {"unhealthy_edge_interval", into(check.unhealthy_edge_interval)},
                             {"healthy_edge_interval", into(check.healthy_edge_interval)},
                             {"unhealthy_threshold", into(check.unhealthy_threshold)},
                             {"healthy_threshold", into(check.healthy_threshold)},
                             {"reuse_connection", into(check.reuse_connection)},
                             {"path", into(check.path)},
                             {"host", into(check.host)},
                             {"expected_statuses", ranges(check.expected_statuses)},
                             {"retriable_statuses", ranges(check.retriable_statuses)},
                             {"service_name", into(check.service)}};
  const std::string unknown = apply(from, settings, "the health check's ");
  return unknown.empty() ? problem : unknown;
}

std::string read_outlier(const json& from, proxy::OutlierPlan& outlier) {
  std::string problem;
  const Settings settings = {
      {"consecutive_5xx", into(outlier.consecutive_5xx)},
      {"interval", into(outlier.interval)},
      {"base_ejection_time", into(outlier.base_ejection_time)},
      {"max_ejection_percent", into(outlier.max_ejection_percent)},
      {"always_eject_one_host", into(outlier.always_eject_one)},
      {"enforcing_consecutive_5xx", only(100, problem, "enforcing_consecutive_5xx")},
      {"enforcing_success_rate", only(0, problem, "enforcing_success_rate")},
      {"enforcing_consecutive_gateway_failure",
       only(0, problem, "enforcing_consecutive_gateway_failure")}};
  const std::string unknown = apply(from, settings, "the outlier detection's ");
  return unknown.empty() ? problem : unknown;
}

std::string read_filters(const json& filters, proxy::HopPlan& hop) {
  for (const json& filter : filters) {
    if (filter.at("name") != "proxy_protocol") return "the filter " + filter["name"].dump();
    using ProxyProtocol = proxy::HopPlan::ProxyProtocol;
    hop.proxy_protocol = filter.value("allow_requests_without_proxy_protocol", false)
                             ? ProxyProtocol::Optional
                             : ProxyProtocol::Required;
    for (const auto& [name, value] : filter.items()) {
      if (name != "name" && name != "allow_requests_without_proxy_protocol") {
        return "the proxy_protocol filter's " + name;
      }
    }
  }
  return {};
}

}  // namespace

world::Duration seconds_of(const std::string& text) {
  return world::Duration(static_cast<std::int64_t>(std::stod(text) * 1e9 + 0.5));
}

std::string action_host(std::size_t number) {
  return "u" + std::to_string(number);
}

world::Result<std::shared_ptr<const proxy::GatewayPlan>, std::string> action_plan(
    const json& gateway, const ActionPlaces& places) {
  auto plan = std::make_shared<proxy::GatewayPlan>();
  plan->gateway = "gateway";
  proxy::HopPlan hop;
  hop.name = "ingress";
  hop.port = places.port;
  hop.timers.tls_inspector = {};
  hop.access_log =
      proxy::AccessLogPlan{places.log, proxy::AccessLogPlan::Kind::Text, action_log_format(), {}};
  proxy::Cluster cluster;
  cluster.name = "up";
  cluster.connect_timeout = std::chrono::seconds(1);
  cluster.discovery = proxy::Cluster::Discovery::Static;
  proxy::Route route;
  route.name = "r";
  route.path.text = "/";
  route.clusters = {{0, 1}};

  std::string problem;
  const auto note = [&problem](std::string found) {
    if (problem.empty()) problem = std::move(found);
  };
  std::size_t hosts = 1;
  bool routes = true;
  world::Duration filters_timeout = std::chrono::seconds(15);
  std::int64_t drain_seconds = 600;
  proxy::HopTimers& timers = hop.timers;
  const Settings of_http = {
      {"idle_timeout", into(timers.connection_idle)},
      {"max_connection_duration", into(timers.max_connection)},
      {"max_stream_duration", into(timers.max_stream)},
      {"max_requests_per_connection", into(timers.max_requests_per_connection)},
      {"drain_timeout", into(timers.drain)},
      {"stream_idle_timeout", into(timers.stream_idle)},
      {"request_timeout", into(timers.request)},
      {"request_headers_timeout", into(timers.request_headers)},
      {"delayed_close_timeout", into(timers.delayed_close)},
      {"use_remote_address", into(hop.use_remote_address)}};
  const Settings of_route = {{"timeout", into(route.timeout)},
                             {"idle_timeout", into(route.idle_timeout)}};
  const Settings of_listener = {{"listener_filters_timeout", [&](const json& value) {
                                   timers.proxy_header = seconds_of(value);
                                   filters_timeout = timers.proxy_header;
                                 }}};
  const Settings of_cluster = {{"idle_timeout", into(cluster.idle_timeout)}};
  const Settings settings = {
      {"hops", only(1, problem, "hops")},
      {"route", [&](const json& value) { note(apply(value, of_route, "the route's ")); }},
      {"routes",
       [&](const json& value) {
         routes = false;
         if (value != "none") note("the gateway's routes " + value.dump());
       }},
      {"http", [&](const json& value) { note(apply(value, of_http, "the http setting ")); }},
      {"listener", [&](const json& value) { note(apply(value, of_listener, "the listener's ")); }},
      {"listener_filters", [&](const json& value) { note(read_filters(value, hop)); }},
      {"listener_tls", [&](const json& value) { note(read_listener_tls(value, hop)); }},
      {"upstream_tls", [&](const json& value) { note(read_upstream_tls(value, cluster)); }},
      {"cluster", [&](const json& value) { note(apply(value, of_cluster, "the cluster's ")); }},
      {"drain_time_s", into(drain_seconds)},
      {"upstream_protocol",
       [&](const json& value) {
         if (value == "http2") cluster.protocol = proxy::Protocol::Http2;
         if (value != "http1" && value != "http2") note("the upstream_protocol " + value.dump());
       }},
      {"hosts", into(hosts)},
      {"panic_threshold", into(cluster.panic_percent)},
      {"fail_traffic_on_panic", into(cluster.fail_on_panic)},
      {"outlier_detection",
       [&](const json& value) { note(read_outlier(value, cluster.outlier.emplace())); }},
      {"health_check",
       [&](const json& value) { note(read_check(value, cluster.health_check.emplace())); }}};
  note(apply(gateway, settings, "the gateway's "));
  if (!problem.empty()) return problem;
  if (hop.tls_mode == proxy::HopPlan::TlsMode::Permissive) timers.tls_inspector = filters_timeout;
  if (!places.connection_log.empty()) {
    hop.connection_log = hop.access_log;
    hop.connection_log->path = places.connection_log;
  }

  for (std::size_t i = 0; i < hosts; ++i) {
    cluster.endpoints.emplace_back(action_host((i + places.first_host) % hosts + 1),
                                   places.upstream_port);
  }
  hop.clusters = {cluster};
  if (routes) {
    proxy::VirtualHost any;
    any.name = "any";
    any.domains = {"*"};
    any.routes = {route};
    hop.routes.hosts = {any};
  }
  plan->ingress = {hop};
  plan->drain_time = std::chrono::seconds(drain_seconds);
  return std::shared_ptr<const proxy::GatewayPlan>(plan);
}

}  // namespace conformance::recorded
