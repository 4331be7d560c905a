#include "peers/source_ports.h"

#include <gtest/gtest.h>

namespace peers {
namespace {

TEST(SourcePorts, AreApartForEachNodeAndTarget) {
  SourcePorts ports(2);
  EXPECT_EQ(ports.take(0, {1, 80}), 1024);
  EXPECT_EQ(ports.take(0, {1, 80}), 1025);
  EXPECT_EQ(ports.take(0, {1, 80}), std::nullopt);
  EXPECT_EQ(ports.take(1, {1, 80}), 1024);
  EXPECT_EQ(ports.take(0, {2, 80}), 1024);
  ports.give(0, {1, 80}, 1024);
  ports.give(0, {1, 80}, 1024);  // once is enough
  EXPECT_EQ(ports.take(0, {1, 80}), 1026);
  EXPECT_EQ(ports.take(0, {1, 80}), std::nullopt);
}

TEST(SourcePorts, AsManyAsNodesHave) {
  SourcePorts ports(55'000);
  for (int i = 0; i < 55'000; ++i) ASSERT_TRUE(ports.take(0, {1, 80}));
  EXPECT_EQ(ports.take(0, {1, 80}), std::nullopt);
  ports.give(0, {1, 80}, 1024);
  // The others first: the range is larger than what may be in use.
  EXPECT_EQ(ports.take(0, {1, 80}), 1024 + 55'000);
}

}  // namespace
}  // namespace peers
