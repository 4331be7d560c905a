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

std::string Placeholders::header(std::string_view name, std::string_view value) const {
  std::string known = text(value);
  if (name == "date" && known.size() == 29 && known.find("1970") == std::string::npos) {
    return "<DATE>";
  }
  if (name == "x-envoy-upstream-service-time" && is_number(known)) return "<MS>";
  if (name == "x-envoy-expected-rq-timeout-ms" && is_number(known)) {
    long millis = 0;
    std::from_chars(known.data(), known.data() + known.size(), millis);
    if (millis >= 14000 && millis <= 14999) return "<REMAINING_MS>";
  }
  return known;
}

std::string Placeholders::message(std::string_view bytes) const {
  std::string out;
  std::size_t at = 0;
  while (at < bytes.size()) {
    const std::size_t end = bytes.find("\r\n", at);
    if (end == std::string_view::npos) break;
    const std::string_view line = bytes.substr(at, end - at);
    if (const std::size_t colon = line.find(": "); colon != std::string_view::npos) {
      out += text(line.substr(0, colon + 2));
      out += header(line.substr(0, colon), line.substr(colon + 2));
    } else {
      out += text(line);
    }
    out += "\r\n";
    at = end + 2;
  }
  return out + text(bytes.substr(at));
}

}  // namespace conformance::recorded
