#include "peers/balancer.h"

#include <map>

#include <gtest/gtest.h>

#include "peers/client.h"
#include "peers/raw_connection.h"
#include "peers/service.h"
#include "sim/simulation.h"

namespace peers {
namespace {

using namespace std::chrono_literals;

/// client - balancer - two services, 1 ms between neighbours.
class BalancerTest : public testing::Test, protected ClientObserver {
 protected:
  BalancerTest()
      : client(simulation.add_host("client")),
        front(simulation.add_host("nlb")),
        one(simulation.add_host("one")),
        two(simulation.add_host("two")) {
    for (sim::Host* host : {&one, &two}) {
      Answer answer;
      answer.body = host->name();
      services.push_back(std::make_unique<Service>(
          *host, ServiceOptions{.port = 9080, .behaviour = Behaviour::always(answer)}));
      EXPECT_TRUE(services.back()->start());
    }
    balancer = std::make_unique<Balancer>(
        front, BalancerOptions{.groups = {{.name = "gateways",
                                           .targets = {{"one", {one.address(), 9080}},
                                                       {"two", {two.address(), 9080}}}}},
                               .listeners = {{.port = 80, .group = "gateways"}}});
    EXPECT_TRUE(balancer->start());
  }

  /// Sends `requests`, each on a connection of its own, and counts who answered.
  std::map<std::string, int> spread(int requests) {
    answers.clear();
    Client fresh(client, {.policy = ConnectionPolicy::New, .observer = this});
    RequestSpec spec;
    spec.host = "nlb";
    for (int i = 0; i < requests; ++i) fresh.send(spec);
    simulation.run();
    return answers;
  }
  void on_outcome(const RequestOutcome& outcome) override {
    ++answers[std::string(outcome.ok() ? outcome.body : outcome.failure)];
    last = outcome.ended;
  }

  sim::Simulation simulation;
  sim::Host& client;
  sim::Host& front;
  sim::Host& one;
  sim::Host& two;
  std::vector<std::unique_ptr<Service>> services;
  std::unique_ptr<Balancer> balancer;
  std::map<std::string, int> answers;
  world::TimePoint last{};
};

TEST_F(BalancerTest, SpreadsFlowsOverItsTargets) {
  const auto answered = spread(200);
  EXPECT_EQ(answered.at("one") + answered.at("two"), 200);
  EXPECT_GT(answered.at("one"), 60);  // a fair coin is below that once in 10^8 seeds
  EXPECT_GT(answered.at("two"), 60);
  // Name 1 ms, handshake until 4 ms at the balancer, where the request then waits 2 ms for the
  // handshake with the target; 2 ms for request and answer beyond it, 1 ms back to the client.
  EXPECT_EQ(last.time_since_epoch(), 9ms);
  EXPECT_EQ(balancer->counts().active_flows, 0U);
  EXPECT_EQ(balancer->counts().flows_total, 200U);
}

TEST_F(BalancerTest, LeavesUnhealthyTargetsOut) {
  balancer->set_healthy("gateways", {one.address(), 9080}, false);
  EXPECT_EQ(spread(20), (std::map<std::string, int>{{"two", 20}}));
  balancer->deregister_target("gateways", {two.address(), 9080});
  EXPECT_EQ(spread(2), (std::map<std::string, int>{{"connection reset before an answer", 2}}));
  EXPECT_EQ(balancer->counts().no_target_total, 2U);
}

TEST_F(BalancerTest, AFlowKeepsItsTarget) {
  Client keeping(client, {.policy = ConnectionPolicy::One, .observer = this});
  RequestSpec spec;
  spec.host = "nlb";
  keeping.send(spec);
  simulation.run();
  ASSERT_EQ(answers.size(), 1U);
  const std::uint32_t chosen = answers.count("one") != 0 ? one.address() : two.address();
  EXPECT_EQ(balancer->flows_to({chosen, 9080}), 1U);
  balancer->set_healthy("gateways", {chosen, 9080}, false);
  keeping.send(spec);
  simulation.run();
  EXPECT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers.begin()->second, 2);
}

TEST_F(BalancerTest, ResetsAClientWhoseTargetRefuses) {
  for (auto& service : services) service->stop();
  EXPECT_EQ(spread(1), (std::map<std::string, int>{{"connection reset before an answer", 1}}));
  EXPECT_EQ(balancer->counts().target_refused_total, 1U);
}

TEST_F(BalancerTest, PassesHalfCloseAndResetThrough) {
  Answer slow;
  slow.body = "late";
  slow.after = 10ms;
  for (auto& service : services) service->set_behaviour(Behaviour::always(slow));
  RawConnection half(client, {front.address(), 80});
  half.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  half.finish();
  simulation.run();
  EXPECT_NE(half.received().find("late"), std::string::npos);
  EXPECT_EQ(half.ending(), RawConnection::Ending::Fin);
  EXPECT_EQ(balancer->counts().active_flows, 0U);

  for (auto& service : services) service->set_behaviour(Behaviour::always(Answer::abort()));
  RawConnection reset(client, {front.address(), 80});
  reset.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  simulation.run();
  EXPECT_EQ(reset.ending(), RawConnection::Ending::Reset);

  RawConnection open(client, {front.address(), 80});
  simulation.run();
  EXPECT_EQ(services[0]->counts().connections + services[1]->counts().connections, 1U);
  open.reset();
  simulation.run();
  EXPECT_EQ(services[0]->counts().connections + services[1]->counts().connections, 0U);
}

TEST_F(BalancerTest, ASlowReaderHoldsTheWriterBack) {
  Answer large;
  large.body = std::string(5'000'000, 'x');
  for (auto& service : services) service->set_behaviour(Behaviour::always(large));
  RawConnection slow(client, {front.address(), 80});
  slow.pause_reading();
  slow.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  simulation.run();
  EXPECT_EQ(slow.received(), "");
  slow.resume_reading();
  simulation.run();
  EXPECT_GT(slow.received().size(), 5'000'000U);
}

}  // namespace
}  // namespace peers
