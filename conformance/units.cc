#include "conformance/units.h"

#include <array>
#include <limits>

#include <fmt/format.h>

namespace conformance {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t size;
};

constexpr std::array<Unit, 7> kDurations = {{{"ns", 1},
                                             {"us", 1'000},
                                             {"ms", 1'000'000},
                                             {"s", 1'000'000'000},
                                             {"m", 60'000'000'000},
                                             {"h", 3'600'000'000'000},
                                             {"d", 86'400'000'000'000}}};
constexpr std::array<Unit, 4> kBandwidths = {
    {{"bps", 1}, {"kbps", 1'000}, {"Mbps", 1'000'000}, {"Gbps", 1'000'000'000}}};
constexpr std::array<Unit, 1> kPercentage = {{{"%", 10'000}}};

/// A decimal number times its unit, exactly; nothing where that is no whole number.
template <std::size_t N>
std::optional<std::int64_t> parse(std::string_view text, const std::array<Unit, N>& units) {
  const std::size_t digits_end = text.find_first_not_of("0123456789.");
  if (digits_end == 0 || digits_end == std::string_view::npos) return std::nullopt;
  const std::string_view number = text.substr(0, digits_end);
  const Unit* unit = nullptr;
  for (const Unit& candidate : units) {
    if (candidate.name == text.substr(digits_end)) unit = &candidate;
  }
  const std::size_t point = number.find('.');
  const std::string_view whole = number.substr(0, point);
  const std::string_view part =
      point == std::string_view::npos ? std::string_view() : number.substr(point + 1);
  const bool well_formed = !whole.empty() && part.find('.') == std::string_view::npos &&
                           (point == std::string_view::npos || !part.empty());
  if (unit == nullptr || !well_formed || whole.size() > 18 || part.size() > 18) {
    return std::nullopt;
  }
  __int128 value = 0;
  __int128 scale = 1;
  for (const char c : whole) value = value * 10 + (c - '0');
  for (const char c : part) {
    value = value * 10 + (c - '0');
    scale *= 10;
  }
  value *= unit->size;
  if (value % scale != 0) return std::nullopt;
  value /= scale;
  if (value > std::numeric_limits<std::int64_t>::max()) return std::nullopt;
  return static_cast<std::int64_t>(value);
}

}  // namespace

std::optional<world::Duration> parse_duration(std::string_view text) {
  world::Duration whole{};
  do {
    // One number with its unit, then perhaps the next.
    const std::size_t unit = text.find_first_not_of("0123456789.");
    if (unit == std::string_view::npos) return std::nullopt;
    const std::size_t end = text.find_first_of("0123456789.", unit);
    const auto count = parse(text.substr(0, end), kDurations);
    if (!count || *count > std::numeric_limits<std::int64_t>::max() - whole.count()) {
      return std::nullopt;
    }
    whole += world::Duration(*count);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end);
  } while (!text.empty());
  return whole;
}

std::optional<std::uint64_t> parse_bandwidth(std::string_view text) {
  const auto count = parse(text, kBandwidths);
  if (!count || *count == 0) return std::nullopt;
  return static_cast<std::uint64_t>(*count);
}

std::optional<std::uint32_t> parse_percentage(std::string_view text) {
  const auto count = parse(text, kPercentage);
  if (!count || *count > 1'000'000) return std::nullopt;
  return static_cast<std::uint32_t>(*count);
}

std::string duration_text(world::Duration duration) {
  std::int64_t count = duration.count();
  if (count < 0) return "-" + duration_text(-duration);
  std::string text;
  constexpr std::int64_t kHour = 3'600'000'000'000;
  constexpr std::int64_t kMinute = 60'000'000'000;
  if (count >= kHour) text += fmt::format("{}h{}m", count / kHour, count % kHour / kMinute);
  if (count < kHour && count >= kMinute) text += fmt::format("{}m", count / kMinute);
  count %= kMinute;
  // The rest in the largest unit that it fills, with as many digits as it needs.
  std::size_t unit = 3;
  std::size_t digits = 9;
  while (text.empty() && count != 0 && count < kDurations[unit].size) {
    --unit;
    digits -= 3;
  }
  text += fmt::format("{}", count / kDurations[unit].size);
  if (const std::int64_t part = count % kDurations[unit].size; part != 0) {
    std::string decimals = fmt::format("{:0{}}", part, digits);
    while (decimals.back() == '0') decimals.pop_back();
    text += "." + decimals;
  }
  return text + std::string(kDurations[unit].name);
}

}  // namespace conformance
