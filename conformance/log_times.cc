#include "conformance/log_times.h"

#include <cassert>
#include <chrono>
#include <vector>

#include <nlohmann/json.hpp>

#include "proxy/access_log.h"
#include "wire/headers.h"

namespace conformance {
namespace {

using namespace std::chrono_literals;

/// The words of a line: spaces within quotes do not part them.
std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  bool quoted = false;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= line.size(); ++i) {
    if (i == line.size() || (line[i] == ' ' && !quoted)) {
      words.push_back(line.substr(begin, i - begin));
      begin = i + 1;
    } else if (line[i] == '"') {
      quoted = !quoted;
    }
  }
  return words;
}

/// A line of a request of which nothing is known but when it began and how long it took.
std::string line_of(const proxy::LogFormat& format, std::chrono::seconds time) {
  wire::HeaderMap response;
  response.add("x-envoy-upstream-service-time", std::to_string(time.count()));
  proxy::LogEntry entry;
  entry.started = world::CalendarTime(time);
  entry.duration = time;
  entry.response = &response;
  std::string line;
  format.append(line, entry);
  return line;
}

}  // namespace

LogTimes::LogTimes(const proxy::AccessLogPlan& plan) {
  const auto format = proxy::LogFormat::compile(plan);
  if (!format) return;  // nothing is written
  // What differs between two lines that differ in nothing but times is a time.
  const std::string one = line_of(*format, 1s);
  const std::string other = line_of(*format, 2s);
  if (plan.kind == proxy::AccessLogPlan::Kind::Json) {
    const auto first = nlohmann::json::parse(one);
    const auto second = nlohmann::json::parse(other);
    for (const auto& [key, value] : first.items()) {
      if (value != second.at(key)) members_.insert(key);
    }
    return;
  }
  const auto first = words_of(one);
  const auto second = words_of(other);
  assert(first.size() == second.size());
  for (std::size_t i = 0; i < first.size(); ++i) {
    if (first[i] != second[i]) words_.insert(i);
  }
}

std::string LogTimes::with_times_of(std::string_view expected, std::string_view line) const {
  const auto wanted = words_of(expected);
  const auto words = words_of(line);
  if (words.size() != wanted.size()) return std::string(line);
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    // A placeholder stays to be matched.
    const bool takes = words_.contains(i) && wanted[i].find('<') == std::string_view::npos;
    if (i != 0) out += ' ';
    out += takes ? wanted[i] : word;
  }
  return out;
}

}  // namespace conformance
