#include "conformance/engine.h"

#include <algorithm>

#include <gmock/gmock.h>

#include "conformance/test_scenario.h"

namespace conformance {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

RunResult run_text(const std::string& text) {
  return run(must_read(text));
}

/// The first check that failed.
Check broken(const RunResult& result) {
  for (const Check& check : result.checks) {
    if (!check.passed) return check;
  }
  return {};
}

TEST(Engine, TheSmallestScenarioPasses) {
  const RunResult result = run_text(with_edge(R"(
steps:
  - request: GET http://edge/chapter/1
    expect:
      status: 200
      service: { name: books.shop.local, path: /1, host: books.shop.local, count: 1 }
      route: chapters
      flags: "-"
      answeredAt: 9ms
)"));
  EXPECT_EQ(result.outcome, Outcome::Passed) << broken(result).name << broken(result).actual;
  ASSERT_EQ(result.requests.size(), 1U);
  EXPECT_EQ(result.requests[0].status, 200);
  ASSERT_EQ(result.requests[0].seen.size(), 1U);
  EXPECT_EQ(result.requests[0].seen[0].endpoint, "books-1");
  EXPECT_TRUE(result.timeline.empty());
}

TEST(Engine, AFailureHasItsPlaceTimeAndTimeline) {
  const RunResult result = run_text(
      with_edge("steps: [ { request: GET http://edge/other, expect: { status: 200 } } ]\n"));
  EXPECT_EQ(result.outcome, Outcome::Failed);
  const Check check = broken(result);
  EXPECT_EQ(check.name, "steps/0/status");
  EXPECT_EQ(check.expected, "200");
  EXPECT_EQ(check.actual, "404");
  EXPECT_EQ(check.place.line, 11U);
  EXPECT_EQ(check.at.time_since_epoch(), 5ms);
  EXPECT_FALSE(result.timeline.empty());
}

TEST(Engine, TheSameScenarioAndSeedLeaveTheSameTrace) {
  const std::string text = with_edge(R"(
world: { gateways: { edge: { instances: 3 } }, nlb: { n: { targets: gateway/edge } } }
steps: [ { requests: { get: http://n/chapter/1, count: 50, connections: new } } ]
)");
  const RunResult first = run_text(text);
  run_text(with_edge("steps: [ { wait: 1s } ]\n"));
  EXPECT_EQ(run_text(text).trace_hash, first.trace_hash);
  EXPECT_NE(run(must_read(text), {.seed = 1}).trace_hash, first.trace_hash);
}

TEST(Engine, StepsWithTimesRunBesideWhatIsUnderWay) {
  const RunResult result = run_text(with_edge(R"(
world: { services: { books: { respond: { after: 100ms } } } }
steps:
  - at: 1s
    requests: { get: http://edge/chapter/1, count: 3, as: burst, connections: many }
  - at: 1.05s
    expect: { gateway/edge: { activeConnections: 3 }, burst: { waiting: 3 } }
  - at: 2s
    expect: { burst: { 200: 3, answeredInOrder: true, endpoints: { books-1: 3 } } }
)"));
  EXPECT_EQ(result.outcome, Outcome::Passed) << broken(result).name << broken(result).actual;
}

TEST(Engine, AnInvariantIsBrokenAtTheInstantOfTheFirstBreach) {
  const RunResult result = run_text(with_edge(R"(
steps: [ { at: 1s, requests: { get: http://edge/chapter/1, count: 3, connections: many } },
         { at: 2s, expect: { gateway/edge: { requests: 3 } } } ]
always: [ gateway/edge.downstreamConnections <= 2 ]
)"));
  const Check check = broken(result);
  EXPECT_EQ(check.name, "always");
  EXPECT_EQ(check.expected, "gateway/edge.downstreamConnections <= 2");
  EXPECT_EQ(check.actual, "3");
  EXPECT_EQ(check.at.time_since_epoch(), 1004ms);  // a lookup, two ways, and the first bytes
}

TEST(Engine, EveryRequestIsAnsweredOnceIsCheckedWithoutBeingAsked) {
  const RunResult result =
      run_text(with_edge("steps: [ { request: GET http://edge/chapter/1 } ]\n"));
  ASSERT_FALSE(result.checks.empty());
  EXPECT_EQ(result.checks.back().name, "every request is answered once");
  EXPECT_TRUE(result.checks.back().passed);
}

TEST(Engine, AWorldWhoseTimeStandsStillFailsWithItsHost) {
  // The node is found at the gateway's own name: the request goes round in it for ever.
  const RunResult result = run_text(R"(
scenario: A test
limits: { instant: 20000 }
mesh:
  - virtualGateway: edge
    spec: { listeners: [ { portMapping: { port: 9080, protocol: http } } ] }
  - gatewayRoute: all
    virtualGateway: edge
    spec:
      httpRoute:
        match: { prefix: / }
        action: { target: { virtualService: { virtualServiceName: loop.shop.local } } }
  - virtualService: loop.shop.local
    spec: { provider: { virtualNode: { virtualNodeName: loop } } }
  - virtualNode: loop
    spec:
      listeners: [ { portMapping: { port: 9080, protocol: http } } ]
      serviceDiscovery: { dns: { hostname: edge } }
world: { services: { loop: { endpoints: 0 } } }
steps: [ { request: GET http://edge/, expect: { status: 200 } } ]
)");
  EXPECT_EQ(result.outcome, Outcome::Failed);
  EXPECT_THAT(broken(result).actual, HasSubstr("edge-1"));
}

TEST(Engine, ARunEndsAtItsLimits) {
  const RunResult events = run_text(with_edge(R"(
limits: { events: 50 }
steps: [ { requests: { get: http://edge/chapter/1, count: 100 }, expect: { 200: 100 } } ]
)"));
  EXPECT_EQ(broken(events).actual, "more than 50 events");
  const RunResult time = run_text(with_edge(R"(
limits: { time: 1m }
world: { services: { books: { respond: { after: 10s, then: hang } } } }
steps: [ { raw: { to: edge, send: "GET /chapter/1 HTTP/1.1\r\nHost: edge\r\n\r\n" },
           expect: { answers: [ 200, 200 ] } } ]
)"));
  EXPECT_EQ(time.outcome, Outcome::Failed);
  EXPECT_EQ(time.simulated, 1min);
}

TEST(Engine, RawBytesAreJudgedAsTheyCame) {
  const RunResult result = run_text(with_edge(R"(
steps:
  - raw: { to: edge, send: "GET /chapter/1 HTTP/1.1\r\nHost: e\r\n\r\nGET /x HTTP/1.1\r\nHost: e\r\n\r\n" }
    expect: { answers: [ 200, 404 ], closed: false, service: { count: 1 } }
  - raw: { to: edge, send: "get / HTTP/1.1\r\n\r\n", as: bad }
    expect: { status: 400, flags: DPE, closed: { after: 1s }, answer: { endsWith: Bad Request } }
  - raw: { to: edge, send: "GE", finish: true }
    expect: { failed: reset, service: none }
  - raw: { to: "edge:81", send: x }
    expect: { failed: connection refused }
)"));
  EXPECT_EQ(result.outcome, Outcome::Passed) << broken(result).name << broken(result).actual;
}

TEST(Engine, VeryLargeGroupsKeepNumbersOnly) {
  const RunResult result = run_text(with_edge(R"(
steps:
  - requests: { get: http://edge/chapter/1, count: 3000, as: many }
    expect: { 200: 3000, services: { books.shop.local: 3000 } }
  - expect: { service/books.shop.local: { requests: 3000 } }
)"));
  EXPECT_EQ(result.outcome, Outcome::Passed) << broken(result).name << broken(result).actual;
  EXPECT_EQ(result.requests.size(), 1000U);
}

TEST(Engine, AGatewayThatDoesNotStartFailsUnlessThatIsAsked) {
  const std::string mesh = R"(
scenario: A test
mesh:
  - virtualGateway: edge
    spec:
      listeners: [ { portMapping: { port: 9080, protocol: http } } ]
      logging: { accessLog: { file: { path: /none/log } } }
world: { gateways: { edge: { unwritable: [ /none/log ] } } }
)";
  const RunResult silent = run_text(mesh + "steps: [ { wait: 1s } ]\n");
  EXPECT_EQ(silent.outcome, Outcome::Failed);
  EXPECT_THAT(broken(silent).actual, HasSubstr("edge-1"));
  const RunResult asked =
      run_text(mesh + "steps: [ { expect: { gateway/edge: { running: 0 } } } ]\n");
  EXPECT_EQ(asked.outcome, Outcome::Passed);
}

TEST(Engine, ARefusedMeshIsJudgedByItsErrors) {
  const std::string mesh =
      "scenario: A test\nmesh: [ { virtualGateway: edge, spec: { listeners: [] } } ]\n";
  const auto outcome = [&](const std::string& refused) {
    return run_text(mesh + "steps: [ { expect: { refused: " + refused + " } } ]\n").outcome;
  };
  EXPECT_EQ(outcome("[ { pointer: /mesh/0/spec/listeners } ]"), Outcome::Passed);
  EXPECT_EQ(outcome("[ { pointer: /mesh/0/spec/tls } ]"), Outcome::Failed);
  EXPECT_EQ(outcome("true"), Outcome::Passed);
  EXPECT_EQ(outcome("false"), Outcome::Failed);
}

}  // namespace
}  // namespace conformance
