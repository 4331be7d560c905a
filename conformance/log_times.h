#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>

#include "proxy/plan.h"

namespace conformance {

/// Which parts of an access log's lines are times, by its format.
class LogTimes {
 public:
  explicit LogTimes(const proxy::AccessLogPlan& plan);

  /// The line, with each word that is a time as it stands in `expected`. Words that do not fit
  /// together leave the line as it is.
  std::string with_times_of(std::string_view expected, std::string_view line) const;
  /// Whether the member of that key in a JSON line has a time in it.
  bool in_member(const std::string& key) const { return members_.contains(key); }

 private:
  std::set<std::size_t> words_;
  std::set<std::string> members_;
};

}  // namespace conformance
