#include "reports/summary.h"

#include <cassert>

#include <fmt/format.h>

namespace reports {

using conformance::Outcome;

void Counts::add(Outcome outcome) {
  switch (outcome) {
    case Outcome::Passed:
      ++passed;
      break;
    case Outcome::Failed:
      ++failed;
      break;
    case Outcome::Error:
      ++errors;
      break;
    case Outcome::Skipped:
      ++skipped;
      break;
    case Outcome::Known:
      ++known;
      break;
  }
}

Counts counts_of(const conformance::Report& report) {
  Counts counts;
  for (const auto& run : report.runs) counts.add(run.outcome);
  return counts;
}

std::string counts_text(const Counts& counts) {
  std::string out;
  const auto add = [&](std::size_t count, std::string_view what) {
    if (count != 0) out += fmt::format("{}{} {}", out.empty() ? "" : ", ", count, what);
  };
  add(counts.passed, "passed");
  add(counts.failed, "failed");
  add(counts.errors, counts.errors == 1 ? "error" : "errors");
  add(counts.skipped, "skipped");
  add(counts.known, "known to differ");
  return out.empty() ? "nothing ran" : out;
}

std::string_view word_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::Passed:
      return "passed";
    case Outcome::Failed:
      return "failed";
    case Outcome::Error:
      return "error";
    case Outcome::Skipped:
      return "skipped";
    case Outcome::Known:
      return "known";
  }
  assert(false);
  return "";
}

SplitId split_id(std::string_view id) {
  // Only folders are split: a variant's values may hold any character.
  const std::string_view variant = id.substr(std::min(id.find('['), id.size()));
  id.remove_suffix(variant.size());
  SplitId out;
  for (std::size_t slash; (slash = id.find('/')) != std::string_view::npos;) {
    if (slash != 0) out.folders.emplace_back(id.substr(0, slash));
    id.remove_prefix(slash + 1);
  }
  out.name = std::string(id) + std::string(variant);
  return out;
}

std::string area_of(std::string_view id) {
  const SplitId split = split_id(id);
  return split.folders.empty() ? "scenarios" : split.folders.front();
}

}  // namespace reports
