#include "reports/timeline_text.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "reports/text.h"

namespace reports {

using conformance::TimelineEntry;

namespace {

/// Longer ones do not push the rest of their column away.
constexpr std::size_t kWidest = 28;

std::size_t width_of(const std::string& text) {
  const std::size_t width = printable(text).size();
  return width > kWidest ? 0 : width;
}

char mark_of(const TimelineEntry& entry) {
  switch (entry.kind) {
    case TimelineEntry::Kind::Change:
      return '~';
    case TimelineEntry::Kind::Breach:
      return '!';
    case TimelineEntry::Kind::Event:
      break;
  }
  return ' ';
}

}  // namespace

std::string timeline_text(const std::vector<TimelineEntry>& timeline, std::string_view indent) {
  int digits = 3;
  std::size_t time_width = 0;
  std::size_t who_width = 0;
  std::size_t request_width = 0;
  for (const TimelineEntry& entry : timeline) {
    digits = std::max(digits, digits_needed(entry.at.time_since_epoch()));
    who_width = std::max(who_width, width_of(entry.who));
    request_width = std::max(request_width, width_of(entry.request));
  }
  for (const TimelineEntry& entry : timeline) {
    time_width = std::max(time_width, seconds_text(entry.at.time_since_epoch(), digits).size());
  }
  std::string out;
  for (const TimelineEntry& entry : timeline) {
    out += fmt::format("{}{:>{}} {} {:<{}}  ", indent,
                       seconds_text(entry.at.time_since_epoch(), digits), time_width,
                       mark_of(entry), printable(entry.who), who_width);
    if (request_width > 0) out += fmt::format("{:<{}}  ", printable(entry.request), request_width);
    out += printable(entry.what) + "\n";
  }
  return out;
}

std::string state_text(const std::vector<TimelineEntry>& states, std::string_view indent) {
  std::map<std::string, std::string> lines;
  std::size_t width = 0;
  for (const TimelineEntry& state : states) {
    const std::string who = printable(state.who);
    width = std::max(width, width_of(state.who));
    std::string& line = lines[who];
    line += fmt::format("{}{}", line.empty() ? "" : ", ", printable(state.what));
    if (state.at != world::TimePoint{}) {
      line += fmt::format(" (since {})", seconds_text(state.at.time_since_epoch()));
    }
  }
  std::string out;
  for (const auto& [who, line] : lines) {
    out += fmt::format("{}{:<{}}  {}\n", indent, who, width, line);
  }
  return out;
}

}  // namespace reports
