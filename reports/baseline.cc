#include "reports/baseline.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "document/parse.h"
#include "document/reader.h"
#include "reports/summary.h"
#include "reports/text.h"

namespace reports {

using conformance::ObservedRequest;
using conformance::RunResult;
using Json = nlohmann::ordered_json;

namespace {

constexpr const char* kPassed = "passed";
/// So many lines of what is seen otherwise are shown.
constexpr std::size_t kMostLines = 10;

std::string line_of(const ObservedRequest& request) {
  std::string out = fmt::format("{} {} -> ", request.method, request.url);
  out += request.status ? std::to_string(*request.status) : request.failure;
  if (!request.response_flags.empty() && request.response_flags != "-") {
    out += " " + request.response_flags;
  }
  for (const ObservedRequest::Seen& seen : request.seen) {
    out += fmt::format("; {}: {} {}", seen.service, seen.method, seen.path);
    if (seen.host != seen.service) out += fmt::format(" host {}", seen.host);
  }
  return printable(out);
}

std::vector<std::string> lines_of(const RunResult& run) {
  std::vector<std::string> out;
  std::string last;
  std::size_t times = 0;
  const auto flush = [&] {
    if (times != 0) out.push_back(times == 1 ? last : fmt::format("{} x {}", times, last));
    times = 0;
  };
  for (const ObservedRequest& request : run.requests) {
    std::string line = line_of(request);
    if (line != last) flush();
    last = std::move(line);
    ++times;
  }
  flush();
  return out;
}

/// Lines that only one of them has, as a patch has them.
std::string difference(const std::vector<std::string>& before,
                       const std::vector<std::string>& after) {
  std::string out;
  std::size_t shown = 0;
  const std::size_t all = std::max(before.size(), after.size());
  for (std::size_t i = 0; i < all && shown < kMostLines; ++i) {
    const bool same = i < before.size() && i < after.size() && before[i] == after[i];
    if (same) continue;
    ++shown;
    if (i < before.size()) out += "    - " + printable(before[i]) + "\n";
    if (i < after.size()) out += "    + " + printable(after[i]) + "\n";
  }
  if (shown == kMostLines) out += "    ...\n";
  return out;
}

std::string_view word_of(Change::Kind kind) {
  switch (kind) {
    case Change::Kind::Broken:
      return "BROKEN";
    case Change::Kind::Lost:
      return "LOST";
    case Change::Kind::Mended:
      return "mended";
    case Change::Kind::New:
      return "new";
    case Change::Kind::Seen:
      return "seen";
    case Change::Kind::Trace:
      return "trace";
    case Change::Kind::Differs:
      return "differs";
  }
  return "";
}

std::string cause(const Remembered& before, const Remembered& after) {
  return before.digest == after.digest ? "the scenario is the same one"
                                       : "the scenario has changed too";
}

/// Nothing: it is as it was. Requires: both are of one id.
std::vector<Change> compare(const std::string& id, const Remembered& before,
                            const Remembered& after) {
  using Kind = Change::Kind;
  const bool passed = before.outcome == kPassed;
  const std::string lines = difference(before.seen, after.seen);
  const std::string was = fmt::format("it was {} and is {} now, {}\n", before.outcome,
                                      after.outcome, cause(before, after));
  if (before.outcome != after.outcome) {
    if (after.outcome == kPassed) return {{Kind::Mended, id, was + lines}};
    const bool lost = after.outcome == "skipped";
    if (passed) return {{lost ? Kind::Lost : Kind::Broken, id, was + lines}};
    return {{Kind::Differs, id, was + lines}};
  }
  if (!lines.empty()) {
    return {{Kind::Seen, id,
             fmt::format("no expectation notices, {}\n", cause(before, after)) + lines}};
  }
  if (before.trace_hash == after.trace_hash) return {};
  return {{Kind::Trace, id,
           fmt::format("the same is seen at other times, or on another way: {}\n",
                       cause(before, after))}};
}

}  // namespace

Baseline baseline_of(const conformance::Report& report) {
  Baseline out{report.target, {}};
  for (const RunResult& run : report.runs) {
    out.runs[run.id] = {std::string(reports::word_of(run.outcome)), run.digest, run.trace_hash,
                        lines_of(run)};
  }
  return out;
}

std::string baseline_json(const Baseline& baseline) {
  Json out = {{"format", 1}, {"target", baseline.target}, {"runs", Json::object()}};
  for (const auto& [id, run] : baseline.runs) {
    out["runs"][id] = {{"outcome", run.outcome},
                       {"digest", run.digest},
                       {"trace_hash", run.trace_hash},
                       {"seen", run.seen}};
  }
  return out.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

world::Result<Baseline, world::Errors> read_baseline(const std::string& text,
                                                     const std::string& file) {
  const auto parsed = document::parse(text, file);
  if (!parsed) return parsed.error();
  document::Problems problems;
  Baseline out;
  document::Reader root(*parsed, problems);
  if (!root.expect_object()) return problems.take();
  static_cast<void>(root.required_integer("format", 1, 1));
  out.target = root.required_string("target", {.min = 1});
  if (auto runs = root.required("runs")) {
    for (auto& [member, run] : runs->members()) {
      if (!run.expect_object()) continue;
      Remembered& one = out.runs[member->key];
      one.outcome = run.required_string("outcome", {.min = 1});
      one.digest = run.required_string("digest");
      one.trace_hash = run.required_string("trace_hash");
      for (const document::Reader& line : run.optional_items("seen")) {
        one.seen.push_back(line.as_string().value_or(""));
      }
      run.finish();
    }
  }
  root.finish();
  if (!problems.empty()) return problems.take();
  return out;
}

std::vector<Change> changes(const Baseline& before, const Baseline& after) {
  std::vector<Change> out;
  for (const auto& [id, run] : before.runs) {
    const auto now = after.runs.find(id);
    if (now != after.runs.end()) {
      for (Change& one : compare(id, run, now->second)) out.push_back(std::move(one));
    } else if (run.outcome == kPassed) {
      out.push_back({Change::Kind::Lost, id, "it passed, and nothing of that id was run\n"});
    }
  }
  for (const auto& [id, run] : after.runs) {
    if (before.runs.contains(id)) continue;
    out.push_back({Change::Kind::New, id, fmt::format("it is {}\n", run.outcome)});
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const Change& one, const Change& other) { return one.id < other.id; });
  return out;
}

std::string changes_text(const std::vector<Change>& changes, std::size_t runs) {
  std::string out;
  std::size_t regressions = 0;
  for (const Change& one : changes) {
    if (one.is_regression()) ++regressions;
    out += fmt::format("{:<8} {}: {}", word_of(one.kind), printable(one.id), one.text);
  }
  return out + fmt::format("{} runs, {} changed, {} {}\n", runs, changes.size(), regressions,
                           regressions == 1 ? "regression" : "regressions");
}

}  // namespace reports
