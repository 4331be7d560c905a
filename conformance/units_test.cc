#include "conformance/units.h"

#include <gtest/gtest.h>

namespace conformance {
namespace {

using namespace std::chrono_literals;

TEST(Units, DurationsAreReadExactly) {
  EXPECT_EQ(parse_duration("100ms"), 100ms);
  EXPECT_EQ(parse_duration("1.05s"), 1050ms);
  EXPECT_EQ(parse_duration("0s"), 0s);
  EXPECT_EQ(parse_duration("1m30s"), 90s);
  EXPECT_EQ(parse_duration("90d"), 90 * 24h);
  EXPECT_EQ(parse_duration("0.000000001s"), 1ns);
}

TEST(Units, WhatIsNoDurationIsRefused) {
  for (const char* text : {"", "5", "s", "-1s", "1.s", ".5s", "1 s", "0.5ns", "1x", "1s ", "1sm",
                           "9999999999999999999s", "999999999999d", "1..5s"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(Units, DurationsAreWrittenSoThatTheyCanBeReadAgain) {
  for (const Duration duration : {Duration(0), Duration(7), Duration(1500), Duration(1'050ms),
                                  Duration(15s), Duration(90s), Duration(3602s), Duration(4ms)}) {
    EXPECT_EQ(parse_duration(duration_text(duration)), duration) << duration_text(duration);
  }
  EXPECT_EQ(duration_text(1050ms), "1.05s");
  EXPECT_EQ(duration_text(3602s), "1h0m2s");
  EXPECT_EQ(duration_text(-4ms), "-4ms");
}

TEST(Units, BandwidthsAndPercentages) {
  EXPECT_EQ(parse_bandwidth("10Mbps"), 10'000'000U);
  EXPECT_EQ(parse_bandwidth("1.5kbps"), 1'500U);
  EXPECT_FALSE(parse_bandwidth("0bps"));
  EXPECT_FALSE(parse_bandwidth("10Mb"));
  EXPECT_EQ(parse_percentage("0.1%"), 1'000U);
  EXPECT_EQ(parse_percentage("100%"), 1'000'000U);
  EXPECT_FALSE(parse_percentage("101%"));
  EXPECT_FALSE(parse_percentage("5"));
}

}  // namespace
}  // namespace conformance
