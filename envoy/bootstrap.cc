#include "envoy/bootstrap.h"

#include <utility>

#include <fmt/format.h>

#include "envoy/clusters.h"
#include "envoy/routes.h"
#include "envoy/tls.h"

namespace envoy {
namespace {

using proxy::AccessLogPlan;
using proxy::HopPlan;

constexpr const char* kAnyAddress = "0.0.0.0";
constexpr const char* kOwnAddress = "127.0.0.1";
constexpr int kRegexSize = 1000;  // CD-02
constexpr const char* kManager =
    "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";

/// What only the recorded cases set; empty: nothing.
std::string beyond_a_mesh(const HopPlan& hop) {
  if (hop.connection_limit) return "a connection limit";
  if (hop.proxy_protocol != HopPlan::ProxyProtocol::No) return "the PROXY protocol";
  if (hop.connection_log) return "a log of connections";
  return {};
}

Json access_log(const AccessLogPlan& from) {
  Json members = {{"path", from.path}};
  if (from.kind == AccessLogPlan::Kind::Text) {
    members["log_format"]["text_format_source"]["inline_string"] = from.text;
  }
  if (from.kind == AccessLogPlan::Kind::Json) {
    Json& format = members["log_format"]["json_format"] = Json::object();
    for (const auto& [key, text] : from.json) format[key] = text;
  }
  return extension("envoy.access_loggers.file",
                   "envoy.extensions.access_loggers.file.v3.FileAccessLog", std::move(members));
}

/// A log of whom the bootstrap is watched by; JSON, so that no text can break a line.
Json watch_log(const std::string& path) {
  Json format = Json::object();
  for (const auto& [name, text] : kWatchedFields) format[name] = text;
  return extension("envoy.access_loggers.file",
                   "envoy.extensions.access_loggers.file.v3.FileAccessLog",
                   {{"path", path}, {"log_format", {{"json_format", std::move(format)}}}});
}

Json at_the_end() {
  return {{"log_type_filter", {{"types", Json::array({"DownstreamEnd"})}}}};
}

/// The timers that are not Envoy's own. Source: CD-03.
void set_timers(Json& manager, const proxy::HopTimers& timers) {
  static const proxy::HopTimers kOwn;
  const auto set = [](Json& where, const char* name, world::Duration value, world::Duration own) {
    if (value != own) where[name] = text_of(value);
  };
  set(manager, "stream_idle_timeout", timers.stream_idle, kOwn.stream_idle);
  set(manager, "delayed_close_timeout", timers.delayed_close, kOwn.delayed_close);
  set(manager, "drain_timeout", timers.drain, kOwn.drain);
  set(manager, "request_timeout", timers.request, kOwn.request);
  set(manager, "request_headers_timeout", timers.request_headers, kOwn.request_headers);
  Json common = Json::object();
  set(common, "idle_timeout", timers.connection_idle, kOwn.connection_idle);
  set(common, "max_connection_duration", timers.max_connection, kOwn.max_connection);
  set(common, "max_stream_duration", timers.max_stream, kOwn.max_stream);
  if (timers.max_requests_per_connection != 0) {
    common["max_requests_per_connection"] = timers.max_requests_per_connection;
  }
  if (!common.empty()) manager["common_http_protocol_options"] = std::move(common);
}

Json connection_manager(const HopPlan& hop, const BootstrapOptions& options) {
  Json out = {{"stat_prefix", hop.name},
              {"codec_type", hop.accept_http1 ? "AUTO" : "HTTP2"},
              {"normalize_path", true},
              {"merge_slashes", true},
              {"path_with_escaped_slashes_action", "KEEP_UNCHANGED"},
              {"use_remote_address", hop.use_remote_address}};
  if (hop.websocket) out["upgrade_configs"] = Json::array({{{"upgrade_type", "websocket"}}});
  if (hop.allow_connect) out["http2_protocol_options"] = {{"allow_connect", true}};
  set_timers(out, hop.timers);
  if (hop.access_log) out["access_log"] = Json::array({access_log(*hop.access_log)});
  if (!options.watch_log.empty()) {
    // A request's begin is for the watch log alone.
    if (hop.access_log) out["access_log"][0]["filter"] = at_the_end();
    out["access_log"].push_back(watch_log(options.watch_log));
    out["access_log_options"] = {{"flush_access_log_on_new_request", true}};
  }
  out["route_config"] = route_configuration(fmt::format("rds_{}_http_{}", hop.name, hop.port), hop);
  out["http_filters"] = Json::array(
      {extension("envoy.filters.http.router", "envoy.extensions.filters.http.router.v3.Router")});
  return out;
}

/// One chain for TLS, one for plain text, or both: the inspector tells them apart. Source: CD-10.
Json filter_chains(const HopPlan& hop, const BootstrapOptions& options, Tls& tls) {
  const Json filters = Json::array({extension("envoy.filters.network.http_connection_manager",
                                              kManager, connection_manager(hop, options))});
  const Json plain = {{"filters", filters}};
  if (!hop.tls || hop.tls_mode == HopPlan::TlsMode::Disabled) return Json::array({plain});
  Json secure = {{"filters", filters}, {"transport_socket", tls.of_listener(*hop.tls)}};
  if (hop.tls_mode == HopPlan::TlsMode::Strict) return Json::array({std::move(secure)});
  secure["filter_chain_match"] = {{"transport_protocol", "tls"}};
  return Json::array({std::move(secure), plain});
}

Json listener(const HopPlan& hop, const BootstrapOptions& options, Tls& tls) {
  const std::string everywhere = hop.loopback_only ? kOwnAddress : kAnyAddress;
  const bool inward = hop.role == HopPlan::Role::Ingress;
  Json out = {
      {"name", fmt::format("lds_{}_{}_{}", hop.name, kAnyAddress, hop.port)},
      {"address", address(options.address.empty() ? everywhere : options.address, hop.port)},
      {"traffic_direction", inward ? "INBOUND" : "OUTBOUND"},
  };
  if (hop.timers.tls_inspector > world::Duration::zero()) {
    out["listener_filters_timeout"] = text_of(hop.timers.tls_inspector);
    out["listener_filters"] =
        Json::array({extension("envoy.filters.listener.tls_inspector",
                               "envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector")});
  }
  out["filter_chains"] = filter_chains(hop, options, tls);
  if (!options.watch_log.empty()) {
    out["access_log"] = Json::array({watch_log(options.watch_log)});
  }
  return out;
}

Json runtime() {
  return {{"layers",
           Json::array({{{"name", "static_layer_0"},
                         {"static_layer", {{"re2.max_program_size.error_level", kRegexSize}}}}})}};
}

}  // namespace

world::Result<Bootstrap> bootstrap(const proxy::GatewayPlan& plan,
                                   const BootstrapOptions& options) {
  std::vector<const HopPlan*> hops;
  for (const HopPlan& hop : plan.ingress) hops.push_back(&hop);
  if (plan.egress) hops.push_back(&*plan.egress);

  Bootstrap out;
  Tls tls(options.folder);
  const std::string own = options.address.empty() ? kOwnAddress : options.address;
  Json listeners = Json::array();
  std::map<std::string, Json> clusters;  // several listeners lead to the same nodes in a single hop
  for (const HopPlan* hop : hops) {
    if (const std::string what = beyond_a_mesh(*hop); !what.empty()) {
      return world::Error{
          {},
          fmt::format("the {} of {} has {}, which is not exported", hop->name, plan.gateway, what)};
    }
    listeners.push_back(listener(*hop, options, tls));
    for (const proxy::Cluster& from : hop->clusters) {
      if (clusters.contains(from.name)) continue;
      clusters[from.name] = cluster(from, own, tls, out.notes);
    }
  }
  if (plan.egress && !plan.egress->loopback_only && options.address.empty()) {
    out.notes.push_back(fmt::format(
        "the second hop listens on {}:{}, as App Mesh's: whoever reaches it goes around the "
        "gateway's routes",
        kAnyAddress, plan.egress->port));
  }
  Json resources = {{"listeners", std::move(listeners)}, {"clusters", Json::array()}};
  for (auto& [name, one] : clusters) resources["clusters"].push_back(std::move(one));

  const std::string identity = fmt::format("mesh/{}/virtualGateway/{}", plan.mesh, plan.gateway);
  out.files = tls.files();
  out.secrets = tls.secrets();
  out.notes.insert(out.notes.end(), tls.notes().begin(), tls.notes().end());
  out.files["envoy.json"] = {{"node", {{"id", identity}, {"cluster", identity}}},
                             {"admin", {{"address", address(own, options.admin_port)}}},
                             {"layered_runtime", runtime()},
                             {"static_resources", std::move(resources)}};
  if (!options.address.empty()) {
    out.files["envoy.json"]["cluster_manager"]["upstream_bind_config"]["source_address"] = {
        {"address", own}, {"port_value", 0}};
  }
  return out;
}

}  // namespace envoy
