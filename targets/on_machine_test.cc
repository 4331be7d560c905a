#include "targets/on_machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "live/runtime.h"
#include "live/world.h"

namespace targets {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;
using namespace std::chrono_literals;
using proxy::Cluster;

class OnMachineTest : public ::testing::Test {
 protected:
  OnMachineTest() {
    proxy::HopPlan& ingress = plan_->ingress.emplace_back();
    ingress.port = 443;
    ingress.access_log.emplace().path = "/dev/stdout";
    proxy::SecretName& certificate = ingress.tls.emplace().certificates.emplace_back();
    certificate.name = "/keys/edge.pem";
    certificate.key = "/keys/edge.key";
    Cluster& self = ingress.clusters.emplace_back();
    self.discovery = Cluster::Discovery::Self;
    self.port = 15001;
    ingress.routes.hosts.emplace_back().routes.emplace_back();

    proxy::HopPlan& egress = plan_->egress.emplace();
    egress.port = 15001;
    Cluster one;
    one.discovery = Cluster::Discovery::LogicalDns;
    one.host_name = "books";
    one.port = 8080;
    one.connect_timeout = 1s;
    one.health_check.emplace().interval = 5s;
    Cluster all = one;
    all.discovery = Cluster::Discovery::StrictDns;
    egress.clusters = {one, all};
    proxy::Route& route = egress.routes.hosts.emplace_back().routes.emplace_back();
    route.timeout = 4s;
    route.retry.emplace().max_retries = 2;
  }

  proxy::GatewayPlan placed(std::uint32_t time_scale) {
    return on_machine(
        {.name = "edge-1",
         .plan = plan_,
         .time_scale = time_scale,
         .machine = machine_,
         .folder = "/tmp/run/2",
         .port = [](std::uint16_t port) -> std::uint16_t { return port < 1024 ? 40443 : port; },
         .endpoints = [](const std::string& name,
                         std::uint16_t port) -> std::vector<world::Endpoint> {
           if (name != "books") return {};
           return {{0x7f030005, port}, {0x7f030006, port}};
         }});
  }

  std::shared_ptr<proxy::GatewayPlan> plan_ = std::make_shared<proxy::GatewayPlan>();
  live::Runtime runtime_;
  live::World machine_{runtime_};
};

TEST_F(OnMachineTest, PortsAndFilesAreWhereTheyReallyAre) {
  const proxy::GatewayPlan plan = placed(1);
  const proxy::HopPlan& ingress = plan.ingress.front();
  EXPECT_EQ(ingress.port, 40443);
  EXPECT_EQ(ingress.access_log->path, "/tmp/run/2/dev/stdout");
  EXPECT_EQ(ingress.tls->certificates.front().name, "/tmp/run/2/keys/edge.pem");
  EXPECT_EQ(ingress.tls->certificates.front().key, "/tmp/run/2/keys/edge.key");
  EXPECT_EQ(ingress.clusters.front().discovery, Cluster::Discovery::Self);
  EXPECT_EQ(ingress.clusters.front().port, 15001);
}

TEST_F(OnMachineTest, OneAddressOfANameIsAnEndpointOrAllAre) {
  const proxy::GatewayPlan plan = placed(1);
  const auto& clusters = plan.egress->clusters;
  EXPECT_EQ(clusters[0].discovery, Cluster::Discovery::Static);
  EXPECT_THAT(clusters[0].endpoints, ElementsAre(Pair("127.3.0.5", 8080)));
  EXPECT_THAT(clusters[1].endpoints, ElementsAre(Pair("127.3.0.5", 8080), Pair("127.3.0.6", 8080)));
}

TEST_F(OnMachineTest, EachTimeIsDividedAlsoTheOneThatNobodyGave) {
  const proxy::GatewayPlan plan = placed(10);
  const Cluster& cluster = plan.egress->clusters.front();
  EXPECT_EQ(cluster.connect_timeout, 100ms);
  EXPECT_EQ(cluster.health_check->interval, 500ms);
  EXPECT_EQ(cluster.health_check->no_traffic_interval, 6s);
  const proxy::Route& given = plan.egress->routes.hosts.front().routes.front();
  EXPECT_EQ(given.timeout, 400ms);
  EXPECT_EQ(given.retry->backoff_base, 2500us);
  EXPECT_EQ(plan.ingress.front().routes.hosts.front().routes.front().timeout, 1500ms);
  EXPECT_EQ(plan.ingress.front().timers.stream_idle, 30s);
}

TEST_F(OnMachineTest, EnvoyTakesNoShorterBackOffThanAMillisecond) {
  const proxy::GatewayPlan plan = placed(100);
  EXPECT_EQ(plan.egress->routes.hosts.front().routes.front().retry->backoff_base, 1ms);
}

}  // namespace
}  // namespace targets
