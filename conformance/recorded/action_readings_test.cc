#include "conformance/recorded/action_readings.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace conformance::recorded {
namespace {

using nlohmann::json;

const Statistics kStatistics = {{"listener.ingress.downstream_cx_total", 2},
                                {"http.ingress.downstream_cx_total", 3},
                                {"cluster.up.membership_total", 1},
                                {"cluster.up.membership_excluded", 0},
                                {"proxy_proto.versions.v1.found", 4}};

TEST(ActionReadings, StatisticsHaveTheNameThatWasAsked) {
  EXPECT_EQ(statistics_reading(kStatistics, {{"names", {"proxy_proto.*"}}}),
            json({{"proxy_proto.versions.v1.found", 4}}));
  EXPECT_EQ(
      statistics_reading(kStatistics, {{"prefix", "cluster.up."}, {"names", {"membership_*"}}}),
      json({{"membership_total", 1}}));
  EXPECT_EQ(statistics_reading(
                kStatistics,
                {{"prefix", "cluster.up."}, {"names", {"membership_excluded"}}, {"zeros", true}}),
            json({{"membership_excluded", 0}}));
  EXPECT_EQ(statistics_reading(kStatistics, {{"names", {"http.ingress.downstream_cx_total"}},
                                             {"full_names", true}}),
            json({{"http.ingress.downstream_cx_total", 3}}));
  EXPECT_THROW(statistics_reading(kStatistics, {{"names", {"downstream_rq_tot"}}}), NotSupported);
  EXPECT_EQ(statistic(kStatistics, "membership_total"), 1U);
}

TEST(ActionReadings, AccessLogsHaveThreeForms) {
  std::vector<ActionLogLine> lines(3);
  for (ActionLogLine& line : lines) {
    line.fields = {{"code", "200"}, {"flags", "-"}, {"details", "via_upstream"}, {"peer", "a"}};
  }
  lines[1].fields["flags"] = "UH";
  const auto peer = [](const std::string& address) { return address + "!"; };
  EXPECT_EQ(access_log_reading(lines, {{"fields", {"code", "flags"}}}, peer),
            json::parse(R"([{"code": 200}, {"code": 200, "flags": "UH"}, {"code": 200}])"));
  EXPECT_EQ(access_log_reading(lines, {{"fields", {"peer"}}, {"form", "values"}}, peer),
            json({"a!", "a!", "a!"}));
  const json words = {{"fields", {"flags", "details"}}, {"form", "distinct-words"}};
  EXPECT_EQ(access_log_reading(lines, words, peer), json({"- via_upstream", "UH via_upstream"}));
  EXPECT_THROW(access_log_reading(lines, {{"fields", {"colour"}}}, peer), NotSupported);
}

TEST(ActionReadings, ALineOfTheLogIsReadBack) {
  const auto lines = read_action_log(
      "q\x1f"
      "200\x1f-\x1fvia_upstream\x1f-\x1fTLS_error\x1f-\x1f"
      "10.0.0.1\x1f\x1e\n");
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].id, "q");
  EXPECT_EQ(lines[0].fields.at("details"), "via_upstream");
  EXPECT_EQ(lines[0].fields.at("dfail"), "TLS_error");
  EXPECT_EQ(lines[0].fields.at("peer"), "10.0.0.1");
}

TEST(ActionReadings, EventsHaveFiveForms) {
  const json headers = {{"connection", "close"}, {"server", "envoy"}};
  const std::vector<Event> events = {{{}, {"up_req", "c1", "a"}},
                                     {{}, {"response", "a", 200, headers, "ok"}},
                                     {{}, {"client_goaway", "k", 0, 1}},
                                     {{}, {"client_conn_closed", "k", "fin"}}};
  const auto reading = [&](json step) { return events_reading(events, 1, step); };
  EXPECT_EQ(
      reading({{"form", "brief"}, {"drop", {"client_conn_closed"}}}),
      json::parse(R"([{"status": 200, "connection": "close"}, ["client_goaway", "k", 0, 1]])"));
  EXPECT_EQ(reading({{"form", "triples"}, {"drop", {"client_goaway", "client_conn_closed"}}}),
            json::parse(R"([["response", 200, "close"]])"));
  EXPECT_EQ(reading({{"headers", {"connection"}}, {"drop", {"client_goaway"}}}),
            json::parse(R"([["response", "a", 200, {"connection": "close"}, "ok"],
                            ["client_conn_closed", "k", "fin"]])"));
  EXPECT_EQ(reading({{"form", "words-short"}, {"drop", {"response"}}}),
            json({"client_conn_closed k fin", "client_goaway k"}));
  EXPECT_EQ(reading({{"form", "words"}, {"drop", {"response"}}}),
            json({"client_conn_closed k fin", "client_goaway k 0 1"}));
  EXPECT_EQ(events_reading(events, 0, {{"drop", {"up_*", "response", "client_goaway"}}}).size(),
            1U);
  EXPECT_EQ(upstream_events_reading(events, {{"kinds", {"up_req"}}}), json({"up_req c1 a"}));
}

}  // namespace
}  // namespace conformance::recorded
