#include "conformance/recorded/placeholders.h"

#include <gtest/gtest.h>

namespace conformance::recorded {
namespace {

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

TEST(Placeholders, StandForTheValuesOfHeadersThatCameInFrames) {
  const Placeholders placeholders("", "9080");
  EXPECT_EQ(placeholders.header("date", "Thu, 01 Jan 2026 00:00:00 GMT"), "<DATE>");
  EXPECT_EQ(placeholders.header("x-envoy-expected-rq-timeout-ms", "14000"), "<REMAINING_MS>");
  EXPECT_EQ(placeholders.header("x-envoy-expected-rq-timeout-ms", "15000"), "15000");
  EXPECT_EQ(placeholders.header("x-envoy-upstream-service-time", "0"), "<MS>");
  EXPECT_EQ(placeholders.header(":authority", "a:9080"), "a:<GATEWAY_PORT>");
}

}  // namespace
}  // namespace conformance::recorded
