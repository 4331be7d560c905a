#include "conformance/recorded/pool_plan.h"

#include <array>
#include <sstream>

#include <fmt/format.h>

namespace conformance::recorded {
namespace {

using nlohmann::json;
using proxy::Cluster;
using proxy::Duration;
using proxy::HopPlan;
using proxy::Limits;
using proxy::Protocol;
using namespace std::chrono_literals;

constexpr std::uint16_t kPort = 9080;
constexpr std::uint16_t kInnerPort = 15001;
constexpr std::uint16_t kUpstreamPort = 8080;

constexpr std::array<std::string_view, 16> kExtras = {"max_connections",
                                                      "max_pending_requests",
                                                      "max_requests",
                                                      "max_retries",
                                                      "max_requests_per_connection",
                                                      "upstream_SETTINGS_MAX_CONCURRENT_STREAMS",
                                                      "endpoints",
                                                      "connect_timeout",
                                                      "upstream_tcp_handshake_held",
                                                      "upstream_refuses",
                                                      "short_route",
                                                      "retry",
                                                      "self_redirect",
                                                      "circuit_raw",
                                                      "net_filters",
                                                      "bootstrap"};

/// "0.3s".
Duration seconds(const json& text) {
  return Duration(static_cast<std::int64_t>(std::stod(text.get<std::string>()) * 1e9 + 0.5));
}

Duration millis(const json& number) {
  return std::chrono::milliseconds(number.get<std::int64_t>());
}

/// One word of `retry_on`. False: it is not known.
bool add_condition(proxy::RetryPolicy& policy, const std::string& word) {
  const auto add_statuses = [&policy](std::uint16_t first, std::uint16_t last) {
    for (std::uint16_t status = first; status <= last; ++status) policy.statuses.insert(status);
  };
  if (word == "5xx") {
    add_statuses(500, 599);
    policy.on_reset = policy.on_connect_failure = policy.on_refused_stream = true;
  } else if (word == "gateway-error") {
    add_statuses(502, 504);
    policy.on_reset = policy.on_connect_failure = policy.on_refused_stream = true;
  } else if (word == "reset") {
    policy.on_reset = true;
  } else if (word == "connect-failure") {
    policy.on_connect_failure = true;
  } else if (word == "refused-stream") {
    policy.on_refused_stream = true;
  } else if (word == "retriable-4xx") {
    policy.statuses.insert(409);
  } else if (word == "retriable-status-codes") {
    return true;  // which ones is said beside it
  } else if (word == "cancelled") {
    policy.grpc_statuses.insert(1);
  } else if (word == "deadline-exceeded") {
    policy.grpc_statuses.insert(4);
  } else if (word == "resource-exhausted") {
    policy.grpc_statuses.insert(8);
  } else if (word == "internal") {
    policy.grpc_statuses.insert(13);
  } else if (word == "unavailable") {
    policy.grpc_statuses.insert(14);
  } else {
    return false;
  }
  return true;
}

class Maker {
 public:
  explicit Maker(const json& config)
      : config_(config),
        extra_(config.contains("extra") && config["extra"].is_object() ? config["extra"]
                                                                       : json::object()) {}

  PoolPlan make() {
    for (const auto& [name, value] : extra_.items()) {
      if (std::find(kExtras.begin(), kExtras.end(), name) == kExtras.end()) {
        fail("the setting " + name);
      }
    }
    out_.hosts = extra_.value("endpoints", std::size_t{1});
    const bool two_hops = extra_.value("self_redirect", false);
    HopPlan ingress = hop("ingress", kPort);
    if (two_hops) {
      ingress.clusters = {self_redirect()};
      HopPlan egress = hop("egress", kInnerPort);
      egress.role = HopPlan::Role::Egress;
      Cluster cluster = upstream();
      cluster.limits = {};
      egress.clusters = {std::move(cluster)};
      add_retry(egress);
      out_.plan.egress = std::move(egress);
    } else {
      ingress.clusters = {upstream()};
      add_retry(ingress);
    }
    limit_connections(ingress);
    out_.plan.mesh = "mesh";
    out_.plan.gateway = "gateway";
    out_.plan.ingress = {std::move(ingress)};
    return std::move(out_);
  }

 private:
  void fail(std::string why) {
    if (out_.error.empty()) out_.error = std::move(why);
  }

  static HopPlan bare_hop(std::string name, std::uint16_t port) {
    HopPlan hop;
    hop.name = std::move(name);
    hop.port = port;
    hop.timers.tls_inspector = {};
    hop.access_log = proxy::AccessLogPlan{"/" + hop.name,
                                          proxy::AccessLogPlan::Kind::Json,
                                          {},
                                          {{"id", "%REQ(X-ID)%"},
                                           {"code", "%RESPONSE_CODE%"},
                                           {"flags", "%RESPONSE_FLAGS%"},
                                           {"details", "%RESPONSE_CODE_DETAILS%"},
                                           {"ufail", "%UPSTREAM_TRANSPORT_FAILURE_REASON%"},
                                           {"attempts", "%UPSTREAM_REQUEST_ATTEMPT_COUNT%"}}};
    return hop;
  }

