#include <string>
#include <string_view>

#include <fmt/format.h>

#include "mesh/spec_parts.h"

namespace mesh {
namespace {

constexpr std::string_view kRouteKinds[] = {"httpRoute", "http2Route", "grpcRoute", "tcpRoute"};

/// Source: AM-SHP-222 to -225, AM-SHP-N6.
std::vector<WeightedTarget> read_targets(Reader at, const SpecRules& rules) {
  std::vector<WeightedTarget> targets;
  if (!at.expect_object()) return targets;
  std::int64_t sum = 0;
  for (Reader& entry : at.required_items("weightedTargets", {1, 10})) {
    if (!entry.expect_object()) continue;
    refuse_before(entry, {"port"}, kPorts, rules);
    WeightedTarget target;
    target.origin = origin_of(entry);
    target.node = entry.required_string("virtualNode", {1, 255});
    target.weight = static_cast<int>(entry.required_integer("weight", 0, 100));
    target.port = optional_port(entry, "port");
    entry.finish();
    sum += target.weight;
    targets.push_back(std::move(target));
  }
  if (sum > 100) {
    at.fail("weightedTargets",
            fmt::format("must have weights with a sum of at most 100, have {}", sum));
  }
  at.finish();
  return targets;
}

/// A list of events, each of which is one of `names`; each event once.
std::vector<std::string> read_events(Reader& at, std::string_view key, std::size_t max,
                                     std::span<const std::string_view> names) {
  std::vector<std::string> events;
  for (const Reader& entry : at.optional_items(key, {1, max})) {
    if (const auto choice = entry.as_choice(names)) events.emplace_back(names[*choice]);
  }
  return events;
}

/// Source: AM-SHP-226 to -229, -242 to -246, AM-RET-02, AM-RET-04.
RetryPolicy read_retry(Reader at, bool grpc) {
  constexpr std::string_view kHttp[] = {"server-error", "gateway-error", "client-error",
                                        "stream-error"};
  constexpr std::string_view kGrpc[] = {"cancelled", "deadline-exceeded", "internal",
                                        "resource-exhausted", "unavailable"};
  constexpr std::string_view kTcp[] = {"connection-error"};
  RetryPolicy retry;
  if (!at.expect_object()) return retry;
  retry.http_events = read_events(at, "httpRetryEvents", 25, kHttp);
  if (grpc) retry.grpc_events = read_events(at, "grpcRetryEvents", 5, kGrpc);
  retry.connection_error = !read_events(at, "tcpRetryEvents", 1, kTcp).empty();
  retry.max_retries = at.required_integer("maxRetries", 0);
  retry.per_retry_timeout = required_duration(at, "perRetryTimeout");
  at.finish();
  return retry;
}

RouteMatch read_tcp_match(Reader at, const SpecRules& rules) {
  RouteMatch match;
  if (!at.expect_object()) return match;
  refuse_before(at, {"port"}, kPorts, rules);
  match.port = optional_port(at, "port");
  at.finish();
  return match;
}

void read_body(Reader& at, RouteKind kind, const SpecRules& rules, Route& route) {
  if (!at.expect_object()) return;
  const bool tcp = kind == RouteKind::Tcp;
  const bool grpc = kind == RouteKind::Grpc;
  if (const auto action = at.required("action")) route.targets = read_targets(*action, rules);
  if (const auto match = tcp ? at.optional("match") : at.required("match")) {
    route.match = tcp    ? read_tcp_match(*match, rules)
                  : grpc ? read_grpc_match(*match, MatchOf::Route, rules)
                         : read_http_match(*match, MatchOf::Route, rules);
  }
  if (!tcp) {
    if (const auto retry = at.optional("retryPolicy")) route.retry = read_retry(*retry, grpc);
  }
  if (const auto timeout = at.optional("timeout")) route.timeouts = read_timeouts(*timeout, tcp);
  at.finish();
}

}  // namespace

void read_route_spec(Reader at, const SpecRules& rules, Route& route) {
  if (!at.expect_object()) return;
  if (const auto priority = at.optional_integer("priority", 0, 1000)) {
    route.priority = static_cast<int>(*priority);
  }
  const auto chosen = at.one_of({"httpRoute", "http2Route", "grpcRoute", "tcpRoute"});
  if (chosen) route.kind = static_cast<RouteKind>(*chosen);
  for (std::size_t i = 0; i < std::size(kRouteKinds); ++i) {
    if (auto body = at.optional(kRouteKinds[i])) {
      read_body(*body, static_cast<RouteKind>(i), rules, route);
    }
  }
  at.finish();
}

void read_virtual_router_spec(Reader at, const SpecRules& rules, VirtualRouter& router) {
  if (!at.expect_object()) return;
  const auto list = at.optional("listeners");
  if (list) {
    for (Reader& listener : list->as_items()) {
      if (!listener.expect_object()) continue;
      router.listeners.push_back(read_port_mapping(listener, true).value());
      listener.finish();
    }
    // Source: AM-ERA-04.
    if (rules.era < kSeveralListeners.era && list->value().is_list() &&
        list->value().list().size() != 1) {
      list->fail(
          fmt::format("must have exactly one listener in era {}, has {}; several exist since "
                      "{} (era {})",
                      text(rules.era), list->value().list().size(), kSeveralListeners.when,
                      text(kSeveralListeners.era)));
    }
  }
  at.finish();
}

void read_virtual_service_spec(Reader at, VirtualService& service) {
  if (!at.expect_object()) return;
  if (auto provider = at.optional("provider"); provider && provider->expect_object()) {
    const auto kind = provider->one_of({"virtualNode", "virtualRouter"});
    for (const bool is_node : {true, false}) {
      auto member = provider->optional(is_node ? "virtualNode" : "virtualRouter");
      if (!member || !member->expect_object()) continue;
      const auto key = is_node ? "virtualNodeName" : "virtualRouterName";
      Provider read;
      read.kind = is_node ? Provider::Kind::Node : Provider::Kind::Router;
      read.origin = origin_of(*member);
      read.name = member->required_string(key, {1, 255});
      member->finish();
      if (kind) service.provider = std::move(read);
    }
    provider->finish();
  }
  at.finish();
}

void read_mesh_spec(Reader at, const SpecRules& rules, Mesh& mesh) {
  if (!at.expect_object()) return;
  if (auto filter = at.optional("egressFilter"); filter && filter->expect_object()) {
    if (const auto type = filter->required("type")) {
      mesh.drop_external_egress = type->as_choice({"ALLOW_ALL", "DROP_ALL"}) != 0u;
    }
    filter->finish();
  }
  refuse_before(at, {"serviceDiscovery"}, kIpPreference, rules);
  if (auto discovery = at.optional("serviceDiscovery"); discovery && discovery->expect_object()) {
    mesh.ip_preference = ip_preference(*discovery, rules);
    discovery->finish();
  }
  at.finish();
}

}  // namespace mesh
