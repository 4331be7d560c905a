// A burst of requests, all at one instant, onto a pool that takes a tenth of them.
//
//   burst            12,500 to 100,000 requests, and what doubling them costs
//   burst REQUESTS   so many
//
// Every request comes on a connection of its own, open before. The pool has 100 connections, and a
// tenth of the requests may wait: those are served in the end, all others are refused. Processor
// time is this program's subject; the world itself never sees it.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "bench/chain_world.h"
#include "bench/cpu_time.h"
#include "peers/client_connection.h"

namespace bench {
namespace {

constexpr std::uint32_t kPoolConnections = 100;
constexpr std::size_t kWaitingShare = 10;
/// So many connections are made at a time: fewer than wait to be accepted at most.
constexpr std::size_t kAtATime = 4'000;

class Burst final : private peers::ClientConnectionEvents {
 public:
  explicit Burst(std::size_t requests)
      : requests_(requests),
        world_(plan(requests), chain_script(),
               static_cast<int>((requests - 1) / Rota::kConnectionsPerHost) + 1),
        connections_(requests) {
    peers::ClientConnectionEvents& self = *this;
    for (std::size_t made = 0; made < requests;) {
      for (const std::size_t end = std::min(made + kAtATime, requests); made < end; ++made) {
        connections_[made] = std::make_unique<peers::ClientConnection>(
            *world_.client_hosts[made / Rota::kConnectionsPerHost], kFront, self);
      }
      world_.simulation.run_for(std::chrono::milliseconds(10));
    }
  }

  /// False: not exactly those that may wait were served, and the others refused.
  bool run() {
    const double start = cpu_seconds();
    const std::string request(chain_request()->head());
    for (const auto& connection : connections_) connection->send(request);
    while (served_ + refused_ + failed_ < requests_ && world_.simulation.loop().run_one()) {
    }
    cpu_ = cpu_seconds() - start;
    const proxy::ClusterState pool = world_.gateway.clusters().front();
    return served_ == requests_ / kWaitingShare && refused_ == requests_ - served_ &&
           failed_ == 0 && pool.pool.pending_overflow == refused_ &&
           pool.pool.connections_total == kPoolConnections && pool.pool.pending == 0;
  }
  std::size_t served() const { return served_; }
  std::size_t refused() const { return refused_; }
  double cpu() const { return cpu_; }
  double each() const { return cpu_ * 1e6 / static_cast<double>(requests_); }

 private:
  static std::shared_ptr<const proxy::GatewayPlan> plan(std::size_t requests) {
    auto plan = std::make_shared<proxy::GatewayPlan>(*chain_plan());
    proxy::Limits& limits = plan->ingress.front().clusters.front().limits;
    limits.max_connections = kPoolConnections;
    limits.max_pending_requests = static_cast<std::uint32_t>(requests / kWaitingShare);
    return plan;
  }
  void on_answer(peers::ClientConnection& connection) override {
    const std::uint16_t status = connection.answer().status();
    if (status == 200) {
      ++served_;
    } else if (status == 503) {
      ++refused_;
    } else {
      ++failed_;
    }
  }
  void on_over(peers::ClientConnection&, peers::Ending) override { ++failed_; }

  std::size_t requests_;
  ChainWorld world_;
  std::vector<std::unique_ptr<peers::ClientConnection>> connections_;
  std::size_t served_ = 0;
  std::size_t refused_ = 0;
  std::size_t failed_ = 0;
  double cpu_ = 0;
};

/// Its processor time in seconds; below 0 if something was miscounted.
double burst(std::size_t requests, double half) {
  Burst burst(requests);
  const bool right = burst.run();
  fmt::print("{:>10} {:>10} {:>10} {:>8.3f} {:>12.3f}", requests, burst.served(), burst.refused(),
             burst.cpu(), burst.each());
  if (half > 0) fmt::print(" {:>8.2f}", burst.cpu() / half);
  fmt::print("\n");
  return right ? burst.cpu() : -1;
}

int run(std::size_t requests) {
  fmt::print("{:>10} {:>10} {:>10} {:>8} {:>12} {:>8}\n", "requests", "served", "refused", "cpu s",
             "us/request", "doubled");
  if (requests > 0) return burst(requests, 0) < 0 ? 1 : 0;
  double half = 0;
  for (const std::size_t each : {12'500U, 25'000U, 50'000U, 100'000U}) {
    half = burst(each, half);
    if (half < 0) return 1;
  }
  return 0;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  try {
    return bench::run(argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 0);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 2;
  }
}
