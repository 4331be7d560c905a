#include "reports/failure_text.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "reports/text.h"
#include "reports/timeline_text.h"

namespace reports {
namespace {

using conformance::Check;
using conformance::Outcome;
using conformance::RunResult;

constexpr std::size_t kMaxChecksShown = 20;

/// A label and its value; further lines of the value stand under its first.
std::string labelled(std::string_view label, std::string_view value) {
  std::string out;
  for (const std::string& line : lines_of(printable_block(value))) {
    out += fmt::format("    {:<9} {}\n", out.empty() ? label : "", line);
  }
  return out;
}

std::string check_text(const Check& check) {
  std::string out =
      fmt::format("  {} at {}\n", printable(check.name), seconds_text(check.at.time_since_epoch()));
  out += labelled("expected", check.expected);
  out += labelled("seen", check.actual);
  const std::string place = check.place.text();
  if (!place.empty()) out += labelled("place", place);
  return out;
}

std::string broken_checks_text(const RunResult& run) {
  std::string out;
  std::size_t broken = 0;
  for (const Check& check : run.checks) {
    if (check.passed) continue;
    if (++broken <= kMaxChecksShown) out += check_text(check);
  }
  if (broken > kMaxChecksShown) {
    out += fmt::format("  and {} more broken expectations\n", broken - kMaxChecksShown);
  }
  return out;
}

/// How to see more of it. Nothing for a real world, which does not come again.
std::string timeline_hint(const RunResult& run) {
  constexpr std::string_view kRun = "meshproof run ";
  if (run.trace_hash.empty() || run.replay.rfind(kRun, 0) != 0) return "";
  return "  more of it: " + printable("meshproof timeline " + run.replay.substr(kRun.size())) +
         "\n";
}

const Check* first_broken(const RunResult& run) {
  const auto found = std::find_if(run.checks.begin(), run.checks.end(),
                                  [](const Check& check) { return !check.passed; });
  return found == run.checks.end() ? nullptr : &*found;
}

}  // namespace

std::string failure_text(const RunResult& run) {
  if (run.outcome == Outcome::Passed) return "";
  std::string out;
  if (!run.reason.empty()) {
    for (const std::string& line : lines_of(printable_block(run.reason))) out += "  " + line + "\n";
  }
  for (const world::Error& error : run.errors) out += printable(error.text()) + "\n";
  if (run.outcome == Outcome::Skipped) return out;
  out += broken_checks_text(run);
  if (!run.timeline.empty()) {
    out += "  the last events before it\n" + timeline_text(run.timeline, "    ");
    out += timeline_hint(run);
  }
  if (!run.replay.empty()) out += "  replay: " + printable(run.replay) + "\n";
  return out;
}

std::string failure_headline(const RunResult& run) {
  if (run.outcome == Outcome::Passed) return "";
  if (const Check* check = first_broken(run)) {
    constexpr std::size_t kValueBytes = 120;
    return fmt::format("{}: expected {}, seen {}", printable(check->name),
                       shortened(printable(check->expected), kValueBytes),
                       shortened(printable(check->actual), kValueBytes));
  }
  if (!run.errors.empty()) {
    const std::size_t more = run.errors.size() - 1;
    return printable(run.errors.front().text()) +
           (more == 0 ? "" : fmt::format(" (and {} more)", more));
  }
  return run.reason.empty() ? "no reason given" : printable(run.reason);
}

}  // namespace reports
