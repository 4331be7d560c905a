// A simulated day: 3 gateways check 100 endpoints each, every 5 s, on real bytes.
//
//   day [hours]   24
//
// Each gateway carries a request a second, so that the interval is the one of clusters with
// traffic. Endpoints fail in turn, each in its own way, for some minutes: they answer 503, or
// nothing, or refuse. Processor time is this program's subject; the world itself never sees it.

#include <array>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "bench/cpu_time.h"
#include "peers/client.h"
#include "peers/request_spec.h"
#include "peers/service.h"
#include "proxy/gateway.h"
#include "sim/simulation.h"
#include "world/timer.h"

namespace bench {
namespace {

using namespace std::chrono_literals;

constexpr int kGateways = 3;
constexpr int kEndpoints = 100;
constexpr std::uint16_t kFrontPort = 8080;
constexpr std::uint16_t kServicePort = 8080;
constexpr world::Duration kCheckInterval = 5s;
constexpr world::Duration kRequestInterval = 1s;
constexpr world::Duration kFailureInterval = 10min;
constexpr world::Duration kFailureLength = 5min;

std::string endpoint_name(int number) {
  return fmt::format("endpoint-{}", number);
}

std::shared_ptr<const proxy::GatewayPlan> day_plan() {
  proxy::HealthCheckPlan check;
  check.interval = kCheckInterval;
  check.timeout = 2s;
  check.healthy_threshold = 2;
  check.unhealthy_threshold = 2;
  check.path = "/ping";
  proxy::Cluster cluster;
  cluster.name = "items";
  cluster.discovery = proxy::Cluster::Discovery::Static;
  cluster.connect_timeout = 1s;
  cluster.health_check = check;
  for (int i = 0; i < kEndpoints; ++i) {
    cluster.endpoints.emplace_back(endpoint_name(i), kServicePort);
  }
  proxy::Route route;
  route.name = "all";
  route.path.text = "/";
  route.clusters = {{0, 1}};
  proxy::VirtualHost any;
  any.domains = {"*"};
  any.routes = {route};
  proxy::HopPlan hop;
  hop.name = "ingress";
  hop.port = kFrontPort;
  hop.clusters = {cluster};
  hop.routes.hosts = {any};
  auto plan = std::make_shared<proxy::GatewayPlan>();
  plan->ingress = {hop};
  return plan;
}

peers::Behaviour answering(std::uint16_t status) {
  peers::Answer answer;
  answer.status = status;
  answer.body = "ok";
  return peers::Behaviour::always(std::move(answer));
}

/// One endpoint, which fails when it is told to.
class Endpoint {
 public:
  Endpoint(sim::Simulation& simulation, int number)
      : service_(simulation.add_host(endpoint_name(number)),
                 {.service = "items",
                  .endpoint = endpoint_name(number),
                  .port = kServicePort,
                  .script = peers::prepare(answering(200))}) {
    start();
  }
  void fail(int way) {
    switch (way) {
      case 0:
        service_.set_behaviour(answering(503));
        break;
      case 1:
        service_.set_behaviour(peers::Behaviour::always(peers::Answer::hang()));
        break;
      default:
        service_.stop();
        service_.drop_connections(true);
        break;
    }
  }
  void recover() {
    service_.set_behaviour(answering(200));
    if (!service_.listening()) start();
  }

 private:
  void start() {
    if (!service_.start()) throw std::runtime_error("an endpoint cannot listen");
  }

