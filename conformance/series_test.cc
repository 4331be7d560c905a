#include "conformance/series.h"

#include <gtest/gtest.h>

#include "conformance/engine.h"
#include "conformance/test_scenario.h"

namespace conformance {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::ordered_json;

constexpr const char* kWorld = R"(scenario: A pool
mesh:
  - virtualGateway: edge
    spec: { listeners: [ { portMapping: { port: 9080, protocol: http }, connectionPool: { http: { maxConnections: 1, maxPendingRequests: 2 } } } ] }
  - gatewayRoute: all
    virtualGateway: edge
    spec: { httpRoute: { match: { prefix: / }, action: { target: { virtualService: { virtualServiceName: books.local } } } } }
  - virtualService: books.local
    spec: { provider: { virtualNode: { virtualNodeName: books } } }
  - virtualNode: books
    spec: { listeners: [ { portMapping: { port: 8080, protocol: http }, healthCheck: { protocol: http, path: /, healthyThreshold: 2, unhealthyThreshold: 2, intervalMillis: 5000, timeoutMillis: 2000 } } ], serviceDiscovery: { dns: { hostname: books.local } } }
world:
  services: { books: { respond: { status: 200, after: 100ms } } }
  clients: { reader: { connections: many } }
)";

std::string with_steps(const std::string& steps) {
  return kWorld + ("steps:\n" + steps);
}

const std::string kBurst =
    "  - { at: 1s, requests: { get: http://edge/x, count: 5 }, expect: { 200: 2, 503: 3 } }\n";

Json series_of(const std::string& steps) {
  return run(must_read(with_steps(steps)), {.seed = {}, .live = {}, .series = true, .window = {}})
      .series;
}

Json numbers(const Json& series, const std::string& of, const std::string& what) {
  for (const Json& each : series["numbers"]) {
    if (each["of"] == of && each["what"] == what) return each;
  }
  return nullptr;
}

TEST(Series, OfAPoolAreItsChangesAtTheirInstants) {
  const Json series = series_of(kBurst);
  const Json pending = numbers(series, "gateway/edge-1", "pendingRequests");
  ASSERT_FALSE(pending.is_null());
  EXPECT_EQ(pending["most"], 2);
  EXPECT_EQ(pending["points"][0], Json::array({0, 0}));
  std::int64_t before = -1;
  for (const Json& point : pending["points"]) {
    EXPECT_LT(before, point[0].get<std::int64_t>());
    before = point[0];
  }
  EXPECT_EQ(pending["points"].back()[1], 0);
  EXPECT_EQ(numbers(series, "gateway/edge-1", "overflow")["points"].back()[1], 3);
  EXPECT_EQ(numbers(series, "gateway/edge-1", "activeConnections")["most"], 1);
}

TEST(Series, OfAHealthAreBandsThatSayWhy) {
  const Json series = series_of(kBurst +
                                "  - { at: 61s, fault: { service/books: { health: { never: true } "
                                "} } }\n  - until: { endpoint/books-1: unhealthy }\n");
  for (const Json& state : series["states"]) {
    if (state["of"] != "endpoint/books-1") continue;
    EXPECT_EQ(state["by"], "gateway/edge-1");
    ASSERT_EQ(state["bands"].size(), 3U);
    EXPECT_EQ(state["bands"][0]["why"], "no check is over yet");
    EXPECT_EQ(state["bands"][1]["state"], "healthy");
    EXPECT_EQ(state["bands"][1]["to_ns"], state["bands"][2]["from_ns"]);
    EXPECT_EQ(state["bands"][2]["why"], "2 failed in a row, the last: no answer");
    return;
  }
  FAIL() << "no state of books-1";
}

TEST(Series, AreOnlyThereForWhoAsksAndChangeNothing) {
  const Scenario scenario = must_read(with_steps(kBurst));
  const RunResult without = run(scenario);
  const RunResult with = run(scenario, {.seed = {}, .live = {}, .series = true, .window = {}});
  EXPECT_TRUE(without.series.is_null());
  EXPECT_FALSE(with.series.is_null());
  EXPECT_EQ(without.trace_hash, with.trace_hash);
  EXPECT_EQ(without.events, with.events);
  EXPECT_EQ(with.series,
            run(scenario, {.seed = {}, .live = {}, .series = true, .window = {}}).series);
}

TEST(Series, AFailureHasThemAndItsTimelineKnowsRequests) {
  const RunResult result = run(must_read(
      with_steps("  - { at: 1s, request: { get: http://edge/x, as: one }, expect: { status: 404 } "
                 "}\n")));
  EXPECT_EQ(result.outcome, Outcome::Failed);
  EXPECT_FALSE(result.series.is_null());
  const auto& timeline = result.timeline;
  EXPECT_TRUE(std::any_of(timeline.begin(), timeline.end(),
                          [](const TimelineEntry& entry) { return entry.request == "one/1"; }));
  EXPECT_TRUE(std::any_of(timeline.begin(), timeline.end(), [](const TimelineEntry& entry) {
    return entry.who == "gateway/edge-1" && entry.what == "activeRequests 1 -> 0";
  }));
}

TEST(Kept, HasTheFirstAndTheLastAndCountsTheRest) {
  Kept<int> kept;
  for (int i = 0; i < 1000; ++i) kept.add(i);
  std::vector<int> all;
  kept.each([&all](int i) { all.push_back(i); });
  EXPECT_EQ(all.size(), 512U);
  EXPECT_EQ(all.front(), 0);
  EXPECT_EQ(all[255], 255);
  EXPECT_EQ(all[256], 744);
  EXPECT_EQ(kept.back(), 999);
  EXPECT_EQ(kept.left_out(), 488U);
}

}  // namespace
}  // namespace conformance
