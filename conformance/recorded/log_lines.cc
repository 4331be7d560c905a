#include "conformance/recorded/log_lines.h"

#include <array>
#include <utility>

#include "conformance/latin1.h"

namespace conformance::recorded {
namespace {

using nlohmann::json;

constexpr char kLine = '\x1e';   // between the default line and the fields
constexpr char kField = '\x1f';  // after each field
// A line may hold any byte that a request's head may, but none of these.
constexpr std::string_view kEnd = "\x1d\n";

/// The members of a record's access log, and how the real proxy's format says them.
constexpr std::array<std::pair<const char*, const char*>, 17> kFields = {{
    {"code", "%RESPONSE_CODE%"},
    {"flags", "%RESPONSE_FLAGS%"},
    {"details", "%RESPONSE_CODE_DETAILS%"},
    {"term", "%CONNECTION_TERMINATION_DETAILS%"},
    {"proto", "%PROTOCOL%"},
    {"method", "%REQ(:METHOD)%"},
    {"path", "%REQ(:PATH)%"},
    {"origpath", "%REQ(X-ENVOY-ORIGINAL-PATH)%"},
    {"authority", "%REQ(:AUTHORITY)%"},
    {"rx", "%BYTES_RECEIVED%"},
    {"tx", "%BYTES_SENT%"},
    {"attempts", "%UPSTREAM_REQUEST_ATTEMPT_COUNT%"},
    {"cluster", "%UPSTREAM_CLUSTER%"},
    {"upstream", "%UPSTREAM_HOST%"},
    {"transport", "%UPSTREAM_TRANSPORT_FAILURE_REASON%"},
    {"grpc", "%GRPC_STATUS%"},
    {"route", "%ROUTE_NAME%"},
}};

bool is_count(std::string_view name) {
  return name == "code" || name == "rx" || name == "tx" || name == "attempts" || name == "grpc";
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  for (std::size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
}

}  // namespace

std::string log_format() {
  std::string format =
      "[<TIME>] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" "
      "%RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% <MS> "
      "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\" "
      "\"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\"";
  format += kLine;
  for (const auto& [name, value] : kFields) {
    format += value;
    format += kField;
  }
  return format.append(kEnd);
}

json LogLines::read(std::string_view file) const {
  json lines = json::array();
  json entries = json::array();
  while (!file.empty()) {
    const std::string_view line = file.substr(0, file.find(kEnd));
    file.remove_prefix(line.size() + kEnd.size());
    const std::size_t split = line.find(kLine);
    lines.push_back(to_utf8(default_line(line.substr(0, split))));
    json entry;
    std::string_view rest = line.substr(split + 1);
    for (const auto& [name, format] : kFields) {
      const std::size_t end = rest.find(kField);
      entry[name] = field(name, std::string(rest.substr(0, end)));
      rest.remove_prefix(end + 1);
    }
    entries.push_back(std::move(entry));
  }
  return {{"default", std::move(lines)}, {"json", std::move(entries)}};
}

std::string LogLines::default_line(std::string_view line) const {
  std::string text = placeholders_.text(line);
  // The service time comes after the duration, and is "-" where there was none.
  constexpr std::string_view kDuration = " <MS> ";
  if (const std::size_t at = text.find(kDuration); at != std::string::npos) {
    const std::size_t from = at + kDuration.size();
    const std::size_t to = text.find(' ', from);
    if (is_number(std::string_view(text).substr(from, to - from))) {
      text.replace(from, to - from, "<MS>");
    }
  }
  for (const auto& [address, name] : names_.addresses) {
    replace_all(text, "\"" + address + "\"", "\"" + name + "\"");
  }
  return text;
}

json LogLines::field(std::string_view name, const std::string& value) const {
  if (is_count(name) && (is_number(value) || value == "-1")) return std::stoll(value);
  if (value == "-") return name == "flags" ? json("-") : json();
  if (name == "cluster" && names_.clusters.count(value) != 0) return names_.clusters.at(value);
  if (name == "upstream" && names_.addresses.count(value) != 0) return names_.addresses.at(value);
  return to_utf8(placeholders_.text(value));
}

}  // namespace conformance::recorded