  peers::Service service_;
};

/// A gateway and a client that sends it a request each second, on one connection.
class Site final : private peers::ClientObserver {
 public:
  Site(sim::Simulation& simulation, int number,
       const std::shared_ptr<const proxy::GatewayPlan>& plan)
      : host_(simulation.add_host(fmt::format("gateway-{}", number))),
        client_host_(simulation.add_host(fmt::format("client-{}", number))),
        gateway_(host_, plan),
        client_(client_host_, {.policy = peers::ConnectionPolicy::One, .observer = this}),
        timer_(client_host_.timer(world::bind<&Site::send>(this))) {
    if (!gateway_.start()) throw std::runtime_error("a gateway cannot listen");
    peers::RequestSpec request;
    request.host = "items.example.com";
    request.port = kFrontPort;
    request.target = "/items/42";
    request.address = world::Endpoint{host_.address(), kFrontPort};
    request_ = std::make_shared<const peers::PreparedRequest>(std::move(request));
    send();
  }
  proxy::ClusterState cluster() const { return gateway_.clusters().front(); }
  std::uint64_t sent() const { return sent_; }
  std::uint64_t good() const { return good_; }
  std::uint64_t bad() const { return bad_; }

 private:
  void send() {
    ++sent_;
    client_.send(request_);
    timer_.start_after(kRequestInterval);
  }
  void on_outcome(const peers::RequestOutcome& outcome) override {
    ++(outcome.ok() && outcome.status == 200 ? good_ : bad_);
  }

  sim::Host& host_;
  sim::Host& client_host_;
  proxy::Gateway gateway_;
  peers::Client client_;
  world::Timer timer_;
  std::shared_ptr<const peers::PreparedRequest> request_;
  std::uint64_t sent_ = 0;
  std::uint64_t good_ = 0;
  std::uint64_t bad_ = 0;
};

int run(int hours) {
  const double start = cpu_seconds();
  sim::Simulation simulation;
  std::vector<std::unique_ptr<Endpoint>> endpoints;
  for (int i = 0; i < kEndpoints; ++i) {
    endpoints.push_back(std::make_unique<Endpoint>(simulation, i));
  }
  const auto plan = day_plan();
  std::vector<std::unique_ptr<Site>> sites;
  for (int i = 0; i < kGateways; ++i) {
    sites.push_back(std::make_unique<Site>(simulation, i, plan));
  }
  int failures = 0;
  const auto end = world::TimePoint(std::chrono::hours(hours));
  for (auto at = world::TimePoint(kFailureInterval); at + kFailureLength < end;
       at += kFailureInterval, ++failures) {
    Endpoint& endpoint = *endpoints[static_cast<std::size_t>(failures % kEndpoints)];
    simulation.loop().post_at(at, [&endpoint, way = failures % 3] { endpoint.fail(way); });
    simulation.loop().post_at(at + kFailureLength, [&endpoint] { endpoint.recover(); });
  }
  simulation.run_until(end);
  const double cpu = cpu_seconds() - start;

  proxy::HealthCounts sum;
  std::uint64_t sent = 0;
  std::uint64_t good = 0;
  std::uint64_t bad = 0;
  bool all_well = true;
  for (const auto& site : sites) {
    const proxy::ClusterState cluster = site->cluster();
    sum.attempts += cluster.health.attempts;
    sum.successes += cluster.health.successes;
    sum.failures += cluster.health.failures;
    sum.network_failures += cluster.health.network_failures;
    sent += site->sent();
    good += site->good();
    bad += site->bad();
    for (const proxy::HostState& host : cluster.hosts) all_well = all_well && host.healthy();
  }
  fmt::print(
      "hours={} probes={} good={} failed={} of-network={} episodes={} requests={} answered={} "
      "failed={} cpu={:.2f}s us_per_probe={:.2f} hash={}\n",
      hours, sum.attempts, sum.successes, sum.failures, sum.network_failures, failures, sent, good,
      bad, cpu, cpu * 1e6 / static_cast<double>(sum.attempts), simulation.trace().hash().text());
  // Each probe has come to one end, and every endpoint is well again.
  const std::uint64_t under_way = sum.attempts - sum.successes - sum.failures;
  return all_well && under_way <= kGateways * kEndpoints && good + bad + kGateways >= sent ? 0 : 1;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  try {
    return bench::run(argc > 1 ? std::atoi(argv[1]) : 24);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 2;
  }
}
