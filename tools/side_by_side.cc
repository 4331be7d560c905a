#include "tools/side_by_side.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "reports/text.h"

namespace tools {
namespace {

using nlohmann::json;

constexpr std::size_t kColumnWidth = 58;
/// Beyond this, lines are paired by number and not by what they say.
constexpr std::size_t kMostPairings = 1'000'000;

using Lines = std::vector<std::string>;
/// Lines that belong together; one without a partner stands alone.
using Pair = std::pair<std::optional<std::string>, std::optional<std::string>>;

bool is_continuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

std::size_t width_of(std::string_view text) {
  return text.size() -
         static_cast<std::size_t>(std::count_if(text.begin(), text.end(), is_continuation));
}

/// The parts of a line that fit a column.
Lines wrapped(std::string_view line) {
  Lines parts(1);
  std::size_t width = 0;
  for (const char byte : line) {
    if (!is_continuation(byte) && ++width > kColumnWidth) {
      parts.emplace_back();
      width = 1;
    }
    parts.back() += byte;
  }
  return parts;
}

/// A string is split after each line end, which stays to be seen.
Lines lines_of(const json& value) {
  Lines lines;
  if (!value.is_string()) {
    const std::string text = value.dump(2, ' ', false, json::error_handler_t::replace);
    for (const std::string& line : reports::lines_of(text)) lines.push_back(line);
    return lines;
  }
  std::string_view rest = value.get_ref<const std::string&>();
  do {
    const std::size_t end = rest.find('\n');
    const std::size_t size = end == std::string_view::npos ? rest.size() : end + 1;
    lines.push_back(reports::printable(rest.substr(0, size)));
    rest.remove_prefix(size);
  } while (!rest.empty());
  return lines;
}

/// Pairs equal lines, as many as can be in order: the longest common subsequence.
std::vector<Pair> pair_up(const Lines& left, const Lines& right) {
  std::vector<Pair> pairs;
  const std::size_t columns = right.size() + 1;
  std::size_t i = 0;
  std::size_t j = 0;
  if (left.size() * right.size() <= kMostPairings) {
    std::vector<std::uint32_t> common((left.size() + 1) * columns);
    for (std::size_t l = left.size(); l-- > 0;) {
      for (std::size_t r = right.size(); r-- > 0;) {
        common[l * columns + r] = left[l] == right[r] ? common[(l + 1) * columns + r + 1] + 1
                                                      : std::max(common[(l + 1) * columns + r],
                                                                 common[l * columns + r + 1]);
      }
    }
    while (i < left.size() && j < right.size()) {
      if (left[i] == right[j]) {
        pairs.emplace_back(left[i++], right[j++]);
      } else if (common[(i + 1) * columns + j] >= common[i * columns + j + 1]) {
        pairs.emplace_back(left[i++], std::nullopt);
      } else {
        pairs.emplace_back(std::nullopt, right[j++]);
      }
    }
  }
  while (i < left.size() || j < right.size()) {
    Pair& pair = pairs.emplace_back();
    if (i < left.size()) pair.first = left[i++];
    if (j < right.size()) pair.second = right[j++];
  }
  return pairs;
}

std::string row(std::string_view left, char mark, std::string_view right) {
  std::string text = fmt::format("  {}", left);
  text.append(kColumnWidth - std::min(kColumnWidth, width_of(left)), ' ');
  text += fmt::format(" {} {}", mark, right);
  text.erase(text.find_last_not_of(' ') + 1);
  return text + "\n";
}

std::string text_of(const Pair& pair) {
  const auto& [left, right] = pair;
  const char mark = !right ? '<' : !left ? '>' : *left == *right ? ' ' : '|';
  const Lines left_parts = wrapped(left.value_or(""));
  const Lines right_parts = wrapped(right.value_or(""));
  std::string text;
  for (std::size_t i = 0; i < std::max(left_parts.size(), right_parts.size()); ++i) {
    text += row(i < left_parts.size() ? left_parts[i] : "", mark,
                i < right_parts.size() ? right_parts[i] : "");
  }
  return text;
}

/// Collects the places in which two values differ. Null stands for a value that is not there.
void compare(const json* left, const json* right, const json::json_pointer& at, std::string& out) {
  if (left != nullptr && right != nullptr) {
    if (*left == *right) return;
    if (left->is_object() && right->is_object()) {
      json keys = *left;
      keys.update(*right);
      for (const auto& [key, ignored] : keys.items()) {
        compare(left->contains(key) ? &left->at(key) : nullptr,
                right->contains(key) ? &right->at(key) : nullptr, at / key, out);
      }
      return;
    }
    if (left->is_array() && right->is_array()) {
      for (std::size_t i = 0; i < std::max(left->size(), right->size()); ++i) {
        compare(i < left->size() ? &left->at(i) : nullptr,
                i < right->size() ? &right->at(i) : nullptr, at / i, out);
      }
      return;
    }
  }
  out += reports::printable(at.to_string()) + "\n";
  const Lines nothing{"(nothing)"};
  for (const Pair& pair : pair_up(left == nullptr ? nothing : lines_of(*left),
                                  right == nullptr ? nothing : lines_of(*right))) {
    out += text_of(pair);
  }
}

}  // namespace

std::string side_by_side(const json& left, const json& right, const std::string& left_title,
                         const std::string& right_title) {
  std::string differences;
  compare(&left, &right, json::json_pointer(), differences);
  if (differences.empty()) return "";
  return row(left_title, ' ', right_title) + differences;
}

}  // namespace tools
