#include <chrono>

#include <fmt/format.h>

#include "mesh/spec_parts.h"

namespace mesh {
namespace {

std::optional<Protocol> as_protocol(const Reader& at, bool with_tcp) {
  const auto choice = with_tcp ? at.as_choice({"http", "http2", "grpc", "tcp"})
                               : at.as_choice({"http", "http2", "grpc"});
  return choice ? std::optional(static_cast<Protocol>(*choice)) : std::nullopt;
}

/// A member of a union that is named after a protocol: it must be the listener's.
/// Source: AM-VAL-03, AM-VAL-04.
std::optional<Protocol> protocol_member(Reader& at, bool with_tcp,
                                        const std::optional<Protocol>& listener) {
  const auto choice =
      with_tcp ? at.one_of({"http", "http2", "grpc", "tcp"}) : at.one_of({"http", "http2", "grpc"});
  if (!choice) return std::nullopt;
  const auto protocol = static_cast<Protocol>(*choice);
  if (listener && *listener != protocol) {
    at.fail_key(text(protocol), fmt::format("must be for the listener's protocol {}, is for {}",
                                            text(*listener), text(protocol)));
  }
  return protocol;
}

std::optional<std::uint32_t> limit(Reader& at, std::string_view key, bool required) {
  const auto member = required ? at.required(key) : at.optional(key);
  if (!member) return std::nullopt;
  const auto number = member->as_integer(1, kMaxInteger);
  return number ? std::optional(static_cast<std::uint32_t>(*number)) : std::nullopt;
}

std::optional<ConnectionPool> read_pool(Reader at, bool with_tcp,
                                        const std::optional<Protocol>& listener) {
  if (!at.expect_object()) return std::nullopt;
  const auto protocol = protocol_member(at, with_tcp, listener);
  // Every kind that is given is read, so that all its errors show.
  std::optional<ConnectionPool> result;
  for (const Protocol kind : {Protocol::Http, Protocol::Http2, Protocol::Grpc, Protocol::Tcp}) {
    if (kind == Protocol::Tcp && !with_tcp) continue;
    auto limits = at.optional(text(kind));
    if (!limits || !limits->expect_object()) continue;
    ConnectionPool pool;
    pool.protocol = kind;
    if (kind == Protocol::Http || kind == Protocol::Tcp) {
      pool.max_connections = limit(*limits, "maxConnections", true);
    } else {
      pool.max_requests = limit(*limits, "maxRequests", true);
    }
    if (kind == Protocol::Http) {
      pool.max_pending_requests = limit(*limits, "maxPendingRequests", false);
    }
    limits->finish();
    if (protocol == kind) result = pool;
  }
  at.finish();
  return result;
}

/// Source: AM-VAL-05 to AM-VAL-09.
HealthCheck read_health_check(Reader at, bool with_tcp, const ReadPortMapping& listener) {
  HealthCheck check;
  if (!at.expect_object()) return check;
  std::optional<Protocol> protocol;
  if (const auto member = at.required("protocol")) protocol = as_protocol(*member, with_tcp);
  check.protocol = protocol.value_or(Protocol::Http);
  check.healthy_threshold =
      static_cast<std::uint32_t>(at.required_integer("healthyThreshold", 2, 10));
  check.unhealthy_threshold =
      static_cast<std::uint32_t>(at.required_integer("unhealthyThreshold", 2, 10));
  check.interval = std::chrono::milliseconds(at.required_integer("intervalMillis", 5000, 300'000));
  check.timeout = std::chrono::milliseconds(at.required_integer("timeoutMillis", 2000, 60'000));
  check.path = at.optional_string("path");
  check.port = optional_port(at, "port");
  if (check.port && listener.port && *check.port != *listener.port) {
    at.fail("port",
            fmt::format("must be the listener's port {}, is {}", *listener.port, *check.port));
  }
  const bool speaks_grpc =
      listener.protocol == Protocol::Http2 || listener.protocol == Protocol::Grpc;
  if (protocol == Protocol::Grpc && listener.protocol && !speaks_grpc) {
    at.fail("protocol",
            fmt::format("must not be grpc: GRPC HealthCheck requires listener type http2 "
                        "or grpc, is {}",
                        text(*listener.protocol)));
  }
  at.finish();
  return check;
}

OutlierDetection read_outlier_detection(Reader at) {
  OutlierDetection outlier;
  if (!at.expect_object()) return outlier;
  outlier.max_server_errors = at.required_integer("maxServerErrors", 1);
  outlier.interval = required_duration(at, "interval");
  outlier.base_ejection = required_duration(at, "baseEjectionDuration");
  outlier.max_ejection_percent =
      static_cast<std::uint32_t>(at.required_integer("maxEjectionPercent", 0, 100));
  at.finish();
  return outlier;
}

std::optional<Timeouts> read_listener_timeout(Reader at, const std::optional<Protocol>& listener) {
  if (!at.expect_object()) return std::nullopt;
  std::optional<Timeouts> result;
  const auto protocol = protocol_member(at, true, listener);
  for (const Protocol kind : {Protocol::Http, Protocol::Http2, Protocol::Grpc, Protocol::Tcp}) {
    const auto member = at.optional(text(kind));
    if (!member) continue;
    const Timeouts timeouts = read_timeouts(*member, kind == Protocol::Tcp);
    if (protocol == kind) result = timeouts;
  }
  at.finish();
  return result;
}

}  // namespace

ReadPortMapping read_port_mapping(Reader& listener, bool with_tcp) {
  ReadPortMapping mapping;
  auto at = listener.required("portMapping");
  if (!at || !at->expect_object()) return mapping;
  if (const auto port = at->required("port")) mapping.port = as_port(*port);
  if (const auto protocol = at->required("protocol")) {
    mapping.protocol = as_protocol(*protocol, with_tcp);
  }
  at->finish();
  return mapping;
}

Listener read_listener(Reader at, ListenerOf of, const SpecRules& rules) {
  Listener listener;
  if (!at.expect_object()) return listener;
  const bool of_node = of == ListenerOf::Node;
  const ReadPortMapping mapping = read_port_mapping(at, of_node);
  listener.port_mapping = mapping.value();
  if (const auto pool = at.optional("connectionPool")) {
    listener.pool = read_pool(*pool, of_node, mapping.protocol);
  }
  if (const auto check = at.optional("healthCheck")) {
    listener.health_check = read_health_check(*check, of_node, mapping);
  }
  if (const auto tls = at.optional("tls")) listener.tls = read_listener_tls(*tls, rules);
  if (of_node) {
    if (const auto outlier = at.optional("outlierDetection")) {
      listener.outlier_detection = read_outlier_detection(*outlier);
    }
    if (const auto timeout = at.optional("timeout")) {
      listener.timeouts = read_listener_timeout(*timeout, mapping.protocol);
    }
  }
  at.finish();
  return listener;
}

std::vector<Reader> listener_items(Reader& spec, ListenerOf of, const SpecRules& rules) {
  const bool of_gateway = of == ListenerOf::Gateway;
  const auto list = of_gateway ? spec.required("listeners") : spec.optional("listeners");
  if (!list) return {};
  std::vector<Reader> items = list->as_items();
  if (!list->value().is_list()) return items;
  if (of_gateway && items.empty()) list->fail("must have a listener, has none");
  if (items.size() > 1 && rules.era < kSeveralListeners.era) {
    list->fail(
        fmt::format("must have {} listener in era {}, has {}; several exist since {} (era {})",
                    of_gateway ? "exactly one" : "at most one", text(rules.era), items.size(),
                    kSeveralListeners.when, text(kSeveralListeners.era)));
  }
  return items;
}

}  // namespace mesh
