#include "conformance/recorded/replay.h"

#include <algorithm>
#include <array>
#include <memory>

#include <fmt/format.h>

#include "conformance/latin1.h"
#include "conformance/recorded/client_script.h"
#include "conformance/recorded/placeholders.h"
#include "conformance/recorded/upstream_script.h"
#include "document/parse.h"
#include "mesh/read.h"
#include "proxy/compile.h"
#include "proxy/gateway.h"
#include "sim/simulation.h"

namespace conformance::recorded {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

constexpr std::uint16_t kGatewayPort = 9080;
constexpr std::uint16_t kUpstreamPort = 8080;
constexpr char kLine = '\x1e';   // between the default line and the fields
constexpr char kField = '\x1f';  // between fields

/// The members of a record's access log, and how the real proxy's format says them.
constexpr std::array<std::pair<const char*, const char*>, 17> kFields = {{
    {"code", "%RESPONSE_CODE%"},
    {"flags", "%RESPONSE_FLAGS%"},
    {"details", "%RESPONSE_CODE_DETAILS%"},
    {"term", "%CONNECTION_TERMINATION_DETAILS%"},
    {"proto", "%PROTOCOL%"},
    {"method", "%REQ(:METHOD)%"},
    {"path", "%REQ(:PATH)%"},
    {"origpath", "%REQ(X-ENVOY-ORIGINAL-PATH)%"},
    {"authority", "%REQ(:AUTHORITY)%"},
    {"rx", "%BYTES_RECEIVED%"},
    {"tx", "%BYTES_SENT%"},
    {"attempts", "%UPSTREAM_REQUEST_ATTEMPT_COUNT%"},
    {"cluster", "%UPSTREAM_CLUSTER%"},
    {"upstream", "%UPSTREAM_HOST%"},
    {"transport", "%UPSTREAM_TRANSPORT_FAILURE_REASON%"},
    {"grpc", "%GRPC_STATUS%"},
    {"route", "%ROUTE_NAME%"},
}};

std::string log_format() {
  std::string format =
      "[<TIME>] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" "
      "%RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% <MS> "
      "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\" "
      "\"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\"";
  format += kLine;
  for (const auto& [name, value] : kFields) {
    format += value;
    format += kField;
  }
  return format + "\n";
}

/// "0.3s", "15s".
world::Duration duration_of(const std::string& text) {
  return world::Duration(static_cast<std::int64_t>(std::stod(text) * 1e9 + 0.5));
}

/// Applies the settings of the measurement to one hop.
void apply_settings(proxy::HopPlan& hop, const json& settings) {
  proxy::HopTimers& timers = hop.timers;
  const auto set = [&](const char* name, world::Duration& timer) {
    if (settings.contains(name)) timer = duration_of(settings[name].get<std::string>());
  };
  set("idle_timeout", timers.connection_idle);
  set("stream_idle_timeout", timers.stream_idle);
  set("request_timeout", timers.request);
  set("request_headers_timeout", timers.request_headers);
  set("drain_timeout", timers.drain);
  if (settings.contains("max_requests_per_connection")) {
    timers.max_requests_per_connection = settings["max_requests_per_connection"];
  }
}

std::string protocol_of(const json& listener_holder) {
  const json& spec = listener_holder["spec"];
  if (!spec.contains("listeners") || spec["listeners"].empty()) return "http";
  return spec["listeners"][0]["portMapping"]["protocol"];
}

/// What keeps a record from being replayed; empty if nothing does.
std::string unsupported(const json& record) {
  if (record["stimulus"]["proto"] != "h1") return "an HTTP/2 client";
  if (protocol_of(record["config"]["virtualGateway"]) != "http") return "an HTTP/2 listener";
  for (const json& node : record["config"]["virtualNodes"]) {
    if (protocol_of(node) != "http") return "an HTTP/2 upstream";
  }
  for (const auto& [name, script] : record["upstream_script"].items()) {
    if (script.value("proto", "h1") != "h1") return "an HTTP/2 upstream";
  }
  return {};
}

world::Result<mesh::Mesh, world::Errors> read_mesh(const json& config) {
  json resources = json::object();
  resources["virtualGateways"] = json::array({config["virtualGateway"]});
  for (const char* kind : {"gatewayRoutes", "virtualServices", "virtualRouters", "virtualNodes"}) {
    if (config.contains(kind)) resources[kind] = config[kind];
  }
  auto parsed = document::parse(resources.dump(), "config");
  if (!parsed) return parsed.error();
  mesh::ReadOptions options;
  options.recorded_cases = true;
  options.era = mesh::Era::Last;
  options.names.virtual_gateway = config["virtualGateway"]["virtualGatewayName"];
  return mesh::load(std::span(&*parsed, 1), options);
}

/// One replay: the world and everything in it.
class Replay {
 public:
  explicit Replay(const json& record)
      : record_(record),
        simulation_({.default_link = {}}),
        client_(simulation_.add_host("client")),
        gateway_host_(simulation_.add_host("gateway")),
        placeholders_(record["stimulus"].dump(), std::to_string(kGatewayPort)) {}

