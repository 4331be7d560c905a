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
          *host, ServiceOptions{.port = 9080, .script = prepare(Behaviour::always(answer))}));
      EXPECT_TRUE(services.back()->start());
    }
    options.group.health = {.healthy = 2, .unhealthy = 2, .first = 2};
    start();
  }

  /// A new balancer with what `options` say, and both targets.
  void start() {
    balancer.reset();
    balancer = std::make_unique<Balancer>(
        std::vector<Balancer::Node>{{&front, front.address(), ""}}, options);
    balancer->register_target({"one", {one.address(), 9080}}, true);
    balancer->register_target({"two", {two.address(), 9080}}, true);
    EXPECT_TRUE(balancer->start());
  }
  world::Endpoint endpoint(const sim::Host& host) const { return {host.address(), 9080}; }
  void run_for(world::Duration time) { simulation.run_for(time); }

  /// Sends `requests`, each on a connection of its own, and counts who answered.
  std::map<std::string, int> spread(int requests) {
    answers.clear();
    Client fresh(client, {.policy = ConnectionPolicy::New, .observer = this});
    RequestSpec spec;
    spec.host = "nlb";
    spec.timeout = 10s;
    for (int i = 0; i < requests; ++i) fresh.send(spec);
    run_for(20s);
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
  BalancerOptions options;
  std::unique_ptr<Balancer> balancer;
  std::map<std::string, int> answers;
  world::TimePoint last{};
};

TEST_F(BalancerTest, SpreadsFlowsOverItsTargets) {
  const auto answered = spread(200);
  EXPECT_EQ(answered.at("one") + answered.at("two"), 200);
  EXPECT_GT(answered.at("one"), 60);  // a fair coin is below that once in 10^8 seeds
  EXPECT_GT(answered.at("two"), 60);
  // Name 1 ms, handshake from end to end 4 ms, request and answer 4 ms.
  EXPECT_EQ(last.time_since_epoch(), 9ms);
  EXPECT_EQ(balancer->counts().active_flows, 0U);
  EXPECT_EQ(balancer->counts().flows_total, 200U);
}

TEST_F(BalancerTest, WithoutTargetsASynIsLostOrRefused) {
  options.group.lags.deregistration = {};
  for (const bool resets : {false, true}) {
    options.resets_without_target = resets;
    start();
    balancer->deregister_target(endpoint(one));
    balancer->deregister_target(endpoint(two));
    const char* expected = resets ? "connection refused" : "timed out waiting";
    EXPECT_EQ(spread(2), (std::map<std::string, int>{{expected, 2}}));
    EXPECT_EQ(balancer->counts().no_target_total, 2U);
    EXPECT_EQ(balancer->counts().flows_total, 2U);
  }
}

TEST_F(BalancerTest, AnotherPortDoesNotAnswer) {
  RawConnection raw(client, {front.address(), 81});
  run_for(130s);
  EXPECT_EQ(raw.ending(), RawConnection::Ending::ConnectFailed);
  EXPECT_EQ(balancer->counts().flows_total, 0U);
}

TEST_F(BalancerTest, AFlowKeepsItsTarget) {
  Client keeping(client, {.policy = ConnectionPolicy::One, .observer = this});
  RequestSpec spec;
  spec.host = "nlb";
  keeping.send(spec);
  run_for(1s);
  ASSERT_EQ(answers.size(), 1U);
  sim::Host& chosen = answers.count("one") != 0 ? one : two;
  EXPECT_EQ(balancer->flows_to(endpoint(chosen)), 1U);
  balancer->deregister_target(endpoint(chosen));
  run_for(301s);  // the delay is over, and so is the lag
  keeping.send(spec);
  run_for(1s);
  EXPECT_EQ(answers.begin()->second, 2);
  EXPECT_EQ(answers.size(), 1U);
}

TEST_F(BalancerTest, ARefusalPassesThrough) {
  for (auto& service : services) service->stop();
  EXPECT_EQ(spread(1), (std::map<std::string, int>{{"connection refused", 1}}));
  EXPECT_EQ(balancer->counts().target_refused_total, 1U);
  EXPECT_EQ(balancer->counts().target_resets_total, 1U);
}

TEST_F(BalancerTest, PassesHalfCloseAndResetThrough) {
  Answer slow;
  slow.body = "late";
  slow.after = 10ms;
  for (auto& service : services) service->set_behaviour(Behaviour::always(slow));
  RawConnection half(client, {front.address(), 80});
  half.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  half.finish();
  run_for(1s);
  EXPECT_NE(half.received().find("late"), std::string::npos);
  EXPECT_EQ(half.ending(), RawConnection::Ending::Fin);
  EXPECT_EQ(balancer->counts().active_flows, 0U);

  for (auto& service : services) service->set_behaviour(Behaviour::always(Answer::abort()));
  RawConnection reset(client, {front.address(), 80});
  reset.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  run_for(1s);
  EXPECT_EQ(reset.ending(), RawConnection::Ending::Reset);
  EXPECT_EQ(balancer->counts().target_resets_total, 1U);

  RawConnection open(client, {front.address(), 80});
  run_for(1s);
  EXPECT_EQ(services[0]->counts().connections + services[1]->counts().connections, 1U);
  open.reset();
  run_for(1s);
  EXPECT_EQ(services[0]->counts().connections + services[1]->counts().connections, 0U);
  EXPECT_EQ(balancer->counts().client_resets_total, 1U);
}

