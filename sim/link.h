#pragma once

#include <cstdint>

#include "world/time.h"

namespace sim {

/// What a link does to the bytes that pass it one way.
struct LinkOptions {
  world::Duration latency{};
  world::Duration jitter{};            ///< Added uniformly in [0, jitter]; order is kept.
  std::uint64_t bits_per_second = 0;   ///< 0: without limit.
  std::uint32_t loss_per_million = 0;  ///< Lost segments are sent again: loss is felt as delay.
  bool blackhole = false;              ///< Nothing passes, and nobody is told.
  bool operator==(const LinkOptions&) const = default;
};

}  // namespace sim
