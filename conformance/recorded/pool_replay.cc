#include "conformance/recorded/pool_replay.h"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <sstream>
#include <vector>

#include <fmt/format.h>

#include "conformance/recorded/pool_client.h"
#include "conformance/recorded/pool_events.h"
#include "conformance/recorded/pool_plan.h"
#include "conformance/recorded/pool_upstream.h"
#include "proxy/gateway.h"
#include "sim/simulation.h"

namespace conformance::recorded {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

// When a step is over.
constexpr world::Duration kQuiet = 80ms;
constexpr world::Duration kLongestStep = 3s;
/// What held handshakes take to end, once they may.
constexpr world::Duration kUnblock = 2300ms;
/// What an HTTP/2 client waits for after its preface.
constexpr world::Duration kPreface = 50ms;

constexpr std::array<std::string_view, 17> kSteps = {
    "send",    "post",   "conn",     "sendon", "h2",     "h2cancel", "cclose", "respond", "abort",
    "upreset", "goaway", "settings", "refuse", "accept", "unblock",  "wait",   "stats"};

/// The words of a step; those with "=" apart.
struct Step {
  std::string verb;
  std::vector<std::string> words;
  PoolClient::Headers settings;

  explicit Step(const std::string& text) {
    std::istringstream in(text);
    in >> verb;
    for (std::string word; in >> word;) {
      const std::size_t equals = word.find('=');
      if (equals == std::string::npos) {
        words.push_back(word);
      } else {
        settings.emplace_back(word.substr(0, equals), word.substr(equals + 1));
      }
    }
  }
  bool has(std::string_view word) const {
    return std::find(words.begin(), words.end(), word) != words.end();
  }
  const std::string& at(std::size_t i) const { return words.at(i); }
};

json counters_of(const proxy::PoolCounts& counts) {
  const std::pair<const char*, std::uint64_t> all[] = {
      {"cx_total", counts.connections_total},
      {"cx_overflow", counts.connection_overflow},
      {"cx_connect_fail", counts.connect_failures},
      {"cx_connect_timeout", counts.connect_timeouts},
      {"cx_max_requests", counts.connections_used_up},
      {"cx_close_notify", counts.close_notifies},
      {"cx_destroy_local", counts.closed_here},
      {"cx_destroy_remote", counts.closed_there},
      {"cx_none_healthy", counts.no_host},
      {"rq_total", counts.requests_total},
      {"rq_pending_total", counts.pending_total},
      {"rq_pending_overflow", counts.pending_overflow},
      {"rq_pending_failure_eject", counts.pending_failures},
      {"rq_timeout", counts.timeouts},
      {"rq_retry", counts.retries_total},
      {"rq_retry_overflow", counts.retry_overflow},
      {"rq_retry_success", counts.retries_succeeded},
      {"rq_retry_limit_exceeded", counts.retry_limits},
      {"rq_cancelled", counts.cancelled},
      {"rq_rx_reset", counts.resets_received},
      {"rq_tx_reset", counts.resets_sent},
      {"rq_completed", counts.completed},
      {"rq_active_overflow", counts.active_overflow},
  };
  json counters = json::object();
  for (const auto& [name, value] : all) {
    if (value != 0) counters[fmt::format("upstream_{}", name)] = value;
  }
  return counters;
}

json gauges_of(const proxy::PoolCounts& counts) {
  return {{"upstream_cx_active", counts.connections},
          {"upstream_rq_active", counts.requests},
          {"upstream_rq_pending_active", counts.pending}};
}

json circuits_of(const proxy::OpenCircuits& open) {
  json circuits = json::object();
  if (open.connections) circuits["cx_open"] = 1;
  if (open.pending) circuits["rq_pending_open"] = 1;
  if (open.requests) circuits["rq_open"] = 1;
  if (open.retries) circuits["rq_retry_open"] = 1;
  return circuits;
}

/// One replay: the world and everything in it.
class PoolReplay {
 public:
  PoolReplay(const json& record, std::uint64_t seed)
      : record_(record),
        made_(pool_plan(record.at("config"))),
        extra_(record.at("config").contains("extra") ? record.at("config")["extra"] : json()),
        simulation_({.seed = seed, .default_link = {}}),
        client_host_(simulation_.add_host("client")),
        gateway_host_(simulation_.add_host("gateway")) {}

