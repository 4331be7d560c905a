// The whole chain: keep-alive clients -> gateway (both hops) -> service, 1 ms apart.
//
//   chain [requests] [clients] [--no-hash]   64 clients, 100,000 requests
//   chain --curve                            cost of a request by requests, and by connections
//   chain http CLIENTS REQUESTS | timers PENDING EVENTS | idle CONNECTIONS | tiny WORLDS
//
// The second form has the arguments of the programs it is compared with, see bench/README.md.
// Processor time and memory are this program's subject; the worlds themselves never see them.

#include <cstdint>
#include <cstdlib>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "bench/chain_world.h"
#include "bench/cpu_time.h"
#include "bench/resident.h"
#include "peers/client.h"
#include "world/timer.h"

namespace bench {
namespace {

double simulated_seconds(const sim::Simulation& simulation) {
  return static_cast<double>(simulation.now().time_since_epoch().count()) / 1e9;
}

/// Sends its next request when it has the answer to the one before.
class KeepAliveClient final : private peers::ClientObserver {
 public:
  KeepAliveClient(world::World& world, std::shared_ptr<const peers::PreparedRequest> request,
                  std::uint64_t requests)
      : client_(world, {.policy = peers::ConnectionPolicy::One, .observer = this}),
        request_(std::move(request)),
        left_(requests) {
    send_next();
  }
  std::uint64_t good() const { return good_; }

 private:
  void on_outcome(const peers::RequestOutcome& outcome) override {
    if (outcome.ok() && outcome.status == 200 && outcome.body.size() == 64) ++good_;
    send_next();
  }
  void send_next() {
    if (left_ == 0) return;
    --left_;
    client_.send(request_);
  }

