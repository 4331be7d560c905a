#include "peers/flow_table.h"

#include <gtest/gtest.h>

namespace peers {
namespace {

using namespace std::chrono_literals;

world::TimePoint at(world::Duration time) {
  return world::TimePoint(time);
}

TEST(FlowTable, ForgetsAfterTheIdleTimeout) {
  FlowTable table({.idle = 350s});
  table.open(1, {.target = {7, 80}, .open = true}, at(0s));
  table.open(2, {.target = {7, 80}, .open = true}, at(10s));
  table.touch(1, at(20s));
  EXPECT_EQ(table.next_expiry(), at(360s));
  EXPECT_TRUE(table.expire(at(359s)).empty());
  EXPECT_EQ(table.expire(at(360s)).size(), 1U);
  EXPECT_EQ(table.find(2), nullptr);
  EXPECT_EQ(table.flows_to({7, 80}), (std::vector<std::uint64_t>{1}));
  EXPECT_EQ(table.next_expiry(), at(370s));
  table.erase(1);
  EXPECT_EQ(table.next_expiry(), std::nullopt);
}

TEST(FlowTable, TheTimeDependsOnWhereTheConnectionIs) {
  FlowTable table({.idle = 350s, .half_closed = 60s, .closed = 5s});
  FlowEntry& entry = table.open(1, {}, at(0s));
  EXPECT_EQ(table.next_expiry(), at(94s));  // no handshake yet
  entry.open = true;
  table.touch(1, at(1s));
  EXPECT_EQ(table.next_expiry(), at(351s));
  entry.client_done = true;
  table.touch(1, at(2s));
  EXPECT_EQ(table.next_expiry(), at(62s));
  entry.target_done = true;
  table.touch(1, at(3s));
  EXPECT_EQ(table.next_expiry(), at(8s));
}

}  // namespace
}  // namespace peers