  json run() {
    set_up();
    json observed{{"timeline", json::array()}};
    for (const json& text : record_.at("stimulus")) {
      observed["timeline"].push_back(play(text.get<std::string>()));
    }
    const auto clusters = gateway_->clusters();
    observed["counters"] = counters_of(clusters.back().pool);
    observed["access_log"] = log_of(two_hops() ? "/egress" : "/ingress");
    if (two_hops()) {
      observed["counters_self_redirect"] = counters_of(clusters.front().pool);
      observed["access_log_ingress"] = log_of("/ingress");
    }
    return observed;
  }

 private:
  bool two_hops() const { return made_.plan.egress.has_value(); }
  bool flag(const char* name) const { return extra_.is_object() && extra_.value(name, false); }

  void set_up() {
    using Protocol = PoolUpstream::Protocol;
    const bool http1 = record_["config"]["portMapping"]["protocol"] == "http";
    for (std::size_t i = 1; i <= made_.hosts; ++i) {
      sim::Host& host = simulation_.add_host(pool_host_name(i));
      if (flag("upstream_tcp_handshake_held")) {
        simulation_.network().set_link(gateway_host_, host, {.blackhole = true});
      }
      PoolUpstream::Options options;
      options.host = i;
      options.protocol = http1 ? Protocol::Http1 : Protocol::Http2;
      if (extra_.is_object()) {
        options.max_streams =
            extra_.value("upstream_SETTINGS_MAX_CONCURRENT_STREAMS", options.max_streams);
      }
      upstreams_.push_back(std::make_unique<PoolUpstream>(host, options, events_));
      upstreams_.back()->listen(!flag("upstream_refuses"));
      upstream_hosts_.push_back(&host);
    }
    gateway_ = std::make_unique<proxy::Gateway>(
        gateway_host_, std::make_shared<const proxy::GatewayPlan>(made_.plan));
    if (const auto started = gateway_->start(); !started) {
      throw std::runtime_error(started.error().text());
    }
    simulation_.run_for(10ms);
  }

  json play(const std::string& text) {
    const Step step(text);
    began_ = simulation_.now();
    events_.touch(began_);
    const bool done = act(step);
    const bool timed = step.verb == "wait";
    settle();
    json entry = events_.take(text, timed, made_.hosts > 1);
    if (!done) {
      entry["note"] = step.verb == "h2cancel" ? "stream already over" : "not at the upstream";
    }
    if (step.verb == "stats") add_stats(entry);
    return entry;
  }

  /// Lets the world go on until nothing has happened for a while.
  void settle() {
    world::EventLoop& loop = simulation_.loop();
    while (true) {
      const world::TimePoint quiet = std::max(events_.last(), began_) + kQuiet;
      const world::TimePoint until = std::min(quiet, began_ + kLongestStep);
      if (loop.pending() == 0 || loop.next_due() > until) {
        loop.run_until(until);
        return;
      }
      loop.run_one();
    }
  }

  void wait(world::Duration duration) {
    simulation_.run_for(duration);
    began_ = simulation_.now();
    events_.touch(began_);
  }

  world::Endpoint gateway() const {
    return {gateway_host_.address(), made_.plan.ingress.front().port};
  }

  PoolClient& http1_client(const std::string& name) {
    return *(clients_[name] = http1_pool_client(client_host_, gateway(), name, events_));
  }

  PoolClient& http2_client(const std::string& name) {
    auto& client = clients_[name];
    if (client == nullptr) {
      client = http2_pool_client(client_host_, gateway(), name, events_);
      wait(kPreface);
    }
    return *client;
  }

  /// False: there was nothing that it could be done to.
  bool act(const Step& step) {
    const std::string& verb = step.verb;
    if (verb == "send") {
      request(http1_client(step.at(0)), {{step.at(0), step.settings, 0}});
    } else if (verb == "post") {
      request(http1_client(step.at(0)), {{step.at(0), step.settings, std::stoul(step.at(1))}});
    } else if (verb == "conn") {
      http1_client(step.at(0));
    } else if (verb == "sendon") {
      request(*clients_.at(step.at(0)), {{step.at(1), step.settings, 0}});
    } else if (verb == "h2") {
      PoolClient& client = http2_client(step.at(0));
      std::vector<PoolClient::Request> requests;
      for (std::size_t i = 1; i < step.words.size(); ++i) {
        requests.push_back({step.at(i), step.settings, 0});
      }
      request(client, requests);
    } else if (verb == "h2cancel") {
      gone_.push_back(step.at(1));
      return clients_.at(step.at(0))->cancel(step.at(1));
    } else if (verb == "cclose") {
      PoolClient& client = *clients_.at(step.at(0));
      for (std::string& id : client.open_requests()) gone_.push_back(std::move(id));
      client.close(step.has("rst"));
    } else if (verb == "wait") {
      wait(std::chrono::round<world::Duration>(
          std::chrono::duration<double>(std::stod(step.at(0)))));
    } else if (verb == "unblock") {
      for (sim::Host* host : upstream_hosts_) {
        simulation_.network().set_link(gateway_host_, *host, {});
      }
      wait(kUnblock);
    } else {
      return act_upstream(step);
    }
    return true;
  }

