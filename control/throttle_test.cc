#include "control/throttle.h"

#include <gtest/gtest.h>

namespace control {
namespace {

using namespace std::chrono_literals;

TEST(Throttle, ASecondsCallsAtOnceThenOneByOneAndEachAccountForItself) {
  Throttle throttle(2);
  const world::CalendarTime start(100s);
  EXPECT_TRUE(throttle.admit("a", start));
  EXPECT_TRUE(throttle.admit("a", start));
  EXPECT_FALSE(throttle.admit("a", start));
  EXPECT_TRUE(throttle.admit("b", start));
  EXPECT_FALSE(throttle.admit("a", start + 499ms));
  EXPECT_TRUE(throttle.admit("a", start + 500ms));
  EXPECT_FALSE(throttle.admit("a", start)) << "a clock that is set back gives nothing";
}

}  // namespace
}  // namespace control
