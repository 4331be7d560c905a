#include "tools/run_command.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include "reports/results_json.h"
#include "reports/terminal.h"
#include "reports/text.h"
#include "reports/write_report.h"
#include "tools/interrupt.h"
#include "tools/mutants_command.h"
#include "tools/output.h"
#include "tools/parallel.h"
#include "tools/run_scenarios.h"
#include "tools/scenario_files.h"
#include "tools/version.h"

namespace tools {
namespace {

using conformance::LoadedFile;
using conformance::Outcome;
using conformance::RunResult;

ExitStatus list(const std::vector<Selected>& all) {
  bool bad = false;
  for (const Selected& selected : all) {
    if (selected.scenario) print(reports::printable(selected.id) + "\n");
    if (selected.scenario) continue;
    bad = true;
    for (const world::Error& error : selected.file->errors) {
      complain(reports::printable(error.text()));
    }
  }
  if (bad) return ExitStatus::BadInput;
  return all.empty() ? ExitStatus::NothingRan : ExitStatus::Passed;
}

ExitStatus status_of(const conformance::Report& report) {
  const auto any = [&](Outcome outcome) {
    return std::any_of(report.runs.begin(), report.runs.end(),
                       [&](const RunResult& run) { return run.outcome == outcome; });
  };
  if (report.runs.empty()) return ExitStatus::NothingRan;
  if (any(Outcome::Error)) return ExitStatus::BadInput;
  if (any(Outcome::Failed)) return ExitStatus::Failed;
  return any(Outcome::Passed) || any(Outcome::Known) ? ExitStatus::Passed : ExitStatus::NothingRan;
}

/// Makes the folder before anything runs: a long run is not lost to a wrong path.
bool make_folder(const std::string& folder) {
  std::error_code why;
  std::filesystem::create_directories(folder, why);
  if (why) complain(fmt::format("cannot make the folder {}: {}", folder, why.message()));
  return !why;
}

bool write_files(const std::string& folder, const conformance::Report& report) {
  const auto written = reports::write_report(folder, report);
  if (!written) {
    complain(written.error().text());
    return false;
  }
  complain(fmt::format("wrote {}, {} and {}", written->results_json.string(),
                       written->junit_xml.string(), written->summary_markdown.string()));
  return true;
}

void print_rest(const conformance::Report& report, const reports::TerminalStyle& style) {
  std::string text;
  for (const RunResult& run : report.runs) {
    const std::string failure = reports::terminal_failure(run, style);
    if (!failure.empty()) text += "\n" + failure;
  }
  print(text + (report.runs.empty() ? "" : "\n") + reports::terminal_summary(report, style));
}

}  // namespace

ExitStatus run_command(const RunArguments& arguments) {
  auto setup = set_up_target(arguments.on, arguments.seed, arguments.paths);
  if (!setup) return refuse(setup.error());
  if (!arguments.defect.empty()) {
    const auto defect = choose_defect(arguments.defect);
    if (!defect) return refuse({defect.error()});
    setup->options.defect = *defect;
  }
  // Only who reads a file sees them. Of a real world they would be of its own making.
  setup->options.series = !setup->options.live && (arguments.json || !arguments.report.empty());
  if (!arguments.report.empty() && !make_folder(arguments.report)) return ExitStatus::BadInput;
  const InterruptWatch watch;
  const auto interrupted = [&watch] { return watch.interrupted(); };

  std::vector<LoadedFile> files =
      load_files(arguments.paths, std::min(setup->jobs, default_jobs()), interrupted);
  std::vector<Selected> selected = select(files, arguments.filter);
  if (arguments.list && !interrupted()) return list(selected);

  reports::TerminalStyle style{.colour = wants_colour()};
  for (const Selected& each : selected) {
    style.id_width = std::max(style.id_width, reports::printable(each.id).size());
  }
  conformance::Report report;
  report.version = version();
  report.seed = arguments.seed.value_or(0);
  report.target = arguments.on.target;
  report.runs = run_all(selected, *setup,
                        {.done =
                             [&](const RunResult& run) {
                               if (!arguments.json) print(reports::terminal_line(run, style));
                             },
                         .stop = interrupted});

  if (arguments.json) {
    print(reports::results_json(report));
  } else {
    print_rest(report, style);
  }
  const bool written = arguments.report.empty() || write_files(arguments.report, report);
  if (std::any_of(selected.begin(), selected.end(), [](const auto& each) { return each.broke; })) {
    return ExitStatus::InternalError;
  }
  if (interrupted()) {
    complain(fmt::format("interrupted after {} of {} runs", report.runs.size(), selected.size()));
    return ExitStatus::Interrupted;
  }
  if (!written) return ExitStatus::BadInput;
  if (report.runs.empty()) complain("no scenario was selected");
  return status_of(report);
}

}  // namespace tools
