#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/verdict.h"

namespace reports {

/// How many runs ended how.
struct Counts {
  std::size_t passed = 0;
  std::size_t failed = 0;
  std::size_t errors = 0;
  std::size_t skipped = 0;
  std::size_t known = 0;

  std::size_t total() const { return passed + failed + errors + skipped + known; }
  void add(conformance::Outcome outcome);
  bool operator==(const Counts&) const = default;
};

Counts counts_of(const conformance::Report& report);

/// "12 passed, 1 failed, 1 error, 2 skipped, 1 known to differ": what is none is left out; "nothing
/// ran" for no run.
std::string counts_text(const Counts& counts);

/// "passed", "failed", "error", "skipped" or "known": the word in results.json.
std::string_view word_of(conformance::Outcome outcome);

/// The parts of an id such as "routing/prefix/3[host=a/b]".
struct SplitId {
  std::vector<std::string> folders;  ///< "routing", "prefix".
  std::string name;                  ///< "3[host=a/b]".
};

SplitId split_id(std::string_view id);

/// The first folder of an id, which reports group by; "scenarios" for an id without folders.
std::string area_of(std::string_view id);

}  // namespace reports
