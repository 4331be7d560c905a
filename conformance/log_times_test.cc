#include "conformance/log_times.h"

#include <gtest/gtest.h>

namespace conformance {
namespace {

using Kind = proxy::AccessLogPlan::Kind;

TEST(LogTimes, TheDefaultFormatSaysHowLongARequestAndItsServiceTook) {
  const LogTimes times({.path = "/dev/stdout", .text = {}, .json = {}});
  EXPECT_EQ(
      times.with_times_of(
          R"([<time>] "GET /a HTTP/1.1" 200 - 0 5 4 4 "-" "-" "-" "b" "c")",
          R"([2026-01-01T00:00:00.000Z] "GET /b HTTP/1.1" 200 - 0 7 1 0 "-" "-" "-" "b" "c")"),
      R"([2026-01-01T00:00:00.000Z] "GET /b HTTP/1.1" 200 - 0 7 4 4 "-" "-" "-" "b" "c")");
}

TEST(LogTimes, AFormatWithoutTimesKeepsItsNumbers) {
  const LogTimes times(
      {.path = "/log", .kind = Kind::Text, .text = "%RESPONSE_CODE% %PROTOCOL%\n", .json = {}});
  EXPECT_EQ(times.with_times_of("200 HTTP/1.1", "404 HTTP/1.1"), "404 HTTP/1.1");
}

TEST(LogTimes, LinesOfOtherFormsStayAsTheyAre) {
  const LogTimes times({.path = "/log", .kind = Kind::Text, .text = "%DURATION% ms\n", .json = {}});
  EXPECT_EQ(times.with_times_of("4 ms", "7 ms"), "4 ms");
  EXPECT_EQ(times.with_times_of("4 ms or so", "7 ms"), "7 ms");
}

TEST(LogTimes, MembersOfJsonAreKnownByTheirKeys) {
  const LogTimes times({.path = "/log",
                        .kind = Kind::Json,
                        .text = {},
                        .json = {{"code", "%RESPONSE_CODE%"}, {"took", "%DURATION% ms"}}});
  EXPECT_TRUE(times.in_member("took"));
  EXPECT_FALSE(times.in_member("code"));
}

}  // namespace
}  // namespace conformance