  /// Errors: the config is no mesh that a gateway can be made from.
  world::Result<json, std::string> run() {
    if (auto problem = set_up(); !problem.empty()) return problem;
    ScriptedClient client(client_, {gateway_host_.address(), kGatewayPort},
                          [this](const std::function<bool()>& done, world::TimePoint deadline) {
                            return run_until(done, deadline);
                          });
    client.run(record_["stimulus"]["steps"], std::to_string(kGatewayPort));
    run_until([] { return false; }, simulation_.now() + 500ms);

    json observed;
    observed["client"] = {{"raw", to_utf8(placeholders_.message(client.received()))},
                          {"connection", client.connection_state()}};
    observed["upstream"] = json::array();
    for (const json& seen : seen_) {
      json entry = seen;
      for (const char* bytes : {"request", "partial", "extra", "tunnel"}) {
        if (!entry.contains(bytes)) continue;
        entry[bytes] = to_utf8(placeholders_.message(to_latin1(entry[bytes].get<std::string>())));
      }
      observed["upstream"].push_back(std::move(entry));
    }
    for (const proxy::HopPlan* hop : hops()) {
      observed["access_log"][hop->name] = access_log(hop->name);
    }
    return observed;
  }

 private:
  std::string set_up() {
    const json& config = record_["config"];
    const auto mesh = read_mesh(config);
    if (!mesh) return "config: " + mesh.error().front().text();
    const bool single = config.value("topology", "gateway") == "single";
    const auto compiled =
        proxy::compile(*mesh, config["virtualGateway"]["virtualGatewayName"].get<std::string>(),
                       {.single_hop = single, .ingress_idle_timeout = true});
    if (!compiled) return compiled.error().message;
    auto plan = std::make_shared<proxy::GatewayPlan>(**compiled);
    adjust(*plan, config.value("x-sim", json::object()));
    plan_ = plan;

    add_upstreams(*plan);
    gateway_ = std::make_unique<proxy::Gateway>(gateway_host_, plan_);
    if (const auto started = gateway_->start(); !started) return started.error().text();
    // As measured: the process is up, and its names are known, before the client comes.
    run_until([] { return false; }, simulation_.now() + 10ms);
    return {};
  }

  void adjust(proxy::GatewayPlan& plan, const json& settings) {
    proxy::HopPlan& ingress = plan.ingress.front();
    std::vector<proxy::HopPlan*> all = {&ingress};
    if (plan.egress) all.push_back(&*plan.egress);
    for (proxy::HopPlan* hop : all) {
      hop->access_log =
          proxy::AccessLogPlan{"/" + hop->name, proxy::AccessLogPlan::Kind::Text, log_format(), {}};
      if (settings.contains(hop->name)) apply_settings(*hop, settings[hop->name]);
      if (!settings.value("websocket", true)) hop->websocket = false;
    }
    if (settings.contains("ingress_timeout")) {
      const auto timeout = duration_of(settings["ingress_timeout"].get<std::string>());
      for (proxy::VirtualHost& host : ingress.routes.hosts) {
        for (proxy::Route& route : host.routes) route.timeout = timeout;
      }
    }
  }

