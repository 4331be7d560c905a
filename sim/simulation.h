#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sim/host.h"
#include "sim/link.h"
#include "sim/names.h"
#include "sim/network.h"
#include "world/event_loop.h"
#include "world/random.h"
#include "world/trace.h"

namespace sim {

struct SimulationOptions {
  std::uint64_t seed = 0;
  LinkOptions default_link{.latency = std::chrono::milliseconds(1)};
  /// Between ends on one host, the gateway's two hops among them.
  LinkOptions loopback{};
  /// What the calendar shows at the start: 2026-01-01T00:00:00Z.
  world::CalendarTime calendar_start{std::chrono::seconds(1'767'225'600)};
  /// How many tasks may run at one instant before the run is declared stuck.
  std::uint64_t instant_limit = 1'000'000;
};

/// One simulated world: a clock, a network of hosts, names, a seed and a trace.
///
/// Worlds share nothing: two in one process cannot see each other, and the same calls with the
/// same seed leave the same trace. What lives on the hosts (clients, gateways, services) is owned
/// by the caller and must be destroyed before the simulation.
class Simulation {
 public:
  explicit Simulation(const SimulationOptions& options = {});
  ~Simulation();
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  /// Adds a host with the next free address (10.0.0.1, 10.0.0.2, ...) and a name that resolves to
  /// it. Requires: no other host of this world has that name.
  Host& add_host(std::string name);
  /// The host of that name, or nullptr.
  Host* find_host(std::string_view name);
  /// The name of a host by its number in the trace; "world" for 0.
  std::string_view host_name(world::HostId id) const;

  world::EventLoop& loop() { return loop_; }
  world::TimePoint now() const { return loop_.now(); }
  world::Trace& trace() { return trace_; }
  Network& network() { return network_; }
  Names& names() { return names_; }
  const world::Random& random() const { return random_; }

  /// Runs until nothing is left to do, or the loop is stuck.
  void run() {
    while (loop_.run_one()) {
    }
  }
  void run_until(world::TimePoint deadline) { loop_.run_until(deadline); }
  void run_for(world::Duration duration) { loop_.run_until(loop_.now() + duration); }

 private:
  friend class Host;

  std::vector<Host*>::iterator place_of(std::string_view name);

  SimulationOptions options_;
  world::EventLoop loop_;
  world::Trace trace_;
  world::Random random_;
  Network network_;
  Names names_;
  std::vector<std::unique_ptr<Host>> hosts_;  // by number, from 1
  std::vector<Host*> by_name_;                // in order of their names
};

}  // namespace sim
