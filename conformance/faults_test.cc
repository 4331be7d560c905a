#include <gtest/gtest.h>

#include "conformance/engine.h"
#include "conformance/test_scenario.h"

namespace conformance {
namespace {

std::string failures_of(const RunResult& result) {
  std::string all;
  for (const Check& check : result.checks) {
    if (!check.passed) all += check.name + ": " + check.actual + "\n";
  }
  return all;
}

constexpr const char* kMesh =
    "scenario: Faults\n"
    "mesh:\n"
    "  - virtualGateway: edge\n"
    "    spec: { listeners: [ { portMapping: { port: 9080, protocol: http } } ] }\n"
    "  - gatewayRoute: all\n"
    "    virtualGateway: edge\n"
    "    spec: { httpRoute: { match: { prefix: / }, action: { target: { virtualService: { "
    "virtualServiceName: books.local } } } } }\n";

std::string with_steps(const std::string& steps) {
  return std::string(kMesh) + "steps:\n" + steps;
}

TEST(Faults, ThoseThatOverlapAddUpAndEachTakesAwayWhatItBrought) {
  const Scenario scenario = must_read(with_steps(
      "  - request: GET http://edge/x\n"
      "  - { at: 1s, fault: { latency: { between: [ edge, books ], add: 100ms } }, for: 3s }\n"
      "  - { at: 2s, fault: { latency: { between: [ edge, books ], add: 50ms } }, for: 3s }\n"
      "  - { at: 3s, request: GET http://edge/x, expect: { took: 304ms } }\n"
      "  - { at: 4.5s, request: GET http://edge/x, expect: { took: 104ms } }\n"
      "  - { at: 6s, request: GET http://edge/x, expect: { took: 4ms } }\n"));
  const RunResult result = run(scenario);
  EXPECT_EQ(result.outcome, Outcome::Passed) << failures_of(result);
}

TEST(Faults, AClientThatComesLaterDoesNotHealAnything) {
  const Scenario scenario = must_read(
      with_steps("  - request: GET http://edge/x\n"
                 "  - { at: 1s, fault: { latency: { between: [ edge, books ], add: 100ms } } }\n"
                 "  - { at: 2s, request: { get: http://edge/x, connections: new } }\n"
                 "  - { at: 3s, request: GET http://edge/x, expect: { took: 204ms } }\n"));
  const RunResult result = run(scenario);
  EXPECT_EQ(result.outcome, Outcome::Passed) << failures_of(result);
}

TEST(Faults, AClientThatComesLaterDoesNotReachWhatIsInAHole) {
  const Scenario scenario =
      must_read(with_steps("  - { request: GET http://edge/x, expect: { status: 200 } }\n"
                           "  - { at: 1s, fault: { blackhole: gateway/edge }, for: 4s }\n"
                           "  - { at: 2s, fault: { blackhole: gateway/edge }, for: 6s }\n"
                           "  - at: 3s\n"
                           "    request: { get: http://edge/x, connections: new, timeout: 1s }\n"
                           "    expect: { failed: timed out waiting }\n"
                           "  - { at: 4.5s, expect: { gateway/edge: { requests: 1 } } }\n"
                           "  - at: 6s\n"
                           "    request: { get: http://edge/x, connections: many, timeout: 1s }\n"
                           "    expect: { failed: timed out waiting }\n"
                           "  - at: 9s\n"
                           "    request: { get: http://edge/x, connections: new, timeout: 1s }\n"
                           "    expect: { status: 200 }\n"));
  const RunResult result = run(scenario);
  EXPECT_EQ(result.outcome, Outcome::Passed) << failures_of(result);
}

TEST(Faults, AnUntilThatDoesNotComeFailsAtItsEnd) {
  const Scenario scenario =
      must_read(with_steps("  - { until: { service/books: { requests: 1 } }, within: 5s }\n"));
  const RunResult result = run(scenario);
  EXPECT_EQ(result.outcome, Outcome::Failed);
  EXPECT_EQ(result.checks.front().name, "steps/0/until/service/books.requests");
  EXPECT_EQ(result.checks.front().actual, "0");
}

TEST(Faults, AnUntilThatComesTooEarlyFailsToo) {
  const Scenario scenario = must_read(
      with_steps("  - { request: GET http://edge/x, at: 0s }\n"
                 "  - { at: 0s, until: { service/books: { requests: 1 } }, within: [1s, 2s] }\n"));
  const RunResult result = run(scenario);
  EXPECT_EQ(result.outcome, Outcome::Failed);
  EXPECT_EQ(result.checks.front().actual, "after 7ms");
}

TEST(Faults, WhatIsWrongWithAFaultIsToldWithItsPlace) {
  EXPECT_EQ(
      errors_in(with_steps("  - fault: { partition: [ edge, moon ] }\n"
                           "  - { fault: { reset: endpoint/books-1 }, for: 3s }\n"
                           "  - fault: { earthquake: edge }\n"
                           "  - fault: { crash: client/client }\n"
                           "  - { until: { endpoint/books-7: healthy } }\n"
                           "  - { wait: 1s, for: 2s }\n"
                           "  - fault: { loss: { between: [ edge, books ], rate: lots } }\n")),
      "9:33: /steps/0/fault/partition/1: there is no moon; there is edge, edge-1, books, "
      "books-1, books-1, client\n"
      "10:48: /steps/1/for: does not go with what happens at an instant\n"
      "11:14: /steps/2/fault/earthquake: is no fault; there is partition, latency, loss, "
      "bandwidth, blackhole, refuse, reset, close, halfOpen, slowReader, slowWriter, crash, "
      "restart, pause, dns, clock\n"
      "12:21: /steps/3/fault/crash: must be endpoint/, service/ or gateway/\n"
      "13:16: /steps/4/until/endpoint~1books-7: there is no endpoint books-7; did you mean "
      "books-1?\n"
      "14:22: /steps/5/for: goes with a fault\n"
      "15:54: /steps/6/fault/loss/rate: must be a percentage such as 0.1%\n");
}

constexpr const char* kGet = "request: { get: http://edge/x, connections: new, timeout: 1s }";

/// Each passes: what is seen of faults that overlap, after the end of one and of both.
void passes(const std::string& steps) {
  const RunResult result = run(must_read(with_steps(steps)));
  EXPECT_EQ(result.outcome, Outcome::Passed) << failures_of(result);
}

std::string get_at(const std::string& at, const std::string& expect) {
  return "  - { at: " + at + ", " + kGet + ", expect: " + expect + " }\n";
}

TEST(Faults, ARefusalLastsAsLongAsOneOfThem) {
  passes(
      "  - { at: 1s, fault: { refuse: endpoint/books-1 }, until: 5s }\n"
      "  - { at: 2s, fault: { crash: service/books }, for: 1s }\n"
      "  - { at: 2.5s, fault: { refuse: service/books }, until: 9s }\n" +
      get_at("4s", "{ status: 503 }") + get_at("6s", "{ status: 503 }") +
      get_at("10s", "{ status: 200 }"));
}

TEST(Faults, TheYoungestAnswerCountsAndTheOthersComeBack) {
  passes("  - { at: 1s, fault: { service/books: { respond: { status: 401 } } }, until: 5s }\n" +
         get_at("1.5s", "{ status: 401 }") +
         "  - { at: 2s, fault: { endpoint/books-1: { respond: { status: 402 } } }, until: 8s }\n" +
         get_at("2.5s", "{ status: 402 }") +
         "  - { at: 3s, fault: { service/books: { respond: { status: 403 } } }, until: 4s }\n" +
         get_at("3.5s", "{ status: 403 }") + get_at("4.5s", "{ status: 402 }") +
         get_at("6s", "{ status: 402 }") + get_at("9s", "{ status: 200 }"));
}

TEST(Faults, OfNamesTheOldestStaleAnswerHidesTheOthers) {
  const std::string ask = "{ get: http://edge/x, connections: new, timeout: 1s }";
  passes(
      "  - { at: 1s, fault: { dns: { name: EDGE., stale: true } }, until: 5s }\n"
      "  - { at: 2s, fault: { dns: { name: edge, answer: [ endpoint/books-1 ] } }, until: 8s }\n"
      "  - { at: 3s, request: " +
      ask +
      ", expect: { status: 200 } }\n"
      "  - { at: 70s, fault: { dns: { name: edge, fail: true } }, until: 200s }\n"
      "  - { at: 71s, fault: { dns: { name: edge, fail: true } }, until: 75s }\n"
      "  - { at: 140s, request: " +
      ask +
      ", expect: { failed: \"name does not resolve: edge\" } }\n"
      "  - { at: 210s, request: " +
      ask + ", expect: { status: 200 } }\n");
}

TEST(Faults, APauseLastsAsLongAsOneOfThemAndEndsWithItsProcess) {
  passes(
      "  - { at: 1s, fault: { pause: gateway/edge-1 }, until: 4s }\n"
      "  - { at: 2s, fault: { pause: gateway/edge }, until: 6s }\n" +
      get_at("2.5s", "{ failed: timed out waiting }") +
      get_at("4.5s", "{ failed: timed out waiting }") + get_at("6.5s", "{ status: 200 }") +
      "  - { at: 10s, fault: { pause: gateway/edge }, until: 100s }\n"
      "  - { at: 11s, fault: { restart: gateway/edge-1 } }\n" +
      get_at("12s", "{ status: 200 }"));
}

TEST(Faults, ARestartEndsACrashAndTheEndOfThatCrashChangesNothing) {
  passes(
      "  - { at: 1s, fault: { crash: service/books }, until: 60s }\n"
      "  - { at: 2s, fault: { restart: endpoint/books-1 } }\n" +
      get_at("3s", "{ status: 200 }") + get_at("61s", "{ status: 200 }"));
}

TEST(Faults, AStoppedGatewayStaysStoppedWhenItsHostComesBack) {
  passes(
      "  - { at: 1s, fault: { crash: gateway/edge }, until: 5s }\n"
      "  - { at: 2s, fault: { gateway/edge-1: stopped } }\n"
      "  - { at: 6s, expect: { gateway/edge: { running: 0 } } }\n"
      "  - { at: 7s, fault: { gateway/edge-1: running } }\n"
      "  - { at: 8s, expect: { gateway/edge: { running: 1 } } }\n");
}

TEST(Faults, AnEndThatIsOverBeforeItsBeginFails) {
  const RunResult result =
      run(must_read(with_steps("  - { wait: 3s }\n"
                               "  - { fault: { blackhole: gateway/edge }, until: 2s }\n")));
  EXPECT_EQ(failures_of(result), "steps/1/until: it is already 3s\n");
}

TEST(Faults, WhatCannotBeStruckSoIsToldWithItsPlace) {
  const std::string world =
      "world: { nlb: { front: { dns: my.example.com, listen: 80, targets: gateway/edge } } }\n";
  EXPECT_EQ(errors_in(kMesh + world + "steps:\n" +
                      "  - fault: { pause: nlb/front }\n"
                      "  - fault: { pause: client/client }\n"
                      "  - { fault: { restart: gateway/edge }, until: 9s }\n"
                      "  - { at: 1s, fault: { pause: gateway/edge }, until: 1s }\n"
                      "  - { at: 1s, fault: { pause: gateway/edge }, for: 1s, until: 3s }\n"
                      "  - fault: { slowReader: { host: client/client, rate: 0bps } }\n"
                      "  - fault: { partition: { between: [ edge, books ], by: 2s } }\n"
                      "  - fault: { reset: { from: edge, to: books } }\n"
                      "  - fault: { dns: { name: edge, stale: false } }\n"
                      "  - fault: { clock: { host: edge, step: -1x } }\n"),
            "10:21: /steps/0/fault/pause: a balancer passes packets on and has no process: "
            "strike the links to it\n"
            "11:21: /steps/1/fault/pause: must be endpoint/, service/ or gateway/\n"
            "12:48: /steps/2/until: does not go with what happens at an instant\n"
            "13:54: /steps/3/until: must be after 1s, when the fault begins\n"
            "14:56: /steps/4/until: must not be given beside for\n"
            "15:55: /steps/5/fault/slowReader/rate: must be a bandwidth such as 8kbps\n"
            "16:53: /steps/6/fault/partition/by: goes with kind: slowed\n"
            "17:21: /steps/7/fault/reset: a reset is of both ends: between, not from and to\n"
            "18:40: /steps/8/fault/dns/stale: must be true\n"
            "19:41: /steps/9/fault/clock/step: must be a duration such as 1h or -1h\n");
}

TEST(Faults, ANameThatNobodyAsksForIsToldWithTheNearest) {
  EXPECT_EQ(errors_in(with_steps("  - fault: { dns: { name: egde, fail: true } }\n"
                                 "  - fault: { dns: { name: Edge., fail: true } }\n"
                                 "  - fault: { dns: { name: edge-1, fail: true } }\n"
                                 "  - fault: { dns: { name: new.example, fail: true } }\n"
                                 "  - request: GET http://NEW.example:9080/\n")),
            "9:27: /steps/0/fault/dns/name: nobody asks for egde; did you mean edge?\n");
}

// --- expect: { turns } ---------------------------------------------------------------------------

constexpr const char* kChecked =
    "  - virtualService: books.local\n"
    "    spec: { provider: { virtualNode: { virtualNodeName: books } } }\n"
    "  - virtualNode: books\n"
    "    spec: { listeners: [ { portMapping: { port: 8080, protocol: http }, healthCheck: { "
    "protocol: http, path: /, healthyThreshold: 2, unhealthyThreshold: 3, intervalMillis: 5000, "
    "timeoutMillis: 2000 } } ], serviceDiscovery: { dns: { hostname: books.local } } }\n"
    "steps:\n"
    "  - { at: 1s, request: GET http://edge/x }\n";

std::string with_checks(const std::string& steps) {
  return std::string(kMesh) + kChecked + steps;
}

const Check* find(const RunResult& result, const std::string& name) {
  for (const Check& check : result.checks) {
    if (check.name == name) return &check;
  }
  return nullptr;
}

TEST(Turns, AreJudgedAtTheirInstantWhileOtherStepsGoOn) {
  const RunResult result = run(must_read(with_checks(
      "  - { at: 61s, fault: { service/books: { health: { never: true } } },\n"
      "      expect: { endpoint/books-1: { turns: unhealthy, within: [20s, 20.1s],\n"
      "                                    after: { failedChecks: 3, passedChecks: 0 } } } }\n"
      "  - { at: 70s, request: GET http://edge/x, expect: { status: 200 } }\n")));
  EXPECT_EQ(result.outcome, Outcome::Passed) << failures_of(result);
  const Check* const turned = find(result, "steps/1/endpoint/books-1/turns");
  ASSERT_NE(turned, nullptr);
  EXPECT_GT(turned->at, world::TimePoint(std::chrono::seconds(81)));
  EXPECT_LT(turned->at, world::TimePoint(std::chrono::milliseconds(81'100)));
  EXPECT_NE(find(result, "steps/1/endpoint/books-1/after/failedChecks by edge-1 of books-1"),
            nullptr);
}

TEST(Turns, AWrongNumberOfChecksIsABreach) {
  const RunResult result = run(must_read(with_checks(
      "  - { at: 61s, fault: { service/books: { health: { never: true } } },\n"
      "      expect: { endpoint/books-1: { turns: unhealthy, after: { failedChecks: 2 } } } }\n")));
  EXPECT_EQ(failures_of(result),
            "steps/1/endpoint/books-1/after/failedChecks by edge-1 of books-1: 3\n");
}

TEST(Turns, WhatDoesNotComeInTimeOrIsSoAlreadyIsABreach) {
  const RunResult late = run(must_read(with_checks(
      "  - { at: 61s, expect: { endpoint/books-1: { turns: unhealthy, within: 3s } } }\n")));
  EXPECT_EQ(failures_of(late), "steps/1/endpoint/books-1/turns: it is healthy after 3s\n");
  EXPECT_EQ(late.simulated, std::chrono::seconds(64));
  const RunResult already = run(must_read(
      with_checks("  - { at: 61s, expect: { endpoint/books-1: { turns: healthy } } }\n")));
  EXPECT_EQ(failures_of(already), "steps/1/endpoint/books-1/turns: it is healthy already\n");
}

TEST(Turns, BadOnesAreRefusedWithTheirPlace) {
  const auto errors = [](const std::string& step) {
    return errors_in(with_checks("  - " + step + "\n"));
  };
  const auto says = [&](const std::string& step, const std::string& what) {
    EXPECT_NE(errors(step).find(what), std::string::npos) << errors(step);
  };
  says("expect: { endpoint/books-1: { turns: green } }", "must be one of healthy, unhealthy");
  says("expect: { client/client: { turns: healthy } }", "nobody checks this");
  says("expect: { endpoint/books-1: { turns: healthy, after: {} } }",
       "must have failedChecks or passedChecks");
  says("expect: { endpoint/books-1: { turns: healthy, after: { checks: 1 } } }", "checks");
  says("expect: { endpoint/books-1: { turns: healthy, within: [3s, 2s] } }", "/within");
  says("expect: { endpoint/books-1: { within: 2s, requests: 1 } }", "goes with turns");
  says("expect: { endpoint/books-1: { turns: healthy, requests: 1 } }", "requests");
  says("until: { endpoint/books-1: { turns: healthy } }", "turns is for expect");
}

}  // namespace
}  // namespace conformance
