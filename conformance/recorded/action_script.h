#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "conformance/recorded/action_client.h"
#include "conformance/recorded/action_events.h"
#include "conformance/recorded/action_readings.h"
#include "conformance/recorded/action_upstream.h"
#include "conformance/recorded/agenda.h"
#include "proxy/gateway.h"
#include "sim/simulation.h"

namespace conformance::recorded {

/// What may be one way or the other in a script's world.
struct ActionChance {
  std::uint64_t seed = 0;
  std::size_t first_host = 0;  ///< The round robin begins with the one of that number.
};

/// Runs a script of actions: the world, the gateway in it, its clients and upstreams.
class ActionScript {
 public:
  explicit ActionScript(const ActionChance& chance);
  ~ActionScript();

  /// Runs a step. The result; null: it has none. Throws NotSupported for what cannot be played.
  nlohmann::json run(const nlohmann::json& step);
  /// The results that came later than their steps, with these.
  std::vector<std::pair<nlohmann::json, nlohmann::json>> take_late_results() {
    return std::exchange(late_, {});
  }
  /// Lets what is still under way come to its end.
  void finish();
  /// How many endpoints the gateway has.
  std::size_t hosts() const { return std::max<std::size_t>(1, upstreams_.size()); }

 private:
  using json = nlohmann::json;
  struct Verb;
  static const std::vector<Verb>& verbs();

  // Setting up, and the process.
  json set_gateway(const json& step);
  json set_upstream(const json& step);
  json start(const json& step);
  json stop(const json& step);
  json admin(const json& step);
  json signal(const json& step);
  json wait_exit(const json& step);
  void exit();

  // The client.
  json connect(const json& step);
  json exchange(const json& step);
  json ticket(const json& step);
  json tls_close(const json& step);
  json renegotiate(const json& step);
  json secret_file(const json& step);
  json send(const json& step);
  json request(const json& step);
  json read_head(const json& step);
  json read_to_end(const json& step);
  json shutdown_write(const json& step);
  json close(const json& step);
  json try_connect(const json& step);
  json requests_one_by_one(const json& step);
  json steady_requests(const json& step);
  json at_ms(const json& step);

  // Time, and what is seen.
  json wait(const json& step);
  json settle(const json& step);
  json watch(const json& step);
  json mark(const json& step);
  json respond(const json& step);
  json wait_until_zero(const json& step);
  json run_until_probes_done(const json& step);
  json poll_until_listening(const json& step);
  json read(const json& step);
  json read_stats(const json& step);

  /// Lets time go on until `done` holds, or for that long. True: it holds.
  bool run_until(const std::function<bool()>& done, world::Duration most);
  void run_for(world::Duration time);
  /// Looks at what only time shows: probes that ended.
  void observe();

  std::unique_ptr<ActionClient> new_client(const std::string& name, ActionClient::Protocol protocol,
                                           const json& tls = nullptr);
  /// Connects, and waits until it is known whether that went well.
  ActionClient& open_client(const std::string& name, ActionClient::Protocol protocol);
  ActionClient* find_client(const json& name);
  /// The answer to a request on that client, if it comes in time.
  const Answer* ask(ActionClient& client, const std::string& id, world::Duration most);
  /// The number of the endpoint that had the request; 0: none.
  std::size_t host_of(const std::string& id) const;
  json answer_result(const std::string& id, const Answer* answer) const;
  std::vector<ActionLogLine> log(const std::string& file = "/access-log-") const;
  json read_upstream_tls(const std::string& what) const;
  std::string peer_text(const std::string& address) const;
  json health_flags() const;
  Statistics statistics() const;
  std::size_t probes_arrived() const;
  world::TimePoint now() const { return simulation_.now(); }

  sim::Simulation simulation_;
  sim::Host& client_host_;
  sim::Host& gateway_host_;
  std::size_t first_host_;
  EventLog events_;
  Agenda agenda_;
  ActionCertificates certificates_;
  ActionSecrets secrets_{certificates_};
  json gateway_settings_ = json::object();
  std::map<std::size_t, json> upstream_settings_;  // by host, from 1
  std::map<std::size_t, std::unique_ptr<ActionUpstream>> upstreams_;
  std::shared_ptr<const proxy::GatewayPlan> plan_;
  std::unique_ptr<proxy::Gateway> gateway_;
  std::map<std::string, std::unique_ptr<ActionClient>> clients_;
  std::vector<std::unique_ptr<ActionClient>> other_clients_;
  std::map<std::string, std::size_t> marks_;
  std::vector<std::pair<json, json>> late_;
  std::size_t pending_ = 0;  // requests of at_ms
  std::uint64_t failed_probes_ = 0;
  json probe_rows_ = json::array();
  std::size_t processes_ = 0;
  world::TimePoint started_at_{};
  world::TimePoint ready_at_{};
  world::TimePoint step_at_{};
  world::TimePoint previous_step_at_{};
  std::optional<world::TimePoint> signalled_at_;
  std::optional<world::TimePoint> exited_at_;
};

}  // namespace conformance::recorded
