#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "world/time.h"

namespace control {

/// How many calls an account may make: so many a second, and as many at once after a pause.
class Throttle {
 public:
  /// Absent: any number.
  explicit Throttle(std::optional<std::uint32_t> calls_per_second) : rate_(calls_per_second) {}

  /// Whether the account may call now; if so the call is counted.
  bool admit(const std::string& account, world::CalendarTime now);

 private:
  struct Bucket {
    double calls = 0;
    world::CalendarTime filled_at;
  };

  std::optional<std::uint32_t> rate_;
  std::map<std::string, Bucket> buckets_;
};

}  // namespace control
