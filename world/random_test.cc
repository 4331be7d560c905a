#include "world/random.h"

#include <array>
#include <cstdint>

#include <gtest/gtest.h>

namespace world {
namespace {

/// Numbers of the authors' own code for xoshiro256** seeded by splitmix64.
TEST(Random, GivesTheReferenceNumbers) {
  Random zero(0);
  EXPECT_EQ(zero.next(), 0x99ec5f36cb75f2b4U);
  EXPECT_EQ(zero.next(), 0xbf6e1f784956452aU);
  EXPECT_EQ(zero.next(), 0x1a5f849d4933e6e0U);
  EXPECT_EQ(zero.next(), 0x6aa594f1262d2d2cU);
}

TEST(Random, ForksGiveTheSameNumbersOnEveryMachine) {
  Random fork = Random(42).fork("network").fork("10.0.0.1>10.0.0.2");
  EXPECT_EQ(fork.seed(), 3475898056662280612U);
  EXPECT_EQ(fork.next(), 3022426184974804534U);
  EXPECT_EQ(fork.below(1000), 421U);
}

TEST(Random, AForkDependsOnSeedAndNameAlone) {
  Random drawn(7);
  for (int i = 0; i < 10; ++i) drawn.next();
  EXPECT_EQ(drawn.fork("a").next(), Random(7).fork("a").next());
  EXPECT_NE(Random(7).fork("a").next(), Random(7).fork("b").next());
  EXPECT_NE(Random(7).fork("a").next(), Random(8).fork("a").next());
  EXPECT_NE(Random(7).fork("").next(), Random(7).next());
}

TEST(Random, DrawingFromAForkShiftsNoOtherStream) {
  Random one(7);
  Random fork = one.fork("a");
  fork.next();
  EXPECT_EQ(one.next(), Random(7).next());
}

TEST(Random, StaysBelowTheBound) {
  Random random(1);
  for (const std::uint64_t bound :
       {std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{3}, std::uint64_t{1000},
        (std::uint64_t{1} << 63) + 1, ~std::uint64_t{0}}) {
    for (int i = 0; i < 1000; ++i) ASSERT_LT(random.below(bound), bound);
  }
}

TEST(Random, DrawsEveryValueAboutEquallyOften) {
  Random random(1);
  std::array<int, 6> seen{};
  for (int i = 0; i < 60000; ++i) ++seen[random.below(6)];
  for (const int count : seen) {
    EXPECT_GT(count, 9700);
    EXPECT_LT(count, 10300);
  }
}

TEST(Random, ChanceIsNeverAtZeroAndAlwaysAtOne) {
  Random random(1);
  int half = 0;
  for (int i = 0; i < 10000; ++i) {
    EXPECT_FALSE(random.chance(0, 1'000'000));
    EXPECT_TRUE(random.chance(1'000'000, 1'000'000));
    half += random.chance(1, 2) ? 1 : 0;
  }
  EXPECT_GT(half, 4800);
  EXPECT_LT(half, 5200);
}

}  // namespace
}  // namespace world
