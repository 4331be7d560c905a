#include "tools/run_command.h"

#include <algorithm>
#include <exception>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include "conformance/engine.h"
#include "live/runtime.h"
#include "reports/results_json.h"
#include "reports/terminal.h"
#include "reports/text.h"
#include "reports/write_report.h"
#include "targets/envoy_target.h"
#include "tools/interrupt.h"
#include "tools/known_differences.h"
#include "tools/output.h"
#include "tools/parallel.h"
#include "tools/scenario_files.h"
#include "tools/version.h"

namespace tools {
namespace {

using conformance::LoadedFile;
using conformance::Outcome;
using conformance::RunResult;

constexpr const char* kSimulated = "sim";
constexpr const char* kGateway = "gateway";
constexpr std::string_view kEnvoy = "envoy";

/// One run that was selected: a variant of a file, or a file that is bad.
struct Selected {
  const LoadedFile* file;
  std::string id;
  std::optional<conformance::Scenario> scenario;  ///< Absent: the file is bad.
  bool broke = false;                             ///< The program itself failed at it.
};

std::vector<Selected> select(std::vector<LoadedFile>& files, const std::string& filter) {
  std::vector<Selected> selected;
  for (LoadedFile& file : files) {
    // A file that could not even be read has no id to select it by, and hides what is in it.
    const bool unread = !file.errors.empty() && file.digest.empty();
    if (!file.errors.empty() && (unread || selects(filter, file.id))) {
      selected.push_back({.file = &file, .id = file.id, .scenario = {}});
    }
    for (conformance::Scenario& variant : file.variants) {
      if (!selects(filter, variant.id)) continue;
      std::string id = variant.id;
      selected.push_back({.file = &file, .id = std::move(id), .scenario = std::move(variant)});
    }
    file.variants.clear();
  }
  return selected;
}

RunResult result_of(Selected& selected, const conformance::RunOptions& options) {
  const LoadedFile& file = *selected.file;
  if (!selected.scenario) {
    return conformance::bad_file_result(file.file, file.id, file.title, file.digest, file.errors);
  }
  RunResult result;
  try {
    result = conformance::run(*selected.scenario, options);
  } catch (const std::exception& exception) {
    selected.broke = true;
    const world::Error error{.path = {},
                             .message = fmt::format("internal error: {}", exception.what()),
                             .place = {.file = file.file}};
    result = conformance::bad_file_result(file.file, selected.id, file.title, file.digest, {error});
  }
  selected.scenario.reset();  // Thousands of them need not be kept until the end.
  return result;
}

/// What is known to fail does, and is told as such. Then that it passes is worth knowing too.
void compare_with_known(RunResult& result, const KnownDifferences& known, const std::string& file) {
  const auto listed = known.find(result.id);
  if (listed == known.end()) return;
  if (result.outcome == Outcome::Failed) {
    result.outcome = Outcome::Known;
    result.reason = listed->second;
  } else if (result.outcome == Outcome::Passed) {
    result.outcome = Outcome::Failed;
    result.checks.push_back({.name = "it is known to differ",
                             .passed = false,
                             .expected = listed->second,
                             .actual = "it agrees now: take it off the list",
                             .place = {.file = file}});
  }
}

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

/// What runs in place of our gateway; null: it does itself. Errors: what is wrong with `--target`.
world::Result<std::unique_ptr<conformance::Target>> find_target(const std::string& given) {
  const std::string_view kind = std::string_view(given).substr(0, given.find(':'));
  if (given == kSimulated || given == kGateway) return std::unique_ptr<conformance::Target>();
  if (kind == kEnvoy) {
    auto found = targets::EnvoyTarget::find(given.substr(std::min(given.size(), kind.size() + 1)));
    if (!found) return world::Error{{}, "--target: " + found.error().message, {}};
    return std::unique_ptr<conformance::Target>(std::move(*found));
  }
  return world::Error{
      {}, fmt::format("--target: must be sim, gateway, envoy or envoy:PATH, is '{}'", given), {}};
}

/// How scenarios run against the target. Nothing: the arguments are bad, which was said.
std::optional<conformance::RunOptions> options_of(const RunArguments& arguments) {
  const auto refuse = [](const std::string& why) {
    complain(why);
    return std::nullopt;
  };
  conformance::RunOptions options{.seed = arguments.seed};
  if (arguments.target == kSimulated) {
    if (arguments.time_scale) return refuse("--time-scale: the target sim takes no real time");
    if (arguments.live_limit_seconds) {
      return refuse("--live-limit: the target sim takes no real time");
    }
    return options;
  }
  options.live.emplace();
  if (arguments.time_scale) options.live->time_scale = *arguments.time_scale;
  if (arguments.live_limit_seconds) {
    options.live->limit = std::chrono::duration_cast<world::Duration>(
        std::chrono::duration<double>(*arguments.live_limit_seconds));
  }
  return options;
}

/// Live runs wait most of the time.
unsigned jobs_of(const RunArguments& arguments) {
  constexpr unsigned kLiveJobs = 16;
  constexpr unsigned kProcesses = 4;  // each beside this one
  if (arguments.jobs) return *arguments.jobs;
  if (arguments.target == kSimulated) return default_jobs();
  return arguments.target == kGateway ? kLiveJobs : kProcesses;
}

}  // namespace

ExitStatus run_command(const RunArguments& arguments) {
  const auto target = find_target(arguments.target);
  if (!target) return refuse({target.error()});
  auto options = options_of(arguments);
  if (!options) return ExitStatus::BadInput;
  if (options->live) options->live->target = target->get();
  KnownDifferences known;
  if (!arguments.known.empty()) {
    auto read = read_known_differences(arguments.known);
    if (!read) return refuse(read.error());
    known = std::move(*read);
  }
  // Only who reads a file sees them. Of a real world they would be of its own making.
  options->series = !options->live && (arguments.json || !arguments.report.empty());
  const unsigned jobs = jobs_of(arguments);
  if (options->live) live::raise_descriptor_limit();
  if (!arguments.report.empty() && !make_folder(arguments.report)) return ExitStatus::BadInput;
  const InterruptWatch watch;
  const auto interrupted = [&watch] { return watch.interrupted(); };

  std::vector<LoadedFile> files =
      load_files(arguments.paths, std::min(jobs, default_jobs()), interrupted);
  std::vector<Selected> selected = select(files, arguments.filter);
  if (arguments.list && !interrupted()) return list(selected);

  reports::TerminalStyle style{.colour = wants_colour()};
  for (const Selected& each : selected) {
    style.id_width = std::max(style.id_width, reports::printable(each.id).size());
  }
  conformance::Report report;
  report.version = version();
  report.seed = arguments.seed.value_or(0);
  report.target = arguments.target;
  report.runs.resize(selected.size());
  const std::size_t done =
      work_in_order({.count = selected.size(),
                     .jobs = jobs,
                     .work =
                         [&](std::size_t i) {
                           report.runs[i] = result_of(selected[i], *options);
                           compare_with_known(report.runs[i], known, arguments.known);
                         },
                     .done =
                         [&](std::size_t i) {
                           if (!arguments.json)
                             print(reports::terminal_line(report.runs[i], style));
                         },
                     .stop = interrupted});
  report.runs.resize(done);

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
    complain(fmt::format("interrupted after {} of {} runs", done, selected.size()));
    return ExitStatus::Interrupted;
  }
  if (!written) return ExitStatus::BadInput;
  if (report.runs.empty()) complain("no scenario was selected");
  return status_of(report);
}

}  // namespace tools
