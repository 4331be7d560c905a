#include "reports/markdown.h"

#include <map>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reports/failure_text.h"
#include "reports/summary.h"
#include "reports/text.h"

namespace reports {
namespace {

using conformance::Outcome;
using conformance::Report;
using conformance::RunResult;

/// Text that shows as it is: what Markdown or HTML would read as mark-up is escaped.
std::string plain(std::string_view text) {
  std::string out;
  for (const char c : printable(text)) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '|':
      case '`':
      case '*':
      case '_':
      case '[':
      case ']':
      case '#':
      case '~':
      case '\\':
        out += '\\';
        [[fallthrough]];
      default:
        out += c;
    }
  }
  return out;
}

/// A block shown as it is. Its fence is longer than any run of backticks inside.
std::string code_block(std::string_view text) {
  std::size_t longest = 0;
  std::size_t run = 0;
  for (const char c : text) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  const std::string fence(std::max<std::size_t>(3, longest + 1), '`');
  return fence + "text\n" + std::string(text) + fence + "\n";
}

/// A table of counts, one row a key, as far as `budget` bytes reach.
std::string counts_table(std::string_view first, const std::map<std::string, Counts>& rows,
                         std::size_t budget) {
  std::string out = fmt::format("| {} | passed | failed | errors | skipped | known |\n", first);
  out += "|---|---:|---:|---:|---:|---:|\n";
  std::size_t shown = 0;
  for (const auto& [key, counts] : rows) {
    const std::string row =
        fmt::format("| {} | {} | {} | {} | {} | {} |\n", plain(shortened(key, 200)), counts.passed,
                    counts.failed, counts.errors, counts.skipped, counts.known);
    if (out.size() + row.size() > budget) break;
    out += row;
    ++shown;
  }
  if (shown < rows.size()) out += fmt::format("\nand {} more\n", rows.size() - shown);
  return out;
}

std::string failure_section(const RunResult& run) {
  constexpr std::size_t kDetailBytes = 16 * 1024;
  std::string details = shortened(failure_text(run), kDetailBytes);
  if (!details.ends_with('\n')) details += '\n';
  return fmt::format("<details><summary>{} <b>{}</b> {}</summary>\n\n{}\n</details>\n\n",
                     run.outcome == Outcome::Failed ? "FAILED" : "ERROR",
                     plain(shortened(run.id, 500)), plain(shortened(run.title, 500)),
                     code_block(details));
}

std::string failures(const std::vector<const RunResult*>& bad, std::size_t budget) {
  constexpr std::size_t kMoreBytes = 64;
  std::string out = "## What did not pass\n\n";
  for (std::size_t i = 0; i < bad.size(); ++i) {
    const std::string section = failure_section(*bad[i]);
    if (out.size() + section.size() + kMoreBytes > budget) {
      return out + fmt::format("and {} more; all are in results.json\n", bad.size() - i);
    }
    out += section;
  }
  return out;
}

/// Each reason with the runs that have it, as far as `budget` bytes reach.
std::string reasons_section(std::string_view heading,
                            const std::map<std::string, std::vector<std::string>>& skipped,
                            std::size_t budget) {
  std::string out = fmt::format("## {}\n\n| reason | runs |\n|---|---|\n", heading);
  std::size_t shown = 0;
  for (const auto& [reason, ids] : skipped) {
    const std::string row =
        fmt::format("| {} | {} |\n", plain(shortened(reason, 500)),
                    plain(shortened(fmt::format("{}: {}", ids.size(), fmt::join(ids, ", ")), 500)));
    if (out.size() + row.size() > budget) break;
    out += row;
    ++shown;
  }
  if (shown < skipped.size()) out += fmt::format("\nand {} more\n", skipped.size() - shown);
  return out + "\n";
}

}  // namespace

std::string summary_markdown(const Report& report, std::size_t max_bytes) {
  std::map<std::string, Counts> areas;
  std::map<std::string, Counts> clauses;
  std::vector<const RunResult*> bad;
  std::map<std::string, std::vector<std::string>> skipped, known;
  std::uint64_t unjudged = 0;
  for (const RunResult& run : report.runs) {
    areas[area_of(run.id)].add(run.outcome);
    for (const std::string& clause : run.clauses) clauses[clause].add(run.outcome);
    if (run.outcome == Outcome::Failed || run.outcome == Outcome::Error) bad.push_back(&run);
    if (run.outcome == Outcome::Skipped) skipped[run.reason].push_back(run.id);
    if (run.outcome == Outcome::Known) known[run.reason].push_back(run.id);
    unjudged += run.unjudged_times;
  }

  std::string out = fmt::format("# meshproof: {}\n\n", counts_text(counts_of(report)));
  out += fmt::format("Target `{}`, seed {}, version {}.\n\n", plain(report.target), report.seed,
                     plain(report.version));
  if (unjudged != 0) out += fmt::format("Not judged: {} expectations of times.\n\n", unjudged);
  if (report.runs.empty()) return out;
  out += counts_table("area", areas, max_bytes / 8) + "\n";
  if (!clauses.empty()) {
    out += fmt::format("<details><summary>{} clauses covered</summary>\n\n{}\n</details>\n\n",
                       clauses.size(), counts_table("clause", clauses, max_bytes / 4));
  }
  if (!skipped.empty()) out += reasons_section("What was skipped", skipped, max_bytes / 4);
  if (!known.empty()) out += reasons_section("What is known to differ", known, max_bytes / 4);
  if (!bad.empty()) out += failures(bad, max_bytes - std::min(max_bytes, out.size()));
  return out;
}

}  // namespace reports