TEST_F(BalancerTest, AnIdleFlowIsForgottenAndWhoSendsNextIsReset) {
  for (const world::Duration silence : {349s, 351s}) {
    RawConnection raw(client, {front.address(), 80});
    run_for(1s);
    EXPECT_EQ(balancer->counts().active_flows, 1U);
    run_for(silence - 1s);
    EXPECT_EQ(raw.ending(), RawConnection::Ending::None);
    const bool forgotten = silence > 350s;
    EXPECT_EQ(balancer->counts().active_flows, forgotten ? 0U : 1U);
    raw.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    run_for(2ms);
    EXPECT_EQ(raw.ending() == RawConnection::Ending::Reset, forgotten);
    run_for(10ms);
    EXPECT_EQ(balancer->counts().own_resets_total, forgotten ? 1U : 0U);
    if (!forgotten) raw.close();
    run_for(1s);
  }
  // The target of the second never heard of it.
  EXPECT_EQ(services[0]->counts().connections + services[1]->counts().connections, 1U);
}

TEST_F(BalancerTest, AnUnhealthyTargetsFlowsEndAtTheClientsNextSegment) {
  RawConnection raw(client, {front.address(), 80});
  run_for(1s);
  const bool first = balancer->flows_to(endpoint(one)) == 1;
  services[first ? 0 : 1]->stop();
  run_for(60s);  // two checks have failed by now
  const auto targets = balancer->targets();
  EXPECT_EQ(text(targets[first ? 0 : 1].state), "unhealthy");
  EXPECT_EQ(
      raw.ending() == RawConnection::Ending::None || raw.ending() == RawConnection::Ending::Fin,
      true);
  const auto resets = balancer->counts().own_resets_total;
  raw.send("x");
  run_for(10ms);
  EXPECT_EQ(balancer->counts().own_resets_total, resets + 1);
  run_for(30s);
  EXPECT_EQ(spread(20), (std::map<std::string, int>{{first ? "two" : "one", 20}}));
}

TEST_F(BalancerTest, TerminationResetsBothEndsAfterTheDelay) {
  options.group.termination = true;
  options.group.deregistration_delay = 30s;
  options.group.lags.deregistration = {};
  start();
  RawConnection raw(client, {front.address(), 80});
  run_for(1s);
  balancer->deregister_target(endpoint(balancer->flows_to(endpoint(one)) == 1 ? one : two));
  run_for(29s);
  EXPECT_EQ(raw.ending(), RawConnection::Ending::None);
  run_for(2s);
  EXPECT_EQ(raw.ending(), RawConnection::Ending::Reset);
  EXPECT_EQ(services[0]->counts().connections + services[1]->counts().connections, 0U);
  EXPECT_EQ(balancer->counts().own_resets_total, 1U);
}

TEST_F(BalancerTest, ATargetThatIsSentToItselfHearsNothing) {
  options.keeps_client_address = true;
  start();
  int lost = 0;
  for (int i = 0; i < 20; ++i) {
    RawConnection raw(one, {front.address(), 80});
    run_for(1s);
    lost += raw.state() == RawConnection::State::Connecting ? 1 : 0;
  }
  EXPECT_GT(lost, 0);
  EXPECT_LT(lost, 20);
}

TEST_F(BalancerTest, WithoutPortsASynIsLost) {
  options.source_ports = 1;
  start();
  std::vector<std::unique_ptr<RawConnection>> raws;
  for (int i = 0; i < 20; ++i) {
    raws.push_back(std::make_unique<RawConnection>(client, world::Endpoint{front.address(), 80}));
  }
  run_for(2s);
  EXPECT_EQ(balancer->counts().active_flows, 2U);
  EXPECT_EQ(balancer->counts().port_errors_total, 18U);
}

TEST_F(BalancerTest, SeveralConnectsWithoutAnAnswerMayMakeItUnhealthy) {
  options.passive_checks = 3;
  start();
  services[0]->stop();
  run_for(1ms);
  spread(40);
  EXPECT_EQ(text(balancer->targets()[0].state), "unhealthy");
  EXPECT_LE(balancer->checks_of(endpoint(one)), 1U);  // too few for a verdict of theirs
}

TEST_F(BalancerTest, ChecksWithRequestsLookAtTheCode) {
  options.check.http = true;
  options.check.path = "/ready";
  start();
  run_for(100s);
  EXPECT_EQ(text(balancer->targets()[0].state), "healthy");
  Answer missing;
  missing.status = 404;
  services[0]->set_behaviour(Behaviour::always(missing));
  services[1]->set_behaviour(Behaviour::always(Answer::abort()));
  run_for(61s);
  EXPECT_EQ(text(balancer->targets()[0].state), "unhealthy");
  EXPECT_EQ(text(balancer->targets()[1].state), "unhealthy");
}

TEST_F(BalancerTest, ASlowReaderHoldsTheWriterBack) {
  Answer large;
  large.body = std::string(5'000'000, 'x');
  for (auto& service : services) service->set_behaviour(Behaviour::always(large));
  RawConnection slow(client, {front.address(), 80});
  slow.pause_reading();
  slow.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  run_for(1s);
  EXPECT_EQ(slow.received(), "");
  slow.resume_reading();
  run_for(10s);
  EXPECT_GT(slow.received().size(), 5'000'000U);
}

}  // namespace
}  // namespace peers
