#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/property/health_script.h"

namespace property {

/// What is to be seen of a script by the written rules. Times in microseconds since the first
/// probes.
struct HealthStory {
  /// From that time on counts and states are these.
  struct Moment {
    std::int64_t at = 0;
    HealthSeen seen;
  };
  std::vector<Moment> moments;
  std::vector<std::string> probes;  ///< "time host new" or "time host again", by time and host.
  struct Pick {
    std::int64_t at = 0;
    std::vector<std::uint32_t> hosts;  ///< One of these; none: 503.
    std::uint64_t picture = 0;  ///< The same number: nothing has changed since the last pick.
  };
  std::vector<Pick> picks;
  /// Two things fall on one time whose order matters and is not written: not to be used.
  bool ambiguous = false;
};

/// The written rules of active checks, panic and merged changes as a plain program. It shares
/// nothing with the gateway's own code.
///
/// Source: ENV-HC-03 to -11, -13 to -16, -19.
HealthStory tell_health(const HealthScript& script);

}  // namespace property
