#include "tools/gate_command.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include <fmt/format.h>

#include "reports/baseline.h"
#include "reports/terminal.h"
#include "reports/text.h"
#include "reports/write_file.h"
#include "tools/interrupt.h"
#include "tools/output.h"
#include "tools/parallel.h"
#include "tools/run_scenarios.h"
#include "tools/scenario_files.h"
#include "tools/version.h"

namespace tools {
namespace {

using conformance::Outcome;
using conformance::RunResult;

world::Result<reports::Baseline, world::Errors> read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file) {
    return world::Errors{{"--baseline", "cannot be read; --update writes it", {.file = path}}};
  }
  return reports::read_baseline(text, path);
}

}  // namespace

ExitStatus gate_command(const GateArguments& arguments) {
  auto setup = set_up_target(arguments.on, arguments.seed, arguments.paths);
  if (!setup) return refuse(setup.error());
  reports::Baseline before;
  if (!arguments.update) {
    auto kept = read(arguments.baseline);
    if (!kept) return refuse(kept.error());
    before = std::move(*kept);
    if (before.target != arguments.on.target) {
      return refuse({{"--baseline",
                      fmt::format("is of the target {}, not {}", reports::printable(before.target),
                                  reports::printable(arguments.on.target)),
                      {.file = arguments.baseline}}});
    }
  }
  const InterruptWatch watch;
  const auto interrupted = [&watch] { return watch.interrupted(); };
  auto files = load_files(arguments.paths, default_jobs(), interrupted);
  auto selected = select(files, {});
  conformance::Report report{.version = std::string(version()),
                             .seed = arguments.seed.value_or(0),
                             .target = arguments.on.target,
                             .runs = {}};
  report.runs = run_all(selected, *setup, {.done = [](const RunResult&) {}, .stop = interrupted});
  if (interrupted()) return ExitStatus::Interrupted;
  world::Errors errors;
  for (const RunResult& run : report.runs) {
    if (run.outcome == Outcome::Error) {
      errors.insert(errors.end(), run.errors.begin(), run.errors.end());
    }
  }
  if (!errors.empty()) return refuse(errors);
  if (report.runs.empty()) {
    complain("no scenario was selected");
    return ExitStatus::NothingRan;
  }

  const reports::Baseline after = reports::baseline_of(report);
  if (arguments.update) {
    const auto error = reports::write_whole(arguments.baseline, reports::baseline_json(after));
    if (error) return refuse({*error});
    complain(fmt::format("wrote {}: {} runs", reports::printable(arguments.baseline),
                         after.runs.size()));
    return ExitStatus::Passed;
  }
  const auto changes = reports::changes(before, after);
  for (const RunResult& run : report.runs) {
    const bool broken = std::any_of(changes.begin(), changes.end(), [&](const auto& one) {
      return one.id == run.id && one.kind == reports::Change::Kind::Broken;
    });
    if (broken) print(reports::terminal_failure(run, {}) + "\n");
  }
  print(reports::changes_text(changes, after.runs.size()));
  const bool worse = std::any_of(changes.begin(), changes.end(),
                                 [](const auto& one) { return one.is_regression(); });
  return worse ? ExitStatus::Failed : ExitStatus::Passed;
}

}  // namespace tools
