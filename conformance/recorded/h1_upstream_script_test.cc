#include "conformance/recorded/upstream_script.h"

#include <gtest/gtest.h>

#include "conformance/recorded/test_pair.h"

namespace conformance::recorded {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

constexpr const char* kGet = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
constexpr const char* kOk = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

json only(const json& action) {
  return {{"default", action}, {"record_events", true}};
}

json send(const std::string& bytes) {
  return {{"send", bytes}};
}

/// What was seen, one word or text each: a request's bytes, or "eof", "reset" with what was left.
std::string words(const std::vector<Seen>& seen) {
  std::string text;
  for (const Seen& entry : seen) {
    if (!text.empty()) text += " | ";
    text += std::to_string(entry["conn"].get<int>()) + " ";
    for (const char* name : {"request", "tunnel", "event", "partial", "extra"}) {
      if (entry.contains(name)) {
        const std::string value = entry[name];
        text += value.substr(0, value.find("\r\n")) + (value.empty() ? "-" : "");
        text += name == std::string("event") ? " " : "";
      }
    }
  }
  return text;
}

TEST(ScriptedUpstream, GivesTheNthRequestItsNthAnswer) {
  TestPair pair(json{{"script", {{{"respond", "HTTP/1.1 204 A\r\n\r\n"}}}},
                     {"default", {{"respond", "HTTP/1.1 205 B\r\ncontent-length: 0\r\n\r\n"}}}});
  pair.run({send(std::string(kGet) + kGet + kGet), {{"recv", 3}}});
  EXPECT_EQ(pair.received,
            "HTTP/1.1 204 A\r\n\r\n"
            "HTTP/1.1 205 B\r\ncontent-length: 0\r\n\r\n"
            "HTTP/1.1 205 B\r\ncontent-length: 0\r\n\r\n");
}

TEST(ScriptedUpstream, KnowsWhereARequestEnds) {
  const std::string length = "POST /1 HTTP/1.1\r\ncontent-length: 3\r\n\r\nabc";
  const std::string chunked =
      "POST /2 HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nx-t: 1\r\n\r\n";
  TestPair pair(json::object());
  pair.run({send(length + chunked + kGet), {{"recv", 3}}});
  ASSERT_EQ(pair.seen.size(), 3U);
  EXPECT_EQ(pair.seen[0]["request"], length);
  EXPECT_EQ(pair.seen[1]["request"], chunked);
  EXPECT_EQ(pair.seen[2]["request"], kGet);
}

TEST(ScriptedUpstream, ActsOnTheHeadAndLeavesTheBodyUnread) {
  TestPair pair(only({{"on", "head"}, {"then", "hang"}}));
  pair.run({send("POST / HTTP/1.1\r\ncontent-length: 9\r\n\r\nabc"), {{"recv", 1}}});
  EXPECT_EQ(pair.received, kOk);
  EXPECT_EQ(words(pair.seen), "1 POST / HTTP/1.1 | 1 eof abc");
}

TEST(ScriptedUpstream, AsksForTheBodyThatWaitsForIt) {
  TestPair pair(only({{"on", "100"}}));
  pair.run({send("POST / HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n"),
            {{"recv", 1}, {"count_1xx", true}},
            send("hi"),
            {{"recv", 1}}});
  EXPECT_EQ(pair.received, std::string("HTTP/1.1 100 Continue\r\n\r\n") + kOk);
}

TEST(ScriptedUpstream, PausesBetweenParts) {
  TestPair pair(only(
      {{"delay_ms", 100}, {"parts", {"HTTP/1.1 200 OK\r\n\r\na", 250, "b"}}, {"then", "close"}}));
  pair.run({send(kGet), {{"recv", 1}}});
  EXPECT_EQ(pair.ended_at, 350ms);  // the end of the connection is the end of the answer
  EXPECT_EQ(pair.received, "HTTP/1.1 200 OK\r\n\r\nab");
}

TEST(ScriptedUpstream, WorksThroughATunnel) {
  TestPair pair(only(
      {{"respond", "HTTP/1.1 101 X\r\n\r\n"},
       {"tunnel", {{{"recv", 2}}, {{"send", "yo"}}, {{"sleep_ms", 30}}, {{"shutdown_wr", 1}}}}}));
  EXPECT_EQ(pair.run({send(kGet), {{"recv", 1}}, send("hi you"), {{"recv_until_len", 2}}}),
            "closed");
  EXPECT_EQ(pair.received, "HTTP/1.1 101 X\r\n\r\nyo");
  EXPECT_EQ(words(pair.seen), "1 GET / HTTP/1.1 | 1 hi | 1 eof  you");
}

TEST(ScriptedUpstream, EndsConnectionsAsItIsTold) {
  const struct {
    json script;
    const char* state;
    const char* seen;
  } cases[] = {
      {only({{"then", "close"}}), "closed", "1 GET / HTTP/1.1"},
      {only({{"then", "shutdown_wr"}}), "closed", "1 GET / HTTP/1.1 | 1 eof -"},
      {only({{"then", "reset"}}), "reset", "1 GET / HTTP/1.1"},
      {only({{"then", "reset_now"}}), "reset", "1 GET / HTTP/1.1"},
      {only({{"hang", true}}), "open", "1 GET / HTTP/1.1 | 1 eof -"},
      {{{"on_connect", "close"}}, "closed", "1 accepted-closed "},
      {{{"on_connect", "reset"}}, "reset", "1 accepted-reset "},
      {{{"connect_script", {nullptr, "close"}}}, "open", "1 GET / HTTP/1.1"},
  };
  for (const auto& each : cases) {
    TestPair pair(each.script);
    EXPECT_EQ(pair.run({send(kGet), {{"recv", 1}, {"timeout_ms", 500}}}), each.state);
    EXPECT_EQ(words(pair.seen), each.seen);
  }
}

TEST(ScriptedUpstream, RecordsEndsOnlyIfAskedOrIfSomethingIsLeft) {
  TestPair silent(json::object());
  silent.run({send(kGet), {{"recv", 1}}});
  EXPECT_EQ(words(silent.seen), "1 GET / HTTP/1.1");
  TestPair unfinished(json::object());
  unfinished.run({send("GET / HT"), {{"reset", 1}}});
  EXPECT_EQ(words(unfinished.seen), "1 reset GET / HT");
}

}  // namespace
}  // namespace conformance::recorded
