#include "conformance/recorded/action_script.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "conformance/recorded/action_replay.h"

namespace conformance::recorded {
namespace {

using nlohmann::json;

/// Runs the steps, gives the last one's result.
json run(ActionScript& script, const std::vector<json>& steps) {
  json result;
  for (const json& step : steps) result = script.run(step);
  return result;
}

json gateway(const json& settings = json::object()) {
  return {{"gateway", settings}};
}

json upstream(json settings) {
  if (!settings.contains("proto")) settings["proto"] = "http1";
  return {{"upstream", std::move(settings)}};
}

const json kStart = {{"start", "gateway"}};

TEST(ActionScript, ARequestIsAnsweredAndSeenEverywhere) {
  for (const char* proto : {"http1", "http2"}) {
    ActionScript script({});
    const json answer = run(script, {gateway(),
                                     upstream(json::object()),
                                     kStart,
                                     {{"connect", "k"}, {"proto", proto}},
                                     {{"request", "k"}, {"id", "a"}, {"wait_ms", 100}}});
    EXPECT_EQ(answer["status"], 200);
    EXPECT_EQ(answer["body"], "ok-a");
    EXPECT_EQ(answer["host"], 1);
    EXPECT_FALSE(answer.contains("flags_and_details"));
    EXPECT_EQ(run(script, {{{"read", "upstream_events"}, {"kinds", {"up_conn", "up_req"}}}}),
              json({"up_conn c1", "up_req c1 a"}));
    EXPECT_EQ(run(script, {{{"read", "access_log"}, {"fields", {"code", "flags", "details"}}}}),
              json::parse(R"([{"code": 200, "details": "via_upstream"}])"));
    const json header = {{"read", "upstream_request_header"}, {"id", "a"}, {"name", "x-id"}};
    EXPECT_EQ(run(script, {header}), "a");
  }
}

TEST(ActionScript, AHeldRequestIsAnsweredWhenTheScriptSaysSo) {
  for (const char* proto : {"http1", "http2"}) {
    ActionScript script({});
    const json events = run(script, {gateway({{"upstream_protocol", proto}}),
                                     upstream({{"proto", proto}, {"answer", "hold"}}),
                                     kStart,
                                     {{"connect", "k"}, {"proto", "http1"}},
                                     {{"request", "k"}, {"id", "a"}},
                                     {{"settle", 90}},
                                     {{"mark", "m"}},
                                     {{"respond", "a"}, {"status", 503}},
                                     {{"settle", 90}},
                                     {{"read", "events"}, {"since", "m"}, {"form", "triples"}}});
    EXPECT_EQ(events, json::parse(R"([["response", 503, null]])"));
  }
}

TEST(ActionScript, AnUpstreamThatHoldsARequestDoesNotSeeTheEnd) {
  ActionScript script({});
  const std::vector<json> steps = {gateway({{"route", {{"timeout", "0.2s"}}}}),
                                   upstream({{"answer", "hold"}}),
                                   kStart,
                                   {{"connect", "k"}, {"proto", "http1"}},
                                   {{"request", "k"}, {"id", "a"}, {"wait_ms", 500}}};
  EXPECT_EQ(run(script, steps)["flags_and_details"], "UT response_timeout");
  const json closes = {{"read", "upstream_events"}, {"kinds", {"up_close"}}};
  EXPECT_EQ(run(script, {closes}), json::array());
  EXPECT_EQ(run(script, {{{"respond", "a"}}, {{"settle", 90}}, closes}), json({"up_close c1 fin"}));
}

TEST(ActionScript, TheEndOfAConnectionIsTimed) {
  ActionScript script({});
  const json end =
      run(script, {gateway({{"http", {{"request_headers_timeout", "0.6s"}}}}),
                   upstream(json::object()),
                   kStart,
                   {{"connect", "c"}},
                   {{"send", "c"}, {"bytes", "GET / HTTP/1.1\r\n"}},
                   {{"read_to_end", "c"}, {"timeout_ms", 3000}, {"clock", "last-send"}}});
  EXPECT_EQ(end["close"], "fin");
  EXPECT_EQ(end["after_s"], 1.6);
  EXPECT_EQ(end["late_close_after_s"], 1.6);
  EXPECT_EQ(end["status_line"], "HTTP/1.1 408 Request Timeout");
  EXPECT_EQ(end["has_connection_close"], true);
  EXPECT_EQ(end["body"], "request header timeout");
}

TEST(ActionScript, BytesGoInPieces) {
  ActionScript script({});
  const json sent = {{"send", "c"},
                     {"hex", "474554202f20485454502f312e310d0a686f73743a20610d0a0d0a"},
                     {"chunk", 5},
                     {"gap_ms", 100}};
  const json head = run(script, {gateway({{"routes", "none"}}),
                                 upstream(json::object()),
                                 kStart,
                                 {{"connect", "c"}},
                                 sent,
                                 {{"read_head", "c"}}});
  EXPECT_EQ(head["status_line"], "HTTP/1.1 404 Not Found");
}

TEST(ActionScript, EveryFinishedProbeIsARow) {
  struct Case {
    const char* protocol;
    const char* upstream;
    std::vector<std::string> words;
    std::vector<std::size_t> connections;
    std::vector<std::string> states;
  };
  const std::vector<Case> cases = {
      {"http",
       "http1",
       {"ok", "503", "ok-close", "imm", "204"},
       {1, 1, 1, 2, 2},
       {"healthy", "unhealthy", "unhealthy", "healthy", "unhealthy"}},
      {"http",
       "http1",
       {"ok", "to", "fin", "ok"},
       {1, 1, 2, 3},
       {"healthy", "healthy", "unhealthy", "unhealthy"}},
      {"http",
       "http1",
       {"ok", "refuse", "refuse", "ok"},
       {1, 2},
       {"healthy", "healthy", "unhealthy", "unhealthy"}},
      {"http",
       "http1",
       {"head", "garbage", "slow:0.1"},
       {1, 2, 3},
       {"unhealthy", "unhealthy", "unhealthy"}},
      {"http2",
       "http2",
       {"ok", "rststream8", "goaway", "ga-err", "ok"},
       {1, 1, 1, 2, 3},
       {"healthy", "healthy", "healthy", "healthy", "healthy"}},
      {"grpc",
       "grpc",
       {"ok", "gs14", "SERVING", "badmsg", "goaway", "nomsg", "noct", "503"},
       {1, 1, 1, 1, 1, 2, 2, 2},
       {"healthy", "unhealthy", "unhealthy", "unhealthy", "unhealthy", "unhealthy", "unhealthy",
        "unhealthy"}},
      {"tcp", "tcp", {"ok", "rst", "fin"}, {1, 2, 3}, {"healthy", "healthy", "healthy"}}};
  for (const Case& each : cases) {
    SCOPED_TRACE(each.words.at(1));
    ActionScript script({});
    const json check = {{"protocol", each.protocol},
                        {"interval", "0.4s"},
                        {"timeout", "0.2s"},
                        {"unhealthy_threshold", 2},
                        {"no_traffic_interval", "0.4s"},
                        {"healthy_threshold", 2}};
    const std::string speaks = each.protocol == std::string("http2") ? "http2" : "http1";
    const json probes =
        run(script, {gateway({{"health_check", check}, {"upstream_protocol", speaks}}),
                     upstream({{"proto", each.upstream}, {"health_answers", each.words}}),
                     kStart,
                     {{"run_until_probes_done", each.words.size()}, {"most_ms", 20000}}});
    EXPECT_EQ(probes["connections"], json(each.connections));
    ASSERT_EQ(probes["states"].size(), each.words.size());
    for (std::size_t i = 0; i < each.words.size(); ++i) {
      EXPECT_EQ(probes["states"][i]["answer"], each.words[i]);
      EXPECT_EQ(probes["states"][i]["state"], each.states[i]) << i;
    }
  }
}

TEST(ActionScript, WhatTheVocabularyDoesNotHaveIsNotSupported) {
  const auto reason = [](const std::vector<json>& steps) -> std::string {
    const json record = {{"actions", steps}, {"observed", json::object()}};
    return replay_actions(record, 0, 0).unsupported;
  };
  EXPECT_EQ(reason({{{"dance", 1}}}), "the step {\"dance\":1}");
  EXPECT_EQ(reason({{{"wait_ms", 1}, {"loudly", true}}}), "the argument loudly of wait_ms");
  EXPECT_EQ(reason({gateway({{"hops", 2}}), kStart}), "the gateway's hops 2");
  EXPECT_EQ(reason({gateway({{"http", {{"codec", "x"}}}}), kStart}), "the http setting codec");
  EXPECT_EQ(reason({upstream({{"proto", "smoke"}})}), "an upstream of protocol smoke");
  EXPECT_EQ(reason({upstream({{"health_answers", {"maybe"}}})}), "the probe's answer maybe");
  EXPECT_EQ(reason({gateway({{"health_check", {{"interval", "soon"}}}}), kStart}),
            "a number that is none");
  EXPECT_EQ(
      reason(
          {gateway(), upstream(json::object()), kStart, {{"read", "stats"}, {"names", {"magic"}}}}),
      "the statistic magic");
}

TEST(ActionScript, ResultsAreComparedWhereTheyWereRecorded) {
  const auto replayed = [](const json& observed) {
    const json record = {{"actions",
                          {gateway({{"routes", "none"}}),
                           upstream(json::object()),
                           kStart,
                           {{"connect", "k"}, {"proto", "http1"}},
                           {{"request", "k"}, {"id", "a"}, {"wait_ms", 100}, {"at", "/answer"}},
                           {{"watch_ms", 300}, {"at", "/not-recorded"}},
                           {{"try_connect", true}, {"at", "/tcp"}}}},
                         {"observed", observed}};
    return replay_actions(record, 0, 0);
  };
  const auto right = replayed({{"answer", {{"status", 404}}}, {"tcp", "accepted"}});
  EXPECT_EQ(right.expected, right.actual);
  EXPECT_EQ(right.expected.size(), 2U);
  const auto wrong = replayed({{"answer", {{"status", 404}, {"host", 1}}}});
  EXPECT_NE(wrong.expected, wrong.actual);
}

}  // namespace
}  // namespace conformance::recorded