  peers::Client client_;
  std::shared_ptr<const peers::PreparedRequest> request_;
  std::uint64_t left_;
  std::uint64_t good_ = 0;
};

struct Outcome {
  std::uint64_t good = 0;
  double cpu = 0;
  double simulated = 0;
  std::string hash;
};

/// What worlds of a sweep share: nothing in it changes.
struct Shared {
  std::shared_ptr<const proxy::GatewayPlan> plan = chain_plan();
  std::shared_ptr<const peers::PreparedRequest> request = chain_request();
  std::shared_ptr<const peers::ServiceScript> script = chain_script();
};

Outcome http(const Shared& shared, std::uint64_t clients, std::uint64_t requests, bool hashing) {
  const double start = cpu_seconds();
  ChainWorld world(shared.plan, shared.script);
  world.simulation.trace().set_hashing(hashing);
  std::vector<std::unique_ptr<KeepAliveClient>> all;
  for (std::uint64_t i = 0; i < clients; ++i) {
    const std::uint64_t share = requests / clients + (i < requests % clients ? 1 : 0);
    all.push_back(std::make_unique<KeepAliveClient>(*world.client_hosts[0], shared.request, share));
  }
  Outcome outcome;
  const auto answered = [&] {
    std::uint64_t good = 0;
    for (const auto& client : all) good += client->good();
    return good;
  };
  // Idle timeouts are left alone: the run ends with the last answer.
  while (world.service.counts().answers < requests && world.simulation.loop().run_one()) {
  }
  world.simulation.run_for(std::chrono::milliseconds(2));
  outcome.good = answered();
  outcome.cpu = cpu_seconds() - start;
  outcome.simulated = simulated_seconds(world.simulation);
  outcome.hash = world.simulation.trace().hash().text();
  return outcome;
}

int report_http(std::uint64_t clients, std::uint64_t requests, bool hashing) {
  const Outcome outcome = http(Shared(), clients, requests, hashing);
  fmt::print("http c={} reqs={} cpu={:.3f}s rps={:.0f} sim={:.3f}s hash={}\n", clients,
             outcome.good, outcome.cpu, static_cast<double>(outcome.good) / outcome.cpu,
             outcome.simulated, hashing ? outcome.hash : "-");
  return outcome.good == requests ? 0 : 1;
}

int timers(std::uint64_t pending, std::uint64_t events) {
  struct Again {
    Again(world::EventLoop& loop, std::uint64_t seed)
        : state(seed * 7919 + 1), timer(loop, 1, world::bind<&Again::due>(this)) {
      due();
    }
    void due() {
      state = state * 6364136223846793005U + 1442695040888963407U;
      timer.start_after(std::chrono::milliseconds(1 + (state >> 33) % 1000));
    }
    std::uint64_t state;
    world::Timer timer;
  };
  world::EventLoop loop;
  std::vector<std::unique_ptr<Again>> all;
  for (std::uint64_t i = 0; i < pending; ++i) all.push_back(std::make_unique<Again>(loop, i));
  const double start = cpu_seconds();
  for (std::uint64_t i = 0; i < events; ++i) loop.run_one();
  const double cpu = cpu_seconds() - start;
  fmt::print("timers pending={} events={} cpu={:.3f}s eps={:.0f}\n", pending, events, cpu,
             static_cast<double>(events) / cpu);
  return 0;
}

int idle(std::size_t connections) {
  const auto hosts = static_cast<int>((connections - 1) / Rota::kConnectionsPerHost) + 1;
  ChainWorld world(chain_plan(), chain_script(), hosts);
  Rota rota(world, connections, std::string(chain_request()->head()));
  const std::size_t before = resident_bytes();
  rota.run(connections, 64);
  world.simulation.run_for(std::chrono::seconds(1));
  const std::size_t after = resident_bytes();
  fmt::print("idle conns={} open={} resident_per_conn={}B answered={}\n", connections,
             world.gateway.counts().downstream_connections, (after - before) / connections,
             rota.answered());
  return rota.answered() == connections ? 0 : 1;
}

int tiny(std::uint64_t worlds) {
  const Shared shared;
  const double start = cpu_seconds();
  for (std::uint64_t i = 0; i < worlds; ++i) {
    if (http(shared, 1, 1, true).good != 1) return 1;
  }
  const double cpu = cpu_seconds() - start;
  fmt::print("tiny sims={} cpu={:.3f}s sims_per_s={:.0f} us_each={:.2f}\n", worlds, cpu,
             static_cast<double>(worlds) / cpu, cpu * 1e6 / static_cast<double>(worlds));
  return 0;
}

/// Linear means: the last column stays the same down each table.
int curve() {
  const Shared shared;
  fmt::print("{:>10} {:>12} {:>8} {:>12}\n", "requests", "connections", "cpu s", "us/request");
  const auto line = [](std::uint64_t requests, std::size_t connections, double cpu) {
    fmt::print("{:>10} {:>12} {:>8.3f} {:>12.3f}\n", requests, connections, cpu,
               cpu * 1e6 / static_cast<double>(requests));
  };
  for (const std::uint64_t requests : {1'000U, 10'000U, 100'000U, 1'000'000U}) {
    const Outcome outcome = http(shared, 64, requests, true);
    if (outcome.good != requests) return 1;
    line(requests, 64, outcome.cpu);
  }
  for (const std::size_t connections : {100U, 1'000U, 10'000U, 100'000U}) {
    // Every connection sends ten requests, 64 connections at a time, and stays open.
    const double start = cpu_seconds();
    const auto hosts = static_cast<int>((connections - 1) / Rota::kConnectionsPerHost) + 1;
    ChainWorld world(shared.plan, shared.script, hosts);
    Rota rota(world, connections, std::string(chain_request()->head()));
    rota.run(connections * 10, 64);
    if (rota.answered() != connections * 10) return 1;
    line(connections * 10, connections, cpu_seconds() - start);
  }
  return 0;
}

int run(const std::vector<std::string_view>& arguments) {
  bool hashing = true;
  bool wants_curve = false;
  std::string_view mode;
  std::vector<std::uint64_t> numbers;
  for (const std::string_view argument : arguments) {
    if (argument == "--no-hash") {
      hashing = false;
    } else if (argument == "--curve") {
      wants_curve = true;
    } else if (argument[0] >= '0' && argument[0] <= '9') {
      numbers.push_back(std::strtoull(argument.data(), nullptr, 10));
    } else {
      mode = argument;
    }
  }
  const auto number = [&](std::size_t i, std::uint64_t otherwise) {
    return i < numbers.size() && numbers[i] != 0 ? numbers[i] : otherwise;
  };
  if (wants_curve) return curve();
  if (mode.empty()) return report_http(number(1, 64), number(0, 100'000), hashing);
  if (mode == "http") return report_http(number(0, 64), number(1, 100'000), hashing);
  if (mode == "timers") return timers(number(0, 1'000), number(1, 10'000'000));
  if (mode == "idle") return idle(number(0, 10'000));
  if (mode == "tiny") return tiny(number(0, 1'000));
  fmt::print(stderr, "unknown mode: {}\n", mode);
  return 2;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  try {
    return bench::run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 2;
  }
}
