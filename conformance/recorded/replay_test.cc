#include "conformance/recorded/replay.h"

#include <fstream>
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "conformance/recorded/client_script.h"
#include "conformance/recorded/placeholders.h"

namespace conformance::recorded {
namespace {

TEST(Recorded, EveryCaseWithHttp1OnBothSidesAgrees) {
  std::ifstream file(RECORDED_HTTP);
  ASSERT_TRUE(file) << RECORDED_HTTP;
  std::map<std::string, int> agree;
  for (std::string line; std::getline(file, line);) {
    const Outcome outcome = replay(nlohmann::json::parse(line));
    if (outcome.verdict == Outcome::Verdict::Agree) ++agree[outcome.area];
    if (outcome.verdict != Outcome::Verdict::Differ) continue;
    std::string all;
    for (const std::string& one : differences(outcome.expected, outcome.actual)) all += one + "\n";
    ADD_FAILURE() << outcome.id << "\n" << all;
  }
  // A replayer that found nothing to replay would agree with everything.
  const std::map<std::string, int> expected = {
      {"path", 26},    {"match", 57},     {"host", 21},    {"rewrite", 21},
      {"headers", 34}, {"local", 34},     {"grpc", 5},     {"h1conn", 35},
      {"retry", 32},   {"malformed", 79}, {"timeout", 19}, {"websocket", 23}};
  EXPECT_EQ(agree, expected);
}

TEST(Recorded, AWrongAnswerIsSeen) {
  std::ifstream file(RECORDED_HTTP);
  std::string line;
  ASSERT_TRUE(std::getline(file, line));
  nlohmann::json record = nlohmann::json::parse(line);
  record["observed"]["client"]["connection"] = "reset";
  const Outcome outcome = replay(record);
  EXPECT_EQ(outcome.verdict, Outcome::Verdict::Differ);
  EXPECT_EQ(differences(outcome.expected, outcome.actual),
            std::vector<std::string>{
                "/client/connection\n  recorded:  \"reset\"\n  simulated: \"open\""});
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
  constexpr std::string_view kInterim =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n";
  EXPECT_EQ(end(kInterim, 1), kInterim.size());
  constexpr std::string_view kOpen = "HTTP/1.1 200 OK\r\n\r\nok";
  EXPECT_EQ(end(kOpen, 1), std::string_view::npos);
  EXPECT_EQ(end(kOpen, 1, false, true), kOpen.size());
}

TEST(Placeholders, StandForWhatDiffersFromRunToRun) {
  const Placeholders placeholders("11111111-2222-4333-8444-555555555555", "9080");
  EXPECT_EQ(placeholders.message("HTTP/1.1 200 OK\r\ndate: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
                                 "x-envoy-upstream-service-time: 12\r\n\r\n"),
            "HTTP/1.1 200 OK\r\ndate: <DATE>\r\nx-envoy-upstream-service-time: <MS>\r\n\r\n");
  EXPECT_EQ(placeholders.message("date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"),
            "date: Thu, 01 Jan 1970 00:00:00 GMT\r\n");
  EXPECT_EQ(placeholders.text("abcdef01-2345-9abc-8def-0123456789ab"), "<UUID:9>");
  EXPECT_EQ(placeholders.text("11111111-2222-9333-8444-555555555555"),
            "11111111-2222-9333-8444-555555555555");
  EXPECT_EQ(placeholders.text("a:9080 b:90801"), "a:<GATEWAY_PORT> b:90801");
  EXPECT_EQ(placeholders.message("x-envoy-expected-rq-timeout-ms: 14500\r\n"),
            "x-envoy-expected-rq-timeout-ms: <REMAINING_MS>\r\n");
}

}  // namespace
}  // namespace conformance::recorded
