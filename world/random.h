#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace world {

/// A stream of random numbers, the same on every machine and in every build.
///
/// xoshiro256** (Blackman and Vigna). Streams are forked by name from one seed, so that a new
/// consumer shifts no other one's numbers. The distributions are ours: those of the standard
/// library differ between its implementations.
class Random {
 public:
  explicit Random(std::uint64_t seed);

  /// The stream of that name: depends on the seed and the name alone, not on what was drawn.
  Random fork(std::string_view name) const;

  std::uint64_t next();
  /// Uniform in [0, bound). Requires: bound > 0.
  std::uint64_t below(std::uint64_t bound);
  /// True `numerator` times out of `denominator`. Requires: denominator > 0.
  bool chance(std::uint64_t numerator, std::uint64_t denominator) {
    return below(denominator) < numerator;
  }

  std::uint64_t seed() const { return seed_; }

 private:
  std::uint64_t seed_;
  std::array<std::uint64_t, 4> state_;
};

}  // namespace world
