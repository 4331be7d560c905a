#include "conformance/recorded/replay.h"

#include <algorithm>
#include <memory>

#include "conformance/latin1.h"
#include "conformance/recorded/action_replay.h"
#include "conformance/recorded/client_script.h"
#include "conformance/recorded/h2_client_script.h"
#include "conformance/recorded/log_lines.h"
#include "conformance/recorded/pace.h"
#include "conformance/recorded/placeholders.h"
#include "conformance/recorded/pool_replay.h"
#include "conformance/recorded/support.h"
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

/// What may be one way or the other.
struct Chance {
  std::uint64_t seed = 0;
  std::size_t first_endpoint = 0;  ///< Clusters of several begin with the one of that number.
};

/// In how many ways what chance decides is tried.
constexpr std::uint64_t kSeeds = 4;

/// One way of a replay; the first is the one to show. True: it agrees.
bool take(Outcome& outcome, json expected, json actual, bool first) {
  const bool agrees = agree(expected, actual);
  if (agrees) outcome.verdict = Outcome::Verdict::Agree;
  if (agrees || first) {
    outcome.expected = std::move(expected);
    outcome.actual = std::move(actual);
  }
  return agrees;
}

/// One replay: the world and everything in it.
class Replay {
 public:
  Replay(const json& record, const Chance& chance)
      : record_(record),
        first_endpoint_(chance.first_endpoint),
        simulation_({.seed = chance.seed, .default_link = {}}),
        client_(simulation_.add_host("client")),
        gateway_host_(simulation_.add_host("gateway")),
        placeholders_(record["stimulus"].dump(), std::to_string(kGatewayPort)) {}

  /// Errors: the config is no mesh that a gateway can be made from.
  world::Result<json, std::string> run() {
    if (auto problem = set_up(); !problem.empty()) return problem;
    json observed;
    observed["client"] = play_client();
    simulation_.run_for(500ms);
    observed["upstream"] = json::array();
    for (const json& seen : seen_) observed["upstream"].push_back(with_placeholders(seen));
    const LogLines lines(placeholders_, names());
    for (const proxy::HopPlan* hop : hops()) {
      const auto& files = gateway_host_.files();
      const auto file = files.find("/" + hop->name);
      observed["access_log"][hop->name] = lines.read(file == files.end() ? "" : file->second);
    }
    return observed;
  }

  /// How many turns a round robin may begin with.
  std::size_t first_endpoints() const {
    std::size_t most = 1;
    if (!plan_) return most;
    for (const proxy::HopPlan* hop : hops()) {
      for (const proxy::Cluster& cluster : hop->clusters) {
        most = std::max(most, cluster.endpoints.size());
      }
    }
    return most;
  }

 private:
  /// Runs the client to its end. Gives what it saw.
  json play_client() {
    const json& stimulus = record_["stimulus"];
    const world::Endpoint gateway{gateway_host_.address(), kGatewayPort};
    const auto until = [this](const std::function<bool()>& done, world::TimePoint deadline) {
      return run_until(simulation_, done, deadline);
    };
    if (stimulus.value("proto", "h1") == "h2") {
      Http2ScriptedClient client(client_, gateway, stimulus, until);
      client.run();
      json observed = client.observed();
      for (json& frame : observed["frames"]) frame = frame_with_placeholders(std::move(frame));
      if (observed.contains("trailing_raw")) put_placeholders(observed["trailing_raw"]);
      return observed;
    }
    ScriptedClient client(client_, gateway, until);
    client.run(stimulus["steps"], std::to_string(kGatewayPort));
    return {{"raw", to_utf8(placeholders_.message(client.received()))},
            {"connection", client.connection_state()}};
  }

  void put_placeholders(json& bytes) const {
    bytes = to_utf8(placeholders_.message(to_latin1(bytes.get<std::string>())));
  }

  json frame_with_placeholders(json frame) const {
    if (frame.contains("headers")) {
      for (json& header : frame["headers"]) {
        header[1] = to_utf8(placeholders_.header(to_latin1(header[0].get<std::string>()),
                                                 to_latin1(header[1].get<std::string>())));
      }
    }
    if (frame.contains("data")) {
      frame["data"] = to_utf8(placeholders_.text(to_latin1(frame["data"].get<std::string>())));
    }
    return frame;
  }