  bool act_upstream(const Step& step) {
    const std::string& verb = step.verb;
    if (verb == "stats") return true;
    if (verb == "refuse" || verb == "accept") {
      for (const auto& upstream : upstreams_) upstream->listen(verb == "accept");
      return true;
    }
    if (verb == "settings") {
      return upstreams_.front()->send_settings(static_cast<std::uint32_t>(std::stoul(step.at(0))));
    }
    const std::string& id = step.at(0);
    PoolUpstream& at = upstream_of(id);
    const auto number = [&step](std::size_t i) {
      return static_cast<std::uint32_t>(std::stoul(step.at(i)));
    };
    if (verb == "respond") {
      int status = 200;
      for (const std::string& word : step.words) {
        if (word != id && word.find_first_not_of("0123456789") == std::string::npos) {
          status = std::stoi(word);
        }
      }
      return at.respond(id, status, step.has("close"), step.has("fin"));
    }
    if (verb == "abort") return at.abort(id, step.has("rst"));
    if (verb == "upreset") return at.reset_stream(id, number(1));
    const std::uint32_t code = step.words.size() > 1 ? number(1) : 0;
    return at.goaway(id, code, step.words.size() > 2 ? std::int64_t{number(2)} : -1);
  }

  PoolUpstream& upstream_of(const std::string& id) {
    const auto found = std::max_element(
        upstreams_.begin(), upstreams_.end(),
        [&id](const auto& a, const auto& b) { return a->newest(id) < b->newest(id); });
    return **found;
  }

  void request(PoolClient& client, const std::vector<PoolClient::Request>& requests) {
    client.send(requests);
  }

  void add_stats(json& entry) const {
    const auto clusters = gateway_->clusters();
    entry["gauges"] = gauges_of(clusters.back().pool);
    if (two_hops()) entry["gauges_self_redirect"] = gauges_of(clusters.front().pool);
    json open = circuits_of(clusters.front().open);
    if (!open.empty()) entry["circuit_open"] = std::move(open);
  }

  /// Of requests that were answered, or whose client has gone.
  json log_of(const std::string& path) const {
    json entries = json::object();
    const auto& files = gateway_host_.files();
    const auto file = files.find(path);
    if (file == files.end()) return entries;
    std::istringstream lines(file->second);
    for (std::string line; std::getline(lines, line);) {
      const json read = json::parse(line);
      if (!read.at("id").is_string()) continue;
      const std::string id = read["id"];
      if (!events_.answered(id) && std::find(gone_.begin(), gone_.end(), id) == gone_.end()) {
        continue;
      }
      json entry = json::object();
      for (const auto& [name, value] : read.items()) {
        const bool empty = value.is_null() || value == "-" || value == "";
        if (name != "id" && !empty && !(name == "attempts" && value == 1)) entry[name] = value;
      }
      entry.erase(entry.value("attempts", 2) == 0 ? "attempts" : "");
      entries[id] = std::move(entry);
    }
    return entries;
  }

  const json& record_;
  PoolPlan made_;
  json extra_;
  sim::Simulation simulation_;
  sim::Host& client_host_;
  sim::Host& gateway_host_;
  PoolEvents events_;
  std::vector<sim::Host*> upstream_hosts_;
  std::vector<std::unique_ptr<PoolUpstream>> upstreams_;
  std::unique_ptr<proxy::Gateway> gateway_;
  std::map<std::string, std::unique_ptr<PoolClient>> clients_;
  std::vector<std::string> gone_;  // ids whose client has left
  world::TimePoint began_{};       // of the present step
};

}  // namespace

std::string unsupported_pool(const json& record) {
  for (const json& text : record.at("stimulus")) {
    const Step step(text.get<std::string>());
    if (std::find(kSteps.begin(), kSteps.end(), step.verb) == kSteps.end()) {
      return "the step " + text.get<std::string>();
    }
  }
  return pool_plan(record.at("config")).error;
}

json replay_pool(const json& record, std::uint64_t seed) {
  return PoolReplay(record, seed).run();
}

}  // namespace conformance::recorded
