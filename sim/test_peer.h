#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/simulation.h"
#include "world/transport.h"

namespace sim {

/// "2ms", "1500us", "7ns": the largest unit that loses nothing.
inline std::string text_of(world::Duration time) {
  const auto ns = time.count();
  if (ns % 1'000'000'000 == 0 && ns != 0) return std::to_string(ns / 1'000'000'000) + "s";
  if (ns % 1'000'000 == 0) return std::to_string(ns / 1'000'000) + "ms";
  if (ns % 1000 == 0) return std::to_string(ns / 1000) + "us";
  return std::to_string(ns) + "ns";
}

/// A user of one end of a connection, for tests: writes down what it is told, and when.
struct TestPeer final : world::TransportEvents {
  explicit TestPeer(Simulation& of) : simulation(of) {}

  /// What it was told: "connected@2ms data5@3ms end@4ms".
  std::string log;
  std::string bytes;
  std::unique_ptr<world::Transport> transport;
  /// Done after the note was taken. By the first word of the note.
  std::function<void(std::string_view event)> then = [](std::string_view) {};

  void on_connected() override { note("connected", ""); }
  void on_data(std::string_view data) override {
    bytes += data;
    note("data", std::to_string(data.size()));
  }
  void on_end() override { note("end", ""); }
  void on_error(std::error_code error) override {
    const std::string message = error.message();
    note(message.substr(message.rfind(' ') + 1) == "peer" ? "reset" : message, "");
  }
  void on_drained() override { note("drained", ""); }

 private:
  void note(const std::string& event, const std::string& detail) {
    if (!log.empty()) log += ' ';
    log += event + detail + "@" + text_of(simulation.now().time_since_epoch());
    const auto act = then;  // the peer may be destroyed by it
    act(event);
  }

  Simulation& simulation;
};

/// Listens and keeps what was accepted, for tests.
struct TestServer final : world::AcceptEvents {
  TestServer(Simulation& of, Host& on, std::uint16_t port = 80, std::uint32_t address = 0)
      : simulation(of), host(on) {
    auto result = host.listen({address, port}, *this);
    if (result) listener = std::move(result).value();
  }

  std::vector<std::unique_ptr<TestPeer>> accepted;
  /// Done with each as it is accepted.
  std::function<void(TestPeer&)> setup = [](TestPeer&) {};
  std::string log;  ///< "3ms 3ms": when each was accepted.
  Simulation& simulation;
  Host& host;
  std::unique_ptr<world::Listener> listener;

  void on_accept(std::unique_ptr<world::Transport> transport) override {
    accepted.push_back(std::make_unique<TestPeer>(simulation));
    TestPeer& peer = *accepted.back();
    peer.transport = std::move(transport);
    peer.transport->set_events(peer);
    log += (log.empty() ? "" : " ") + text_of(simulation.now().time_since_epoch());
    setup(peer);
  }
};

/// Two hosts one millisecond apart, and a server on port 80 of the second.
struct TestPair {
  explicit TestPair(const SimulationOptions& options = {}) : simulation(options) {}

  Simulation simulation;
  Host& client_host = simulation.add_host("client");
  Host& server_host = simulation.add_host("server");
  TestServer server{simulation, server_host};
  TestPeer client{simulation};

  world::Endpoint remote(std::uint16_t port = 80) const { return {server_host.address(), port}; }
  void connect(std::uint16_t port = 80) {
    client.transport = client_host.connect(remote(port), client);
  }
  /// Connected, accepted, and nothing under way: at 3 ms.
  TestPeer& establish() {
    connect();
    simulation.run();
    client.log.clear();
    return *server.accepted.at(0);
  }
  void set_links(const LinkOptions& options) {
    simulation.network().set_link(client_host, server_host, options);
    simulation.network().set_link(server_host, client_host, options);
  }
  void run_to(world::Duration since_start) { simulation.run_until(world::TimePoint(since_start)); }
};

}  // namespace sim
