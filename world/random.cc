#include "world/random.h"

#include <bit>
#include <cassert>

#include <xxhash.h>

namespace world {
namespace {

/// splitmix64: spreads a seed over a generator's state.
std::uint64_t spread(std::uint64_t& state) {
  std::uint64_t z = (state += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace

Random::Random(std::uint64_t seed) : seed_(seed), state_{} {
  for (auto& word : state_) word = spread(seed);
}

Random Random::fork(std::string_view name) const {
  return Random(XXH3_64bits_withSeed(name.data(), name.size(), seed_));
}

std::uint64_t Random::next() {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

std::uint64_t Random::below(std::uint64_t bound) {
  assert(bound > 0);
  // Lemire's method: the high word of a product, redrawn where the low word would favour some.
  while (true) {
    const auto product = static_cast<unsigned __int128>(next()) * bound;
    const auto low = static_cast<std::uint64_t>(product);
    if (low >= bound || low >= -bound % bound) return static_cast<std::uint64_t>(product >> 64);
  }
}

}  // namespace world
