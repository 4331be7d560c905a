#include "reports/terminal.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "reports/failure_text.h"
#include "reports/summary.h"
#include "reports/text.h"

namespace reports {
namespace {

using conformance::Outcome;
using conformance::Report;
using conformance::RunResult;

constexpr std::string_view kGreen = "32";
constexpr std::string_view kYellow = "33";
constexpr std::string_view kRed = "1;31";
constexpr std::string_view kDim = "2";
constexpr std::string_view kBold = "1";

std::string painted(std::string_view text, std::string_view colour, const TerminalStyle& style) {
  if (!style.colour) return std::string(text);
  return fmt::format("\x1b[{}m{}\x1b[0m", colour, text);
}

std::string_view label_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::Passed:
      return "ok";
    case Outcome::Failed:
      return "FAILED";
    case Outcome::Error:
      return "ERROR";
    case Outcome::Skipped:
      return "skip";
    case Outcome::Known:
      return "known";
  }
  return "";
}

std::string_view colour_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::Passed:
      return kGreen;
    case Outcome::Skipped:
    case Outcome::Known:
      return kYellow;
    case Outcome::Failed:
    case Outcome::Error:
      return kRed;
  }
  return "";
}

}  // namespace

std::string terminal_line(const RunResult& run, const TerminalStyle& style) {
  constexpr std::size_t kHashDigits = 8;
  // A run that never began has neither a time nor a hash.
  const bool ran = !run.trace_hash.empty() || run.events != 0;
  std::string out =
      painted(fmt::format("{:<6}", label_of(run.outcome)), colour_of(run.outcome), style);
  out += fmt::format("  {:<{}}", printable(run.id), style.id_width);
  out += fmt::format("  {:>10}", ran ? seconds_text(run.simulated) : "-");
  out += "  " + painted(fmt::format("{:<8}", run.trace_hash.substr(0, kHashDigits)), kDim, style);
  out += "  " + printable(run.title);
  const bool explained = run.outcome == Outcome::Skipped || run.outcome == Outcome::Known;
  if (explained && !run.reason.empty()) {
    out += " (" + printable(run.reason) + ")";
  }
  out.erase(out.find_last_not_of(' ') + 1);
  return out + "\n";
}

std::string terminal_failure(const RunResult& run, const TerminalStyle& style) {
  if (run.outcome != Outcome::Failed && run.outcome != Outcome::Error) return "";
  const std::string heading =
      fmt::format("{} {}", painted(label_of(run.outcome), kRed, style), printable(run.id));
  const std::string title =
      run.title.empty() ? "" : ": " + painted(printable(run.title), kBold, style);
  return heading + title + "\n" + failure_text(run);
}

std::string terminal_summary(const Report& report, const TerminalStyle& style) {
  const Counts counts = counts_of(report);
  world::Duration simulated{};
  std::uint64_t unjudged = 0;
  for (const RunResult& run : report.runs) {
    simulated += run.simulated;
    unjudged += run.unjudged_times;
  }
  const std::string_view colour = counts.failed + counts.errors != 0 ? kRed
                                  : counts.passed == 0               ? kYellow
                                                                     : kGreen;
  std::string out = painted(counts_text(counts), colour, style);
  if (unjudged != 0) {
    out += fmt::format("; {} {} not judged: times", unjudged,
                       unjudged == 1 ? "expectation" : "expectations");
  }
  if (report.target != "sim") return out + "\n";
  return out + fmt::format(" in {} of simulated time\n", seconds_text(simulated, 3));
}

std::string terminal_report(const Report& report, TerminalStyle style) {
  for (const RunResult& run : report.runs) {
    style.id_width = std::max(style.id_width, printable(run.id).size());
  }
  std::string out;
  for (const RunResult& run : report.runs) out += terminal_line(run, style);
  for (const RunResult& run : report.runs) {
    const std::string failure = terminal_failure(run, style);
    if (!failure.empty()) out += "\n" + failure;
  }
  return out + (report.runs.empty() ? "" : "\n") + terminal_summary(report, style);
}

}  // namespace reports
