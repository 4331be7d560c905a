#include "ingest/names.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <utility>

namespace ingest {
namespace {

constexpr std::string_view kNumbers[] = {"end",
                                         "healthyThreshold",
                                         "intervalMillis",
                                         "maxConnections",
                                         "maxEjectionPercent",
                                         "maxPendingRequests",
                                         "maxRequests",
                                         "maxRetries",
                                         "maxServerErrors",
                                         "port",
                                         "ports",
                                         "priority",
                                         "start",
                                         "timeoutMillis",
                                         "unhealthyThreshold",
                                         "weight"};
constexpr std::string_view kBooleans[] = {"enforce", "invert"};

bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}

template <std::size_t kCount>
bool is_one_of(const std::string_view (&names)[kCount], std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

}  // namespace

std::string api_name(std::string_view property) {
  std::string name(property);
  std::size_t end = 0;
  while (end < name.size() && is_upper(name[end])) ++end;
  // The last capital of several begins the next word.
  if (end > 1 && end < name.size() && is_lower(name[end])) --end;
  for (std::size_t i = 0; i < end; ++i) name[i] = static_cast<char>(name[i] | 0x20);
  return name;
}

document::Value typed(std::string_view name, document::Value value, bool in_duration) {
  if (!value.is_string()) return value;
  const std::string& text = value.string();
  if (is_one_of(kBooleans, name) && (text == "true" || text == "false")) {
    return {text == "true", value.at()};
  }
  if (!is_one_of(kNumbers, name) && !(in_duration && name == "value")) return value;
  std::int64_t number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || stop != text.data() + text.size()) return value;
  return {number, value.at()};
}

}  // namespace ingest
