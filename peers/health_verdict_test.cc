#include "peers/health_verdict.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace peers {
namespace {

char letter(HealthVerdict verdict) {
  return verdict == HealthVerdict::Initial ? '?' : verdict == HealthVerdict::Healthy ? 'H' : 'U';
}

std::string views(const HealthThresholds& thresholds, std::string_view results) {
  CheckerView view(thresholds);
  std::string out;
  for (const char result : results) out += letter(view.record(result == '+'));
  return out;
}

TEST(CheckerView, CountsResultsInARow) {
  constexpr HealthThresholds kThreeTwo{.healthy = 3, .unhealthy = 2, .first = 3};
  constexpr HealthThresholds kOneFirst{.healthy = 3, .unhealthy = 2, .first = 1};
  EXPECT_EQ(views(kThreeTwo, "+++-+--++-+++"), "??HHHHUUUUUUH");
  EXPECT_EQ(views(kThreeTwo, "++-++--+"), "??????UU");
  EXPECT_EQ(views(kThreeTwo, "--+++"), "?UUUH");
  EXPECT_EQ(views(kOneFirst, "+--++-+++"), "HHUUUUUUH");  // one is enough only the first time
}

/// Each result is the checker's number and its sign: "1+2-".
std::string verdicts(std::size_t checkers, std::string_view results) {
  HealthConsensus consensus({.healthy = 2, .unhealthy = 2, .first = 2}, checkers);
  consensus.set(HealthVerdict::Healthy);
  std::string out;
  for (std::size_t i = 0; i + 1 < results.size(); i += 2) {
    const auto changed =
        consensus.record(static_cast<std::size_t>(results[i] - '1'), results[i + 1] == '+');
    out += changed ? letter(*changed) : '.';
  }
  return out;
}

TEST(HealthConsensus, OneLostCheckerOfThreeChangesNothing) {
  EXPECT_EQ(verdicts(3, "1-1-1-1-2+3+"), "......");
}

TEST(HealthConsensus, ChangesWhenMoreThanHalfAgree) {
  EXPECT_EQ(verdicts(1, "1-1-1+1+"), ".U.H");
  EXPECT_EQ(verdicts(2, "1-1-1-2-2-"), "....U");
  EXPECT_EQ(verdicts(2, "1-1-2-2-1+1+2+2+"), "...U...H");
  EXPECT_EQ(verdicts(3, "1-2-3-1-2-3-"), "....U.");
}

}  // namespace
}  // namespace peers
