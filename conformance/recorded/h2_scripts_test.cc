#include <gtest/gtest.h>

#include "conformance/latin1.h"
#include "conformance/recorded/test_pair.h"

namespace conformance::recorded {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

/// The records' list of pairs; two strings in braces would be an object's member.
json list(const h2::Headers& headers) {
  json pairs = json::array();
  for (const auto& [name, value] : headers) pairs.push_back(json::array({name, value}));
  return pairs;
}

const json kGet =
    list({{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}});
const json kOk = list({{":status", "200"}});
const json kTrailers = list({{"t", "1"}});

json only(json action) {
  return {{"default", std::move(action)}};
}

/// A whole request on a stream, which waits for nothing.
json get(int stream = 1) {
  return {{"headers", kGet}, {"stream", stream}, {"end_stream", true}};
}

/// The same, which waits for its end.
json get_and_wait(int stream = 1) {
  json step = get(stream);
  step["recv_end"] = stream;
  return step;
}

/// "HEADERS 1", "DATA 1 ok.", "RST_STREAM 1 CANCEL": a dot is END_STREAM.
std::string word(const json& frame) {
  std::string text = frame["type"].get<std::string>();
  text += " " + std::to_string(frame["stream"].get<int>());
  for (const char* name : {"data", "error", "opaque"}) {
    if (frame.contains(name)) text += " " + frame[name].get<std::string>();
  }
  if (frame.value("ack", false)) text += " ack";
  if (frame.value("end_stream", false)) text += ".";
  return text;
}

std::string words(const json& frames) {
  std::string text;
  for (const json& frame : frames) text += (text.empty() ? "" : ", ") + word(frame);
  return text;
}

std::string seen_words(const std::vector<Seen>& seen) {
  json frames = json::array();
  for (const Seen& entry : seen) frames.push_back(entry.value("frame", entry));
  return words(frames);
}

/// What the client gets for one action of the upstream, and how its connection is in the end.
struct ActionCase {
  json action;
  const char* frames;
  const char* state;
};

TEST(Http2Upstream, DoesWhatItsActionSays) {
  const ActionCase cases[] = {
      {json::object(), "HEADERS 1, DATA 1 ok.", "open"},
      {{{"headers", kOk}}, "HEADERS 1.", "open"},
      {{{"headers", kOk}, {"data", "abc"}}, "HEADERS 1, DATA 1 abc.", "open"},
      {{{"headers", kOk}, {"data", "abc"}, {"trailers", kTrailers}},
       "HEADERS 1, DATA 1 abc, HEADERS 1.",
       "open"},
      {{{"headers", kOk}, {"trailers", kTrailers}}, "HEADERS 1, HEADERS 1.", "open"},
      {{{"rst", 7}}, "RST_STREAM 1 REFUSED_STREAM", "open"},
      {{{"headers", kOk}, {"data", "abc"}, {"rst", 8}, {"gap_ms", 60}},
       "HEADERS 1, DATA 1 abc, RST_STREAM 1 CANCEL",
       "open"},
      {{{"informational", json::array({list({{":status", "103"}})})}},
       "HEADERS 1, HEADERS 1, DATA 1 ok.",
       "open"},
      {{{"goaway", {{"last", 1}, {"error", 0}}}},
       "GOAWAY 0 NO_ERROR, HEADERS 1, DATA 1 ok.",
       "open"},
      {{{"then", "close_before"}}, "", "closed"},
      {{{"then", "reset_before"}}, "", "closed"},
      {{{"headers", kOk}, {"data", "abc"}, {"open", true}, {"then", "close"}},
       "HEADERS 1, DATA 1 abc",
       "open"},
      {{{"headers", kOk}, {"data", "abc"}, {"then", "close"}}, "HEADERS 1, DATA 1 abc.", "closed"},
      {{{"headers", kOk},
        {"open", true},
        {"tunnel", {{{"send", "a"}}, {{"sleep_ms", 20}}, {{"send", "b"}}, {{"end", 1}}}}},
       "HEADERS 1, DATA 1 a, DATA 1 b, DATA 1 .",
       "open"},
      {{{"hang", true}}, "", "open"},
  };
  for (const ActionCase& each : cases) {
    TestPair pair(only(each.action), TestPair::Protocol::Http2);
    const json observed = pair.run_http2({{"steps", json::array({get_and_wait()})}});
    EXPECT_EQ(words(observed["frames"]), each.frames) << each.action;
    EXPECT_EQ(observed["connection"], each.state) << each.action;
  }
}

TEST(Http2Upstream, GivesTheNthRequestItsNthActionAndServesStreamsBesideEachOther) {
  TestPair pair({{"script", {{{"delay_ms", 100}}, {{"delay_ms", 50}, {"data", "2nd"}}}}},
                TestPair::Protocol::Http2);
  json last = get(5);
  last["recv_end"] = {1, 3, 5};
  const json observed = pair.run_http2({{"steps", {get(1), get(3), last}}});
  EXPECT_EQ(words(observed["frames"]),
            "HEADERS 5, DATA 5 ok., HEADERS 3, DATA 3 2nd., HEADERS 1, DATA 1 ok.");
  EXPECT_EQ(pair.ended_at, 180ms);
  EXPECT_EQ(seen_words(pair.seen), "HEADERS 1., HEADERS 3., HEADERS 5.");
}

TEST(Http2Upstream, WaitsForTheWholeRequestUnlessToldToActAtTheHead) {
  const json steps = {
      {{"headers", kGet}}, {{"sleep_ms", 50}}, {{"data", "x"}, {"end_stream", true}}};
  TestPair patient(json::object(), TestPair::Protocol::Http2);
  EXPECT_EQ(words(patient.run_http2({{"steps", {steps[0], steps[1]}}})["frames"]), "");
  TestPair whole(json::object(), TestPair::Protocol::Http2);
  EXPECT_EQ(words(whole.run_http2({{"steps", steps}})["frames"]), "HEADERS 1, DATA 1 ok.");
  EXPECT_EQ(seen_words(whole.seen), "HEADERS 1, DATA 1 x.");
  TestPair early(only({{"on", "head"}}), TestPair::Protocol::Http2);
  EXPECT_EQ(words(early.run_http2({{"steps", {steps[0], steps[1]}}})["frames"]),
            "HEADERS 1, DATA 1 ok.");
}

TEST(Http2Upstream, RecordsSettingsAndWindowsWhenTold) {
  TestPair pair({{"record_settings", true}, {"settings", json::array({json::array({3, 1})})}},
                TestPair::Protocol::Http2);
  const json observed = pair.run_http2({{"verbose", true},
                                        {"settings", json::array({json::array({4, 99})})},
                                        {"steps", json::array({get_and_wait()})}});
  EXPECT_EQ(pair.seen.at(0)["frame"]["settings"],
            json::array({json::array({"INITIAL_WINDOW_SIZE", 99})}));
  EXPECT_EQ(seen_words(pair.seen), "SETTINGS 0, HEADERS 1., WINDOW_UPDATE 0");
  EXPECT_EQ(observed["frames"][0]["settings"],
            json::array({json::array({"MAX_CONCURRENT_STREAMS", 1})}));
  EXPECT_EQ(words(observed["frames"]), "SETTINGS 0, SETTINGS 0 ack, HEADERS 1, DATA 1 ok.");
}

TEST(Http2Upstream, ReturnsTheWindowOfBothForEveryDataFrame) {
  TestPair pair(json::object(), TestPair::Protocol::Http2);
  const json observed = pair.run_http2(
      {{"verbose", true},
       {"steps",
        {{{"headers", kGet}, {"with_data", "abc"}}, {{"data", ""}}, {{"recv_idle_ms", 1}}}}});
  EXPECT_EQ(words(observed["frames"]),
            "SETTINGS 0, SETTINGS 0 ack, WINDOW_UPDATE 0, WINDOW_UPDATE 1");
}

TEST(Http2Upstream, EndsConnectionsAtOnceWhenTold) {
  TestPair pair({{"connect_script", {"reset", nullptr}}}, TestPair::Protocol::Http2);
  const json observed = pair.run_http2({{"steps", json::array({get_and_wait()})}});
  EXPECT_EQ(observed["connection"], "closed");
  EXPECT_EQ(pair.seen.at(0)["event"], "accepted-reset");
}

TEST(Http2Client, SendsWhatItsStepsSay) {
  const json steps = {
      {{"headers", kGet}, {"with_data", "ab"}, {"end_stream", true}, {"stream", 3}},
      {{"headers_repeat", {{"base", kGet}, {"name", "h%d"}, {"value", "v"}, {"n", 2}}},
       {"stream", 5}},
      {{"headers", kGet}, {"stream", 7}},
      {{"rst", 8}, {"stream", 7}},
      {{"ping", "0102030405060708"}, {"recv_type", "PING"}},
      {{"raw_hex", "000003420000000000616263"}},
      {{"goaway", 2}, {"stream", 0}},
      {{"recv_end", {3, 5}}},
  };
  TestPair pair(json::object(), TestPair::Protocol::Http2);
  const json observed = pair.run_http2({{"steps", steps}});
  EXPECT_EQ(words(observed["frames"]),
            "HEADERS 3, DATA 3 ok., HEADERS 5, DATA 5 ok., PING 0 0102030405060708 ack");
  EXPECT_EQ(seen_words(pair.seen),
            "HEADERS 3, DATA 3 ab., HEADERS 5., HEADERS 7, RST_STREAM 7 CANCEL, "
            "GOAWAY 0 INTERNAL_ERROR");
  json repeated = kGet;
  repeated.push_back(json::array({"h0", "v"}));
  repeated.push_back(json::array({"h1", "v"}));
  EXPECT_EQ(pair.seen.at(2)["frame"]["headers"], repeated);
}

TEST(Http2Client, ReturnsTheWindowUnlessToldNotTo) {
  const json script = {{"record_settings", true},
                       {"default", {{"headers", kOk}, {"data", "abc"}, {"trailers", kTrailers}}}};
  TestPair pair(script, TestPair::Protocol::Http2);
  pair.run_http2({{"steps", json::array({get_and_wait()})}});
  EXPECT_EQ(seen_words(pair.seen), "SETTINGS 0, HEADERS 1., WINDOW_UPDATE 0, WINDOW_UPDATE 1");
  TestPair stingy(script, TestPair::Protocol::Http2);
  stingy.run_http2({{"no_window_update", true}, {"steps", json::array({get_and_wait()})}});
  EXPECT_EQ(seen_words(stingy.seen), "SETTINGS 0, HEADERS 1.");
}

TEST(Http2Client, SendsNoPrefaceWhenToldSo) {
  TestPair pair(json{{"default", {{"respond", "HTTP/1.1 204 A\r\n\r\n"}}}});
  const json observed = pair.run_http2(
      {{"no_preface", true},
       {"steps", json::array({{{"raw", "GET / HTTP/1.1\r\n\r\n"}, {"recv_idle_ms", 10}}})}});
  EXPECT_EQ(pair.seen.at(0)["request"], "GET / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(observed["trailing_raw"], "HTTP/1.1 204 A\r\n\r\n");
}

/// When the client is through, and how it judges its connection.
TEST(Http2Client, WaitsAsLongAsTheVocabularySaysAndJudgesTheConnection) {
  const struct {
    const char* name;
    json action;
    json steps;
    world::Duration ended_at;
    const char* state;
  } cases[] = {
      {"answered", json::object(), json::array({get_and_wait()}), 80ms, "open"},
      {"a wait runs out, nothing came",
       {{"hang", true}},
       json::array({get_and_wait()}),
       4680ms,
       "open"},
      {"a step's own time",
       {{"hang", true}},
       json::array({{{"headers", kGet}, {"recv_end", 1}, {"timeout_ms", 700}}}),
       2380ms,
       "open"},
      {"a GOAWAY was seen",
       {{"goaway", {{"last", 1}, {"error", 0}}}},
       json::array({get_and_wait()}),
       1680ms,
       "open"},
      {"ended at once", {{"then", "close_before"}}, json::array({get_and_wait()}), 0ms, "closed"},
      {"ended after 599 ms",
       {{"delay_ms", 599}, {"then", "close_before"}},
       json::array({get_and_wait()}),
       599ms,
       "closed"},
      {"ended after 600 ms",
       {{"delay_ms", 600}, {"then", "reset_before"}},
       json::array({get_and_wait()}),
       600ms,
       "closed-after-1s"},
      {"ended after the last step",
       {{"delay_ms", 1500}, {"then", "close_before"}},
       {get(), {{"recv_idle_ms", 200}}},
       1500ms,
       "closed-after-2s"},
      {"ended before the last step",
       {{"then", "close_before"}},
       {get(), {{"sleep_ms", 900}}, {{"recv_idle_ms", 100}}},
       900ms,
       "closed"},
  };
  for (const auto& each : cases) {
    TestPair pair(only(each.action), TestPair::Protocol::Http2);
    const json observed = pair.run_http2({{"steps", each.steps}});
    EXPECT_EQ(observed["connection"], each.state) << each.name;
    EXPECT_EQ(pair.ended_at, each.ended_at) << each.name;
  }
}

}  // namespace
}  // namespace conformance::recorded
