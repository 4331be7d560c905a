#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "world/time.h"

namespace conformance {

using world::Duration;

/// "100ms", "1.05s", "1m30s": numbers, each with one of ns, us, ms, s, m, h, d. Exact. Nothing for
/// anything else, parts of a nanosecond among it.
std::optional<world::Duration> parse_duration(std::string_view text);

/// "10Mbps", "512kbps", "1Gbps" as bits a second.
std::optional<std::uint64_t> parse_bandwidth(std::string_view text);

/// "0.1%" as parts per million.
std::optional<std::uint32_t> parse_percentage(std::string_view text);

/// The shortest exact form: "1.05s", "100ms", "0s", "1h0m2s".
std::string duration_text(world::Duration duration);

}  // namespace conformance
