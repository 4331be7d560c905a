#include "reports/text.h"

#include <array>
#include <cstdint>

#include <fmt/format.h>

namespace reports {
namespace {

struct CodePoint {
  std::uint32_t value = 0;
  std::size_t bytes = 0;  ///< 0: not valid UTF-8.
};

/// The first code point of the text. Requires: text is not empty. Overlong forms, surrogates and
/// what is past U+10FFFF are not valid.
CodePoint first_code_point(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return {};
  std::uint32_t value = lead & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    value = value << 6 | (byte(i) & 0x3fU);
  }
  constexpr std::array<std::uint32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = value >= 0xd800 && value <= 0xdfff;
  if (value < kSmallest[length] || value > 0x10ffff || surrogate) return {};
  return {value, length};
}

bool is_printable(std::uint32_t value) {
  if (value < 0x20 || (value >= 0x7f && value < 0xa0)) return false;
  const bool line_or_direction =
      (value >= 0x2028 && value <= 0x202e) || (value >= 0x2066 && value <= 0x2069);
  return !line_or_direction && (value & 0xfffe) != 0xfffe;
}

std::string escaped(std::string_view text, bool keep_line_ends) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const CodePoint point = first_code_point(text);
    const std::size_t taken = point.bytes == 0 ? 1 : point.bytes;
    const char c = text.front();
    if (point.bytes != 0 && is_printable(point.value)) {
      out += text.substr(0, taken);
    } else if (keep_line_ends && (c == '\n' || c == '\t')) {
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else {
      for (const char each : text.substr(0, taken))
        out += fmt::format("\\x{:02x}", static_cast<std::uint8_t>(each));
    }
    text.remove_prefix(taken);
  }
  return out;
}

}  // namespace

std::string printable(std::string_view text) {
  return escaped(text, false);
}

std::string printable_block(std::string_view text) {
  return escaped(text, true);
}

std::string shortened(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return std::string(text);
  while (bytes > 0 && (static_cast<std::uint8_t>(text[bytes]) & 0xc0) == 0x80) --bytes;
  return std::string(text.substr(0, bytes)) + "...";
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  for (;;) {
    const std::size_t end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return lines;
    text.remove_prefix(end + 1);
  }
}

int digits_needed(world::Duration duration) {
  const auto count = duration.count();
  return count % 1'000'000 == 0 ? 3 : count % 1'000 == 0 ? 6 : 9;
}

std::string seconds_text(world::Duration duration, int digits) {
  const auto count = duration.count();
  const std::uint64_t size =
      count < 0 ? 0 - static_cast<std::uint64_t>(count) : static_cast<std::uint64_t>(count);
  const std::string fraction = fmt::format("{:09}", size % 1'000'000'000);
  return fmt::format("{}{}.{}s", count < 0 ? "-" : "", size / 1'000'000'000,
                     fraction.substr(0, static_cast<std::size_t>(digits)));
}

std::string seconds_text(world::Duration duration) {
  return seconds_text(duration, digits_needed(duration));
}

}  // namespace reports
