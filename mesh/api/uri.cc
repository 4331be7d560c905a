#include "mesh/api/uri.h"

#include <charconv>

#include <fmt/format.h>

#include "document/text.h"

namespace mesh::api {
namespace {

/// The text before the next `at`, which is taken off with it.
std::string_view take(std::string_view& rest, char at) {
  const std::size_t end = rest.find(at);
  const std::string_view first = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  return first;
}

bool unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    unsigned value = 0;
    const std::string_view digits = text.substr(i + 1, 2);
    const char* end = digits.data() + digits.size();
    const auto parsed = std::from_chars(digits.data(), end, value, 16);
    if (digits.size() != 2 || parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
    out += static_cast<char>(value);
    i += 2;
  }
  if (!document::check_characters(out, "").empty()) return std::nullopt;
  return out;
}

std::optional<Uri> parse_uri(std::string_view target) {
  Uri uri;
  std::string_view query = target;
  std::string_view path = take(query, '?');
  if (!path.starts_with('/')) return std::nullopt;
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::string_view written = path.substr(0, path.find('/'));
    path.remove_prefix(written.size());
    auto segment = percent_decode(written);
    if (!segment) return std::nullopt;
    uri.segments.push_back(*std::move(segment));
  }
  while (!query.empty()) {
    std::string_view value = take(query, '&');
    const auto name = percent_decode(take(value, '='));
    const auto decoded = percent_decode(value);
    if (!name || !decoded) return std::nullopt;
    uri.query.emplace(*name, *decoded);
  }
  return uri;
}

std::string percent_encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (unreserved(c)) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

}  // namespace mesh::api
