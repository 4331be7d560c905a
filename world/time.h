#pragma once

#include <chrono>

namespace world {

using Duration = std::chrono::nanoseconds;

/// The clock that a world's time points belong to. Zero is the start of the world.
///
/// It has no now(): time is asked of an EventLoop, so that code which reaches for a global clock
/// does not compile.
struct Clock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<Clock>;
  static constexpr bool is_steady = true;
};

using TimePoint = Clock::time_point;

/// Nanoseconds since the Unix epoch, as a host's calendar shows them.
using CalendarTime = std::chrono::sys_time<Duration>;

}  // namespace world
