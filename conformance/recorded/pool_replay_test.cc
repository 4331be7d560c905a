#include "conformance/recorded/pool_replay.h"

#include <gtest/gtest.h>

#include "conformance/recorded/pool_events.h"

namespace conformance::recorded {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

json record_of(json pool, json steps, json extra = json::object()) {
  return {{"id", "test"},
          {"area", "pool"},
          {"config",
           {{"portMapping", {{"protocol", "http"}}},
            {"connectionPool", {{"http", std::move(pool)}}},
            {"routeTimeoutMs", 15000},
            {"extra", std::move(extra)}}},
          {"stimulus", std::move(steps)},
          {"observed", {{"timeline", json::array()}}}};
}

TEST(PoolReplay, ARequestIsSeenWhereItGoesAndWhatComesBack) {
  const json seen = replay_pool(
      record_of({{"maxConnections", 1}, {"maxPendingRequests", 1}}, {"send r1", "respond r1 404"}),
      0);
  EXPECT_EQ(seen["timeline"][0],
            json::parse(R"({"step": "send r1", "upstream": ["up_conn c1", "up_req c1 r1"]})"));
  EXPECT_EQ(seen["timeline"][1]["responses"][0]["status"], 404);
  EXPECT_EQ(seen["timeline"][1]["responses"][0]["body"], "ok-r1");
  EXPECT_EQ(seen["access_log"], json::parse(R"({"r1": {"code": 404, "details": "via_upstream"}})"));
  EXPECT_EQ(seen["counters"]["upstream_cx_total"], 1);
}

TEST(PoolReplay, WhatIsNotAtTheUpstreamIsNoted) {
  const json seen = replay_pool(
      record_of({{"maxConnections", 1}, {"maxPendingRequests", 0}}, {"send r1", "respond r1"}), 0);
  EXPECT_EQ(seen["timeline"][0]["responses"][0]["status"], 503);
  EXPECT_EQ(seen["timeline"][1], json::parse(R"({"step": "respond r1",
                                                 "note": "not at the upstream"})"));
}

TEST(PoolReplay, TimesOfAWaitAreFromTheSending) {
  // Each step leaves the world alone for 80 ms, so the second is sent 280 ms after the first.
  json record = record_of({}, {"send r1", "wait 0.1", "send r2", "wait 1"});
  record["config"]["routeTimeoutMs"] = 700;
  const json seen = replay_pool(record, 0);
  const json& responses = seen["timeline"][3]["responses"];
  ASSERT_EQ(responses.size(), 2U);
  EXPECT_EQ(responses[0]["since_sent_s"], 0.7);
  EXPECT_EQ(responses[1]["since_sent_s"], 0.7);
}

TEST(PoolReplay, WhatIsNotKnownIsUnsupportedAndSaysSo) {
  EXPECT_EQ(unsupported_pool(record_of({}, {"explode r1"})), "the step explode r1");
  EXPECT_EQ(unsupported_pool(record_of({}, {"send r1"}, {{"gravity", 9.81}})),
            "the setting gravity");
  EXPECT_EQ(unsupported_pool(record_of({}, {"send r1"}, {{"retry", {{"retry_on", "moon"}}}})),
            "the retry condition moon");
  EXPECT_EQ(unsupported_pool(record_of({}, {"send r1"})), "");
}

TEST(PoolEvents, EventsOfAStepAreSortedByConnectionAndKind) {
  PoolEvents events;
  using Kind = PoolEvents::Kind;
  events.upstream(Kind::Close, "up_close", 7, 2, "fin");
  events.upstream(Kind::Request, "up_req", 7, 10, "r1");
  events.upstream(Kind::Accept, "up_conn", 7, 2);
  events.upstream(Kind::Accept, "up_conn", 3, 1);
  EXPECT_EQ(events.take("x", false, true)["upstream"],
            json::parse(R"(["up_conn hostA:c2", "up_close hostA:c2 fin", "up_req hostA:c10 r1",
                            "up_conn hostB:c1"])"));
  events.client("client_conn_closed b fin", 480ms);
  EXPECT_EQ(events.take("wait 1", true, false)["client"],
            json::parse(R"(["client_conn_closed b fin since_connect_s=0.5"])"));
}

}  // namespace
}  // namespace conformance::recorded
