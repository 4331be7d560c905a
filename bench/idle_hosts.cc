// 1,000 hosts that listen and do nothing, for a simulated hour. Run: bin/idle_hosts [hosts]

#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "sim/simulation.h"

namespace {

struct Nobody final : world::AcceptEvents {
  void on_accept(std::unique_ptr<world::Transport>) override {}
};

}  // namespace

int main(int argc, char** argv) {
  const int count = argc > 1 ? std::atoi(argv[1]) : 1000;
  sim::Simulation simulation;
  Nobody nobody;
  std::vector<std::unique_ptr<world::Listener>> listeners;
  for (int i = 0; i < count; ++i) {
    sim::Host& host = simulation.add_host(fmt::format("host-{}", i));
    listeners.push_back(host.listen({0, 80}, nobody).value());
  }
  // Wall time is this program's subject; the world itself never sees it.
  const auto start = std::chrono::steady_clock::now();
  simulation.run_for(std::chrono::hours(1));
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
  fmt::print("hosts={} simulated={}s run_ms={:.4f}\n", count,
             simulation.now().time_since_epoch() / std::chrono::seconds(1), took.count());
  return 0;
}