  void add_upstreams(const proxy::GatewayPlan& plan) {
    std::vector<std::string> names;
    for (const proxy::HopPlan* hop : hops_of(plan)) {
      for (const proxy::Cluster& cluster : hop->clusters) {
        for (const auto& [name, port] : cluster.endpoints) names.push_back(name);
      }
    }
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    for (const std::string& name : names) {
      sim::Host& host = simulation_.add_host(name);
      addresses_[host.address()] = name;
      if (name.rfind("dead", 0) == 0) continue;
      if (name.rfind("blackhole", 0) == 0) {
        simulation_.network().set_link(gateway_host_, host, {.blackhole = true});
        continue;
      }
      const json& scripts = record_["upstream_script"];
      const json script =
          scripts.contains(name) ? scripts[name] : scripts.value("*", json::object());
      upstreams_.push_back(std::make_unique<ScriptedUpstream>(host, name, script, seen_));
      upstreams_.back()->start(kUpstreamPort);
    }
  }

  static std::vector<const proxy::HopPlan*> hops_of(const proxy::GatewayPlan& plan) {
    std::vector<const proxy::HopPlan*> hops = {&plan.ingress.front()};
    if (plan.egress) hops.push_back(&*plan.egress);
    return hops;
  }
  std::vector<const proxy::HopPlan*> hops() const { return hops_of(*plan_); }

  bool run_until(const std::function<bool()>& done, world::TimePoint deadline) {
    world::EventLoop& loop = simulation_.loop();
    while (!done()) {
      if (loop.pending() == 0 || loop.next_due() > deadline || loop.stuck()) {
        loop.run_until(deadline);
        return done();
      }
      loop.run_one();
    }
    return true;
  }

  json access_log(const std::string& hop) const {
    json lines = json::array();
    json fields = json::array();
    const auto& files = gateway_host_.files();
    const auto found = files.find("/" + hop);
    std::string_view rest = found == files.end() ? std::string_view() : found->second;
    while (!rest.empty()) {
      const std::size_t end = rest.find('\n');
      add_line(rest.substr(0, end), lines, fields);
      rest.remove_prefix(end + 1);
    }
    return {{"default", lines}, {"json", fields}};
  }

  void add_line(std::string_view line, json& lines, json& all) const {
    const std::size_t split = line.find(kLine);
    std::string text = placeholders_.text(line.substr(0, split));
    // The service time comes after the duration's placeholder.
    constexpr std::string_view kBefore = "<MS> ";
    if (const std::size_t at = text.find(kBefore); at != std::string::npos) {
      const std::size_t from = at + kBefore.size();
      const std::size_t to = text.find(' ', from);
      if (text.substr(from, to - from) != "-") text.replace(from, to - from, "<MS>");
    }
    for (const auto& [address, name] : addresses_) {
      replace_all(text, world::Endpoint{address, kUpstreamPort}.text(), "<UPSTREAM:" + name + ">");
    }
    replace_all(text, "\"127.0.0.1:15001\"", "\"<EGRESS>\"");
    lines.push_back(to_utf8(text));

    json entry;
    std::string_view rest = line.substr(split + 1);
    for (const auto& [name, format] : kFields) {
      const std::size_t end = rest.find(kField);
      entry[name] = field(name, std::string(rest.substr(0, end)));
      rest.remove_prefix(end + 1);
    }
    all.push_back(std::move(entry));
  }

