#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "conformance/recorded/client_script.h"
#include "conformance/recorded/h2_client_script.h"
#include "conformance/recorded/pace.h"
#include "conformance/recorded/upstream_script.h"
#include "sim/simulation.h"

namespace conformance::recorded {

/// The scripted client talking straight to the scripted upstream, without a gateway, for tests.
class TestPair {
 public:
  using Protocol = ScriptedUpstream::Protocol;
  explicit TestPair(const nlohmann::json& script, Protocol protocol = Protocol::Http1)
      : upstream_(server_, "u1", protocol, script, seen) {
    upstream_.start(kPort);
  }

  /// The same with the HTTP/2 client. Gives what it observed.
  nlohmann::json run_http2(const nlohmann::json& stimulus) {
    Http2ScriptedClient client(client_, {server_.address(), kPort}, stimulus,
                               [this](const std::function<bool()>& done, world::TimePoint until) {
                                 return run_until(simulation, done, until);
                               });
    client.run();
    ended_at = simulation.now().time_since_epoch();
    simulation.run();
    return client.observed();
  }

  /// Runs the steps from the start of the world to its end. Gives the connection's state.
  std::string run(const nlohmann::json& steps) {
    ScriptedClient client(client_, {server_.address(), kPort},
                          [this](const std::function<bool()>& done, world::TimePoint deadline) {
                            return run_until(simulation, done, deadline);
                          });
    client.run(steps, "9080");
    ended_at = simulation.now().time_since_epoch();
    received = client.received();
    simulation.run();
    return client.connection_state();
  }

  sim::Simulation simulation{{.default_link = {}}};
  std::vector<Seen> seen;
  std::string received;
  world::Duration ended_at{};  ///< When the client was through with its steps.

 private:
  static constexpr std::uint16_t kPort = 8080;

  sim::Host& client_ = simulation.add_host("client");
  sim::Host& server_ = simulation.add_host("server");
  ScriptedUpstream upstream_;
};

}  // namespace conformance::recorded
