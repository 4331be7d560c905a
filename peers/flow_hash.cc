#include "peers/flow_hash.h"

#include <array>

#include <xxhash.h>

namespace peers {
namespace {

constexpr std::uint8_t kProtocolTcp = 6;

void put(unsigned char*& out, std::uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) *out++ = static_cast<unsigned char>(value >> (8 * i));
}

}  // namespace

std::uint64_t flow_hash(const FlowKey& key, std::uint64_t seed) {
  std::array<unsigned char, 17> bytes;
  unsigned char* out = bytes.data();
  put(out, kProtocolTcp, 1);
  put(out, key.source.address, 4);
  put(out, key.source.port, 2);
  put(out, key.destination.address, 4);
  put(out, key.destination.port, 2);
  put(out, key.sequence, 4);
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

}  // namespace peers