  /// An entry of what the upstreams saw.
  json with_placeholders(json entry) const {
    for (const char* bytes : {"request", "partial", "extra", "tunnel"}) {
      if (entry.contains(bytes)) put_placeholders(entry[bytes]);
    }
    if (entry.contains("frame")) entry["frame"] = frame_with_placeholders(entry["frame"]);
    return entry;
  }

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
    simulation_.run_for(10ms);
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
      hop->allow_connect = settings.value("allow_connect", false);
      for (proxy::Cluster& cluster : hop->clusters) {
        if (cluster.endpoints.empty()) continue;
        const auto turns = static_cast<std::ptrdiff_t>(first_endpoint_ % cluster.endpoints.size());
        std::rotate(cluster.endpoints.begin(), cluster.endpoints.begin() + turns,
                    cluster.endpoints.end());
      }
    }
    if (settings.contains("ingress_timeout")) {
      const auto timeout = duration_of(settings["ingress_timeout"].get<std::string>());
      for (proxy::VirtualHost& host : ingress.routes.hosts) {
        for (proxy::Route& route : host.routes) route.timeout = timeout;
      }
    }
  }

  void add_upstreams(const proxy::GatewayPlan& plan) {
    using Protocol = ScriptedUpstream::Protocol;
    std::map<std::string, Protocol> protocols;  // by upstream
    for (const proxy::HopPlan* hop : hops_of(plan)) {
      for (const proxy::Cluster& cluster : hop->clusters) {
        const bool http2 = cluster.protocol == proxy::Protocol::Http2;
        for (const auto& [name, port] : cluster.endpoints) {
          protocols[name] = http2 ? Protocol::Http2 : Protocol::Http1;
        }
      }
    }
    for (const auto& [name, protocol] : protocols) {
      sim::Host& host = simulation_.add_host(name);
      addresses_[host.address()] = name;
      if (name.rfind("dead", 0) == 0) continue;
      if (name.rfind("blackhole", 0) == 0) {
        simulation_.network().set_link(gateway_host_, host, {.blackhole = true});
        continue;
      }
      const json scripts = record_.value("upstream_script", json::object());
      const json script =
          scripts.contains(name) ? scripts[name] : scripts.value("*", json::object());
      upstreams_.push_back(std::make_unique<ScriptedUpstream>(host, name, protocol, script, seen_));
      upstreams_.back()->start(kUpstreamPort);
    }
  }

  static std::vector<const proxy::HopPlan*> hops_of(const proxy::GatewayPlan& plan) {
    std::vector<const proxy::HopPlan*> hops = {&plan.ingress.front()};
    if (plan.egress) hops.push_back(&*plan.egress);
    return hops;
  }
  std::vector<const proxy::HopPlan*> hops() const { return hops_of(*plan_); }

  /// What stands for the addresses and clusters of this world in the records.
  LogLines::Names names() const {
    LogLines::Names names;
    names.addresses["127.0.0.1:15001"] = "<EGRESS>";
    for (const auto& [address, upstream] : addresses_) {
      names.addresses[world::Endpoint{address, kUpstreamPort}.text()] =
          "<UPSTREAM:" + upstream + ">";
    }
    for (const proxy::HopPlan* hop : hops()) {
      for (const proxy::Cluster& cluster : hop->clusters) {
        names.clusters[cluster.name] =
            cluster.node.empty() ? "self_redirect" : "vn_" + cluster.node;
      }
    }
    return names;
  }

  const json& record_;
  std::size_t first_endpoint_;
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

}  // namespace

namespace {

/// Replays a record of http.jsonl with all that chance may decide, until one way agrees.
void replay_http(const json& record, Outcome& outcome) {
  // What chance decides, the recorded run decided in one way of many: which endpoint a round robin
  // begins with, and how long the back-off before a retry is.
  std::size_t first_endpoints = 1;
  for (std::size_t i = 0; i < first_endpoints * kSeeds; ++i) {
    Replay world(record, {.seed = i / first_endpoints, .first_endpoint = i % first_endpoints});
    auto observed = world.run();
    if (i == 0) first_endpoints = world.first_endpoints();
    json expected = record.at("observed");
    json actual = observed ? std::move(*observed) : json{{"error", observed.error()}};
    if (observed) make_comparable(record, expected, actual);
    if (take(outcome, std::move(expected), std::move(actual), i == 0)) break;
  }
}

/// Of traffic.jsonl, area pool. Hosts are named in the order of their use: only back-offs differ.
void replay_pool_record(const json& record, Outcome& outcome) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    if (take(outcome, record.at("observed"), replay_pool(record, seed), seed == 0)) break;
  }
}

/// Of traffic.jsonl, areas hc and life: chance decides which host a round robin begins with, and
/// which answers of a drain close.
void replay_action_record(const json& record, Outcome& outcome) {
  std::size_t hosts = 1;
  for (std::size_t i = 0; i < hosts * kSeeds; ++i) {
    ActionsReplayed replayed = replay_actions(record, i / hosts, i % hosts);
    if (!replayed.unsupported.empty()) {
      outcome.verdict = Outcome::Verdict::Unsupported;
      outcome.reason = std::move(replayed.unsupported);
      return;
    }
    if (i == 0) hosts = replayed.hosts;
    if (take(outcome, std::move(replayed.expected), std::move(replayed.actual), i == 0)) break;
  }
}

/// Whether a script can be played is found out on the way.
std::string unsupported_never(const json&) {
  return {};
}

/// How the records of an area are replayed.
struct Player {
  std::string (*unsupported)(const json& record);
  void (*replay)(const json& record, Outcome& outcome);
};

Player player_of(const std::string& area) {
  if (area == "pool") return {unsupported_pool, replay_pool_record};
  if (area == "hc" || area == "life" || area == "tls")
    return {unsupported_never, replay_action_record};
  return {unsupported, replay_http};
}

}  // namespace

Outcome replay(const json& record) try {
  Outcome outcome;
  outcome.id = record.at("id");
  outcome.area = record.at("area");
  const Player player = player_of(outcome.area);
  outcome.reason = player.unsupported(record);
  if (outcome.reason.empty()) {
    player.replay(record, outcome);
  } else {
    outcome.verdict = Outcome::Verdict::Unsupported;
  }
  return outcome;
} catch (const json::exception& exception) {
  // A member is missing, or is of another type than the vocabulary says.
  Outcome outcome;
  outcome.id = record.value("id", "");
  outcome.area = record.value("area", "");
  outcome.verdict = Outcome::Verdict::Unsupported;
  outcome.reason = std::string("not as in the vocabulary: ") + exception.what();
  return outcome;
}

}  // namespace conformance::recorded
