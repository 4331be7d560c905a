#include <string>
#include <string_view>

#include <fmt/format.h>

#include "mesh/spec_parts.h"

namespace mesh {
namespace {

/// Source: AM-VAL-22.
void check_prefix_value(const Reader& at, std::string_view value, const SpecRules& rules) {
  if (!check_begins_with_slash(at, value)) return;
  // Recorded cases ask the proxy itself, which does not mind.
  if (!value.ends_with('/') && !rules.recorded_cases) {
    at.fail(fmt::format("must end with /, is \"{}\"", value));
  }
}

/// Source: AM-SHP-113 to -119, AM-VAL-21 to -23, AM-REW-08.
Rewrite read_rewrite(Reader at, bool grpc, const SpecRules& rules) {
  Rewrite rewrite;
  if (!at.expect_object()) return rewrite;
  if (auto host = at.optional("hostname"); host && host->expect_object()) {
    rewrite.default_target_hostname = enabled(*host, "defaultTargetHostname");
    host->finish();
  }
  if (!grpc) {
    at.one_of({"prefix", "path"}, false);
    if (auto prefix = at.optional("prefix"); prefix && prefix->expect_object()) {
      prefix->one_of({"defaultPrefix", "value"}, false);
      rewrite.default_prefix = enabled(*prefix, "defaultPrefix");
      if (const auto value = prefix->optional("value")) {
        rewrite.prefix_value = value->as_string({1, 255});
        if (rewrite.prefix_value) check_prefix_value(*value, *rewrite.prefix_value, rules);
      }
      prefix->finish();
    }
    if (auto path = at.optional("path"); path && path->expect_object()) {
      if (const auto exact = path->optional("exact")) {
        rewrite.path_exact = exact->as_string({1, 255});
        if (rewrite.path_exact) check_begins_with_slash(*exact, *rewrite.path_exact);
      }
      path->finish();
    }
  }
  at.finish();
  return rewrite;
}

void read_action(Reader at, bool grpc, const SpecRules& rules, GatewayRoute& route) {
  if (!at.expect_object()) return;
  refuse_before(at, {"rewrite"}, kMatchesAndRewrites, rules);
  if (auto target = at.required("target"); target && target->expect_object()) {
    refuse_before(*target, {"port"}, kPorts, rules);
    route.target_origin = origin_of(*target);
    route.target_port = optional_port(*target, "port");
    if (auto service = target->required("virtualService"); service && service->expect_object()) {
      route.virtual_service = service->required_string("virtualServiceName", {1, 255});
      service->finish();
    }
    target->finish();
  }
  if (const auto rewrite = at.optional("rewrite")) {
    route.rewrite = read_rewrite(*rewrite, grpc, rules);
  }
  at.finish();
}

}  // namespace

void read_virtual_gateway_spec(Reader at, const SpecRules& rules, VirtualGateway& gateway) {
  if (!at.expect_object()) return;
  for (const Reader& listener : listener_items(at, ListenerOf::Gateway, rules)) {
    gateway.listeners.push_back(read_listener(listener, ListenerOf::Gateway, rules));
  }
  gateway.client_tls = read_backend_defaults(at, rules);
  gateway.access_log = read_logging(at);
  at.finish();
}

void read_gateway_route_spec(Reader at, const SpecRules& rules, GatewayRoute& route) {
  if (!at.expect_object()) return;
  refuse_before(at, {"priority"}, kMatchesAndRewrites, rules);
  if (const auto priority = at.optional_integer("priority", 0, 1000)) {
    route.priority = static_cast<int>(*priority);
  }
  const auto kind = at.one_of({"httpRoute", "http2Route", "grpcRoute"});
  if (kind) route.kind = static_cast<RouteKind>(*kind);
  for (const std::string_view key : {"httpRoute", "http2Route", "grpcRoute"}) {
    auto body = at.optional(key);
    if (!body || !body->expect_object()) continue;
    const bool grpc = key == "grpcRoute";
    if (const auto match = body->required("match")) {
      route.match = grpc ? read_grpc_match(*match, MatchOf::GatewayRoute, rules)
                         : read_http_match(*match, MatchOf::GatewayRoute, rules);
    }
    if (const auto action = body->required("action")) read_action(*action, grpc, rules, route);
    body->finish();
  }
  at.finish();
}

}  // namespace mesh
