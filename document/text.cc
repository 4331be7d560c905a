#include "document/text.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace document {
namespace {

unsigned char byte_at(std::string_view text, std::size_t i) {
  return static_cast<unsigned char>(text[i]);
}

/// Length of the UTF-8 character that begins at `i`; 0 if none does.
std::size_t character_length(std::string_view text, std::size_t i) {
  const unsigned char first = byte_at(text, i);
  if (first < 0x80) return 1;
  std::size_t length = 0;
  std::uint32_t code = 0;
  if (first >= 0xC2 && first <= 0xDF) {
    length = 2;
    code = first & 0x1Fu;
  } else if (first >= 0xE0 && first <= 0xEF) {
    length = 3;
    code = first & 0x0Fu;
  } else if (first >= 0xF0 && first <= 0xF4) {
    length = 4;
    code = first & 0x07u;
  } else {
    return 0;
  }
  if (i + length > text.size()) return 0;
  for (std::size_t k = 1; k < length; ++k) {
    const unsigned char next = byte_at(text, i + k);
    if ((next & 0xC0) != 0x80) return 0;
    code = (code << 6) | (next & 0x3Fu);
  }
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  return overlong || surrogate || code > 0x10FFFF ? 0 : length;
}

std::optional<std::uint32_t> hex4(std::string_view text, std::size_t i) {
  if (i + 4 > text.size()) return std::nullopt;
  std::uint32_t value = 0;
  for (std::size_t k = i; k < i + 4; ++k) {
    const char c = text[k];
    const char lower = static_cast<char>(c | 0x20);
    if (c >= '0' && c <= '9') {
      value = value * 16 + static_cast<std::uint32_t>(c - '0');
    } else if (lower >= 'a' && lower <= 'f') {
      value = value * 16 + static_cast<std::uint32_t>(lower - 'a' + 10);
    } else {
      return std::nullopt;
    }
  }
  return value;
}

/// The character that a pair of escapes at `i` stands for.
std::optional<std::uint32_t> surrogate_pair(std::string_view text, std::size_t i) {
  if (text.substr(i, 2) != "\\u" || text.substr(std::min(i + 6, text.size()), 2) != "\\u") {
    return std::nullopt;
  }
  const auto high = hex4(text, i + 2);
  const auto low = hex4(text, i + 8);
  if (!high || !low || *high < 0xD800 || *high > 0xDBFF || *low < 0xDC00 || *low > 0xDFFF) {
    return std::nullopt;
  }
  return 0x10000 + ((*high - 0xD800) << 10) + (*low - 0xDC00);
}

}  // namespace

world::Errors check_characters(std::string_view text, const std::string& file) {
  world::Place place{file, 1, 1};
  for (std::size_t i = 0; i < text.size();) {
    const unsigned char c = byte_at(text, i);
    const std::size_t length = character_length(text, i);
    if (length == 0) {
      return {{"", fmt::format("must be UTF-8, is byte 0x{:02x} here", c), place}};
    }
    if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7F) {
      const std::string what = c == 0 ? "a NUL byte" : fmt::format("control character 0x{:02x}", c);
      return {{"", "must be text, has " + what + " here", place}};
    }
    if (c == '\n') {
      ++place.line;
      place.column = 1;
    } else {
      ++place.column;
    }
    i += length;
  }
  return {};
}

Columns::Columns(std::string_view text) : text_(text) {
  const bool ascii = std::all_of(text.begin(), text.end(),
                                 [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (ascii) return;
  line_starts_.push_back(0);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') line_starts_.push_back(i + 1);
  }
}

Mark Columns::mark(int line, int byte_column) const {
  if (line < 0 || byte_column < 0) return {1, 1};
  const auto at_line = static_cast<std::size_t>(line);
  auto column = static_cast<std::size_t>(byte_column);
  if (at_line < line_starts_.size()) {
    const std::string_view before = text_.substr(line_starts_[at_line]).substr(0, column);
    column = static_cast<std::size_t>(std::count_if(before.begin(), before.end(), [](char c) {
      return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    }));
  }
  return {static_cast<std::uint32_t>(at_line + 1), static_cast<std::uint32_t>(column + 1)};
}

std::string join_surrogates(std::string_view text) {
  const bool candidate =
      text.find("\\ud") != std::string_view::npos || text.find("\\uD") != std::string_view::npos;
  // Only in JSON is every such sequence known to be an escape.
  if (!candidate || !nlohmann::json::accept(text)) return std::string(text);
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] != '\\') {
      out += text[i++];
    } else if (const auto code = surrogate_pair(text, i)) {
      out += fmt::format("\\U{:08x}", *code);
      i += 12;
    } else {
      out += text.substr(i, 2);
      i += 2;
    }
  }
  return out;
}

}  // namespace document
