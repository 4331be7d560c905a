#include "peers/flow_hash.h"

#include <array>
#include <set>

#include <gtest/gtest.h>

namespace peers {
namespace {

TEST(FlowHash, EveryValueCounts) {
  const FlowKey key{{0x0a000001, 40000}, {0x0a000002, 443}, 7};
  std::set<std::uint64_t> hashes{flow_hash(key, 1), flow_hash(key, 2)};
  FlowKey other = key;
  ++other.source.address;
  hashes.insert(flow_hash(other, 1));
  other = key;
  ++other.source.port;
  hashes.insert(flow_hash(other, 1));
  other = key;
  ++other.destination.address;
  hashes.insert(flow_hash(other, 1));
  other = key;
  ++other.destination.port;
  hashes.insert(flow_hash(other, 1));
  other = key;
  ++other.sequence;
  hashes.insert(flow_hash(other, 1));
  EXPECT_EQ(hashes.size(), 7U);
  EXPECT_EQ(flow_hash(key, 1), flow_hash(key, 1));
}

TEST(FlowHash, SpreadsEvenly) {
  std::array<int, 4> taken{};
  for (std::uint32_t i = 0; i < 4000; ++i) {
    ++taken[flow_hash({{1, static_cast<std::uint16_t>(32768 + i)}, {2, 80}, i * 977}, 5) % 4];
  }
  for (const int each : taken) EXPECT_NEAR(each, 1000, 120);
}

}  // namespace
}  // namespace peers
