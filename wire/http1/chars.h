#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <string_view>

namespace wire::http1 {

/// The lower-case form of characters that a token (a header name, a method) may have, else 0.
inline constexpr std::array<char, 256> kTokenLower = [] {
  std::array<char, 256> table{};
  for (const char c : std::string_view("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz")) {
    table[static_cast<unsigned char>(c)] = c;
  }
  for (char c = 'A'; c <= 'Z'; ++c) {
    table[static_cast<unsigned char>(c)] = static_cast<char>(c - 'A' + 'a');
  }
  return table;
}();

constexpr char token_lower(char c) {
  return kTokenLower[static_cast<unsigned char>(c)];
}

/// Space and every control character below it: what the parser trims and splits by.
constexpr bool is_blank(char c) {
  return static_cast<unsigned char>(c) <= ' ';
}
/// What the path and query of a target may have.
constexpr bool is_path_char(char c) {
  return c >= '!' && c <= '~';
}
constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_alpha(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

constexpr bool equals_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

constexpr std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

/// What a scan of a whole head found.
struct HeadChars {
  bool invalid = false;  ///< A control character other than TAB, CR and LF, or DEL.
  bool lone_cr = false;  ///< A CR without LF behind it.
};

/// Scans 16 bytes at a time.
inline HeadChars scan_head(std::string_view text) {
  using Bytes [[gnu::vector_size(16)]] = unsigned char;
  const char* at = text.data();
  std::size_t left = text.size();
  Bytes invalid{};
  Bytes lone_cr{};
  const auto look = [&invalid, &lone_cr](const char* here, const char* next) {
    Bytes c;
    Bytes after;
    std::memcpy(&c, here, sizeof c);
    std::memcpy(&after, next, sizeof after);
    invalid |= reinterpret_cast<Bytes>(((c & 0xe0) == 0) & (c != '\t') & (c != '\r') & (c != '\n'));
    invalid |= reinterpret_cast<Bytes>(c == 0x7f);
    lone_cr |= reinterpret_cast<Bytes>((c == '\r') & (after != '\n'));
  };
  for (; left > 16; at += 16, left -= 16) look(at, at + 1);
  // The rest, with harmless bytes behind it.
  char rest[17];
  std::memset(rest, '\n', sizeof rest);
  std::memcpy(rest, at, left);
  look(rest, rest + 1);
  const auto any = [](const Bytes& bytes) {
    unsigned long long halves[2];
    std::memcpy(halves, &bytes, sizeof halves);
    return (halves[0] | halves[1]) != 0;
  };
  return {any(invalid), any(lone_cr)};
}

}  // namespace wire::http1
