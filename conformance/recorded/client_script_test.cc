#include "conformance/recorded/client_script.h"

#include <gtest/gtest.h>

#include "conformance/recorded/test_pair.h"

namespace conformance::recorded {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

constexpr const char* kGet = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
constexpr const char* kOk = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
constexpr const char* kClosing =
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

/// A script whose every answer has these parts, and then does that.
json answers(json parts, const char* then = "keep") {
  return {{"default", {{"parts", std::move(parts)}, {"then", then}}}};
}

json get_and(json step) {
  return {{{"send", kGet}}, std::move(step)};
}

TEST(Responses, EndWhereTheirFramingSays) {
  const auto end = [](std::string_view bytes, std::size_t count, bool head = false,
                      bool ended = false) {
    return responses_end(bytes, 0, count, head, false, ended);
  };
  constexpr std::string_view kLength = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
  EXPECT_EQ(end(kLength, 1), kLength.size());
  EXPECT_EQ(end(kLength.substr(0, kLength.size() - 1), 1), std::string_view::npos);
  EXPECT_EQ(end(kLength, 1, true), kLength.size() - 2);
  constexpr std::string_view kChunked =
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
  EXPECT_EQ(end(kChunked, 1), kChunked.size());
  EXPECT_EQ(end(kChunked.substr(0, kChunked.size() - 2), 1), std::string_view::npos);
  constexpr std::string_view kInterim =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n";
  EXPECT_EQ(end(kInterim, 1), kInterim.size());
  EXPECT_EQ(responses_end(kInterim, 0, 1, false, true, false), 25U);
  constexpr std::string_view kSwitched = "HTTP/1.1 101 Switching Protocols\r\n\r\nbytes";
  EXPECT_EQ(end(kSwitched, 1), kSwitched.size() - 5);
  constexpr std::string_view kOpen = "HTTP/1.1 200 OK\r\n\r\nok";
  EXPECT_EQ(end(kOpen, 1), std::string_view::npos);
  EXPECT_EQ(end(kOpen, 1, false, true), kOpen.size());
}

/// How a connection's end is named. Each case: what the upstream does, what the client does.
struct EndCase {
  const char* name;
  json script;
  json steps;
  const char* state;
};

TEST(ConnectionState, FollowsFromWhenAndHowTheConnectionEnds) {
  const json wait_for_answer = get_and({{"recv", 1}});
  const json wait_and_idle = {{{"send", kGet}}, {{"recv", 1}}, {{"recv_idle_ms", 4000}}};
  const json part = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nok";
  const EndCase cases[] = {
      {"nothing ends", answers({kOk}), wait_for_answer, "open"},
      {"right after the answer", answers({kOk}, "close"), wait_for_answer, "closed"},
      {"80 ms after the last step", answers({kOk, 80}, "close"), wait_for_answer, "closed"},
      {"81 ms after the last step", answers({kOk, 81}, "close"), wait_for_answer, "open"},
      {"later, but announced", answers({kClosing, 1000}, "close"), wait_for_answer,
       "closed-after-1s"},
      {"announced, too late", answers({kClosing, 1681}, "close"), wait_for_answer, "open"},
      {"announced, never done", answers({kClosing}), wait_for_answer, "open"},
      {"an abort after the answer", answers({kOk}, "reset"), wait_for_answer, "reset"},
      {"an abort later, announced", answers({kClosing, 900}, "reset"), wait_for_answer, "reset"},
      {"within a wait", answers({part, 500}, "close"), wait_for_answer, "closed"},
      {"an abort within a wait", answers({part, 500}, "reset_now"), wait_for_answer, "reset"},
      {"idle for 599 ms", answers({kOk, 599}, "close"), wait_and_idle, "closed"},
      {"idle for 600 ms", answers({kOk, 600}, "close"), wait_and_idle, "closed-after-1s"},
      {"idle for 2 s", answers({kOk, 2000}, "close"), wait_and_idle, "closed-after-2s"},
      {"idle for 2 s, then aborted", answers({kOk, 2000}, "reset_now"), wait_and_idle,
       "reset-after-2s"},
      {"a wait that runs out is no error", answers({part}, "hang"),
       get_and({{"recv", 1}, {"timeout_ms", 100}}), "open"},
      {"the client closes", answers({kOk}), json{{{"send", kGet}}, {{"recv", 1}}, {{"close", 1}}},
       "client-closed"},
      {"the client aborts", answers({kOk}), json{{{"send", kGet}}, {{"recv", 1}}, {{"reset", 1}}},
       "client-reset"},
      {"a write after the end", answers({kOk}, "close"),
       json{{{"send", kGet}}, {{"recv", 1}}, {{"sleep_ms", 10}}, {{"send", kGet}}, {{"recv", 1}}},
       "closed"},
      // The first one is answered by a reset, the second one fails.
      {"two writes after the end", answers({kOk}, "close"),
       json{{{"send", kGet}},
            {{"recv", 1}},
            {{"send", kGet}},
            {{"sleep_ms", 10}},
            {{"send", kGet}},
            {{"recv", 1}}},
       "reset"},
      {"a write that fails", answers({kOk}, "reset_now"),
       json{{{"send", kGet}}, {{"sleep_ms", 10}}, {{"send", kGet}}}, "reset"},
  };
  for (const EndCase& each : cases) {
    TestPair pair(each.script);
    EXPECT_EQ(pair.run(each.steps), each.state) << each.name;
  }
}

TEST(ScriptedClient, WaitsForAsManyAnswersAsItIsTold) {
  TestPair pair(answers({40, kOk}));
  pair.run({{{"send_repeat", {kGet, 3}}}, {{"recv", 2}}, {{"recv", 1}}});
  // Three answers of 40 ms each, then 80 ms in which the connection might end.
  EXPECT_EQ(pair.ended_at, 200ms);
  EXPECT_EQ(pair.received, std::string(kOk) + kOk + kOk);
}

TEST(ScriptedClient, GoesOnWhenAWaitHasRunOut) {
  TestPair pair(json{{"default", {{"hang", true}}}});
  pair.run(get_and({{"recv", 1}}));
  EXPECT_EQ(pair.ended_at, 3080ms);
}

TEST(ScriptedClient, CountsBytesAfterWhatEarlierStepsTook) {
  TestPair pair(answers({kOk, 50, "abc", 50, "def", 50, "ghi"}));
  pair.run({{{"send", kGet}}, {{"recv", 1}}, {{"recv_until_len", 4}}, {{"recv_text", "h"}}});
  EXPECT_EQ(pair.ended_at, 230ms);
}

TEST(ScriptedClient, PutsThePortInPlaceOfItsPlaceholder) {
  TestPair pair(json::object());
  pair.run({{{"send", "GET / HTTP/1.1\r\nhost: a:<GATEWAY_PORT>\r\n\r\n"}}, {{"recv", 1}}});
  EXPECT_EQ(pair.seen.at(0)["request"], "GET / HTTP/1.1\r\nhost: a:9080\r\n\r\n");
}

TEST(ScriptedClient, ReadsOnlyWhereItWaits) {
  TestPair pair(json::object());
  EXPECT_EQ(pair.run({{{"send", kGet}}, {{"sleep_ms", 50}}, {{"close", 1}}}), "client-closed");
  EXPECT_EQ(pair.received, "");
}

TEST(ScriptedClient, ReadsOnAfterItsOwnEnd) {
  TestPair pair(json{{"default", {{"delay_ms", 100}}}, {"record_events", true}});
  EXPECT_EQ(pair.run({{{"send", kGet}}, {{"shutdown_wr", 1}}, {{"recv", 1}}}), "closed");
  EXPECT_EQ(pair.received, kOk);
}

}  // namespace
}  // namespace conformance::recorded