  json field(std::string_view name, const std::string& value) const {
    if (name == "code" || name == "rx" || name == "tx" || name == "attempts") {
      return std::stoll(value);
    }
    if (value == "-") return name == "flags" ? json("-") : json();
    if (name == "cluster") return cluster_name(value);
    if (name == "grpc") return std::stoll(value);
    if (name == "upstream") {
      if (value == "127.0.0.1:15001") return "<EGRESS>";
      for (const auto& [address, upstream] : addresses_) {
        if (value == world::Endpoint{address, kUpstreamPort}.text()) {
          return "<UPSTREAM:" + upstream + ">";
        }
      }
    }
    return to_utf8(placeholders_.text(value));
  }

  /// The measured configuration had names of its own for clusters.
  std::string cluster_name(const std::string& name) const {
    for (const proxy::HopPlan* hop : hops()) {
      for (const proxy::Cluster& cluster : hop->clusters) {
        if (cluster.name != name) continue;
        return cluster.node.empty() ? "self_redirect" : "vn_" + cluster.node;
      }
    }
    return name;
  }

  static void replace_all(std::string& text, const std::string& what, const std::string& by) {
    for (std::size_t at = text.find(what); at != std::string::npos;
         at = text.find(what, at + by.size())) {
      text.replace(at, what.size(), by);
    }
  }

  const json& record_;
  sim::Simulation simulation_;
  sim::Host& client_;
  sim::Host& gateway_host_;
  Placeholders placeholders_;
  std::map<std::uint32_t, std::string> addresses_;
  std::vector<Seen> seen_;
  std::vector<std::unique_ptr<ScriptedUpstream>> upstreams_;
  std::shared_ptr<const proxy::GatewayPlan> plan_;
  std::unique_ptr<proxy::Gateway> gateway_;
};

/// Cuts both down to what is to be compared.
void make_comparable(const json& record, json& expected, json& actual) {
  // Later events at the upstreams, and later log lines, are no difference.
  const auto cut = [](json& list, const json& to) {
    while (list.size() > to.size()) list.erase(list.size() - 1);
  };
  cut(actual["upstream"], expected["upstream"]);
  for (auto& [hop, log] : expected["access_log"].items()) {
    if (!actual["access_log"].contains(hop)) continue;
    for (const char* form : {"default", "json"}) {
      cut(actual["access_log"][hop][form], log[form]);
    }
  }
  for (const json& varying : record["varies"]) {
    const json::json_pointer at(varying.get<std::string>());
    if (expected.contains(at)) expected[at] = nullptr;
    if (actual.contains(at)) actual[at] = nullptr;
  }
}

}  // namespace

Outcome replay(const json& record) {
  Outcome outcome;
  outcome.id = record["id"];
  outcome.area = record["area"];
  outcome.expected = record["observed"];
  outcome.reason = unsupported(record);
  if (!outcome.reason.empty()) {
    outcome.verdict = Outcome::Verdict::Unsupported;
    return outcome;
  }
  Replay world(record);
  auto observed = world.run();
  if (!observed) {
    outcome.actual = {{"error", observed.error()}};
    return outcome;
  }
  outcome.actual = std::move(*observed);
  make_comparable(record, outcome.expected, outcome.actual);
  const bool agree = outcome.expected == outcome.actual;
  outcome.verdict = agree ? Outcome::Verdict::Agree : Outcome::Verdict::Differ;
  return outcome;
}

std::vector<std::string> differences(const json& expected, const json& actual) {
  std::vector<std::string> lines;
  const json flat_expected = expected.flatten();
  const json flat_actual = actual.flatten();
  for (const auto& [pointer, value] : flat_expected.items()) {
    const bool there = flat_actual.contains(pointer);
    if (there && flat_actual[pointer] == value) continue;
    lines.push_back(fmt::format("{}\n  recorded:  {}\n  simulated: {}", pointer, value.dump(),
                                there ? flat_actual[pointer].dump() : "(nothing)"));
  }
  for (const auto& [pointer, value] : flat_actual.items()) {
    if (flat_expected.contains(pointer)) continue;
    lines.push_back(
        fmt::format("{}\n  recorded:  (nothing)\n  simulated: {}", pointer, value.dump()));
  }
  return lines;
}

}  // namespace conformance::recorded