  HopPlan hop(std::string name, std::uint16_t port) {
    HopPlan hop = bare_hop(std::move(name), port);
    proxy::VirtualHost host;
    host.name = "all";
    host.domains = {"*"};
    if (extra_.contains("short_route")) {
      proxy::Route quick = route("/q");
      quick.timeout = std::chrono::round<Duration>(
          std::chrono::duration<double>(extra_["short_route"].get<double>()));
      host.routes.push_back(std::move(quick));
    }
    proxy::Route all = route("/");
    if (config_.contains("routeTimeoutMs")) all.timeout = millis(config_["routeTimeoutMs"]);
    host.routes.push_back(std::move(all));
    hop.routes.hosts = {std::move(host)};
    return hop;
  }

  static proxy::Route route(std::string prefix) {
    proxy::Route route;
    route.path.text = std::move(prefix);
    route.clusters = {{0, 1}};
    return route;
  }

  Protocol protocol() const {
    return config_.at("portMapping").at("protocol") == "http" ? Protocol::Http1 : Protocol::Http2;
  }

  Limits limits() const {
    Limits limits;
    if (extra_.contains("circuit_raw")) limits = Limits::of_old_accounts();
    const auto set = [](std::uint32_t& limit, const json& from, const char* name) {
      if (from.contains(name)) limit = from[name].get<std::uint32_t>();
    };
    if (config_.contains("connectionPool") && config_["connectionPool"].is_object()) {
      for (const auto& [kind, pool] : config_["connectionPool"].items()) {
        set(limits.max_connections, pool, "maxConnections");
        set(limits.max_pending_requests, pool, "maxPendingRequests");
        set(limits.max_requests, pool, "maxRequests");
      }
    }
    set(limits.max_connections, extra_, "max_connections");
    set(limits.max_pending_requests, extra_, "max_pending_requests");
    set(limits.max_requests, extra_, "max_requests");
    set(limits.max_retries, extra_, "max_retries");
    return limits;
  }

  Cluster upstream() const {
    Cluster cluster;
    cluster.name = "up";
    cluster.node = "up";
    cluster.protocol = protocol();
    cluster.limits = limits();
    cluster.connect_timeout =
        extra_.contains("connect_timeout") ? seconds(extra_["connect_timeout"]) : Duration(1s);
    cluster.max_requests_per_connection = extra_.value("max_requests_per_connection", 0U);
    cluster.discovery = Cluster::Discovery::Static;
    for (std::size_t i = 1; i <= out_.hosts; ++i) {
      cluster.endpoints.emplace_back(pool_host_name(i), kUpstreamPort);
    }
    return cluster;
  }

  Cluster self_redirect() const {
    Cluster cluster;
    cluster.name = "self_redirect";
    cluster.protocol = protocol();
    cluster.limits = limits();
    cluster.connect_timeout = 250ms;
    cluster.discovery = Cluster::Discovery::Self;
    cluster.port = kInnerPort;
    return cluster;
  }

  void add_retry(HopPlan& hop) {
    if (!extra_.contains("retry") || !extra_["retry"].is_object()) return;
    const json& from = extra_["retry"];
    proxy::RetryPolicy policy;
    policy.max_retries = from.value("num_retries", 1U);
    std::istringstream words(from.value("retry_on", ""));
    for (std::string word; std::getline(words, word, ',');) {
      if (!add_condition(policy, word)) fail("the retry condition " + word);
      if (word != "retriable-status-codes") continue;
      for (const json& status : from.value("retriable_status_codes", json::array())) {
        policy.statuses.insert(status.get<std::uint16_t>());
      }
    }
    if (from.contains("per_try_timeout")) policy.per_try_timeout = seconds(from["per_try_timeout"]);
    if (from.contains("retry_back_off")) {
      const json& back_off = from["retry_back_off"];
      policy.backoff_base = seconds(back_off.at("base_interval"));
      policy.backoff_most = back_off.contains("max_interval") ? seconds(back_off["max_interval"])
                                                              : policy.backoff_base * 10;
    }
    for (proxy::Route& route : hop.routes.hosts.front().routes) route.retry = policy;
  }

  /// Source: ENV-POOL-34.
  void limit_connections(HopPlan& ingress) {
    for (const json& filter : extra_.value("net_filters", json::array())) {
      if (filter.value("name", "") != "envoy.filters.network.connection_limit") {
        fail("the network filter " + filter.dump());
        return;
      }
      const json& settings = filter.at("typed_config");
      ingress.connection_limit = {
          settings.at("max_connections").get<std::uint32_t>(),
          settings.contains("delay") ? seconds(settings["delay"]) : Duration{}};
    }
    if (!extra_.contains("bootstrap")) return;
    const json& bootstrap = extra_["bootstrap"];
    static const json::json_pointer kLimit(
        "/layered_runtime/layers/0/static_layer/envoy/resource_limits/listener/ingress/"
        "connection_limit");
    if (!bootstrap.contains(kLimit)) {
      fail("the bootstrap " + bootstrap.dump());
      return;
    }
    ingress.connection_limit = {bootstrap.at(kLimit).get<std::uint32_t>(), Duration{}};
  }

  const json& config_;
  json extra_;
  PoolPlan out_;
};

}  // namespace

std::string pool_host_name(std::size_t number) {
  return fmt::format("host{}", number);
}

PoolPlan pool_plan(const json& config) {
  return Maker(config).make();
}

}  // namespace conformance::recorded
