#include "conformance/recorded/placeholders.h"

#include <charconv>

namespace conformance::recorded {
namespace {

constexpr std::size_t kUuidSize = 36;
constexpr std::size_t kDecisionAt = 14;

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

bool is_uuid(std::string_view text) {
  if (text.size() < kUuidSize) return false;
  for (std::size_t i = 0; i < kUuidSize; ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !is_hex(text[i])) return false;
  }
  return true;
}

bool is_number(std::string_view text) {
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
  }
  return !text.empty();
}

}  // namespace

std::string Placeholders::text(std::string_view bytes) const {
  std::string out;
  const std::string port = ":" + gateway_port_;
  for (std::size_t i = 0; i < bytes.size();) {
    const std::string_view rest = bytes.substr(i);
    if (is_uuid(rest)) {
      // The gateway may have changed the decision's character of an id that was given.
      const std::string_view before = rest.substr(0, kDecisionAt);
      if (stimulus_.find(before) == std::string::npos) {
        out += "<UUID:";
        out += rest[kDecisionAt];
        out += '>';
        i += kUuidSize;
        continue;
      }
    }
    if (rest.substr(0, port.size()) == port &&
        (rest.size() == port.size() || rest[port.size()] < '0' || rest[port.size()] > '9')) {
      out += ":<GATEWAY_PORT>";
      i += port.size();
      continue;
    }
    out += bytes[i++];
  }
  return out;
}

std::string Placeholders::message(std::string_view bytes) const {
  const std::string known = text(bytes);
  std::string out;
  std::size_t at = 0;
  while (at < known.size()) {
    const std::size_t end = known.find("\r\n", at);
    if (end == std::string::npos) break;
    const std::string_view line = std::string_view(known).substr(at, end - at);
    const auto value_of = [&](std::string_view name) {
      return line.substr(0, name.size()) == name ? line.substr(name.size()) : std::string_view();
    };
    if (const auto date = value_of("date: ");
        date.size() == 29 && date.find("1970") == std::string_view::npos) {
      out += "date: <DATE>";
    } else if (is_number(value_of("x-envoy-upstream-service-time: "))) {
      out += "x-envoy-upstream-service-time: <MS>";
    } else if (const auto left = value_of("x-envoy-expected-rq-timeout-ms: "); is_number(left)) {
      long millis = 0;
      std::from_chars(left.data(), left.data() + left.size(), millis);
      out += "x-envoy-expected-rq-timeout-ms: ";
      out += millis >= 14000 && millis <= 14999 ? "<REMAINING_MS>" : left;
    } else {
      out += line;
    }
    out += "\r\n";
    at = end + 2;
  }
  return out + known.substr(at);
}

}  // namespace conformance::recorded
