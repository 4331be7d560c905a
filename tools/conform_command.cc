#include "tools/conform_command.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include "conformance/clause.h"
#include "reports/conformance.h"
#include "reports/junit.h"
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

namespace fs = std::filesystem;

using conformance::Outcome;
using conformance::RunResult;

/// Those that are asked for, in their own order. Errors: names that are none.
world::Result<std::vector<reports::Profile>, world::Errors> profiles_of(
    const std::vector<std::string>& names) {
  if (names.empty()) return reports::profiles();
  std::vector<reports::Profile> out;
  for (const reports::Profile& profile : reports::profiles()) {
    if (std::find(names.begin(), names.end(), profile.name) != names.end()) out.push_back(profile);
  }
  world::Errors errors;
  for (const std::string& name : names) {
    const bool known = std::any_of(out.begin(), out.end(),
                                   [&](const reports::Profile& one) { return name == one.name; });
    if (known) continue;
    std::string all;
    for (const reports::Profile& one : reports::profiles()) {
      all += (all.empty() ? "" : ", ") + std::string(one.name);
    }
    errors.push_back({"--profile", fmt::format("there is no '{}', only {}", name, all), {}});
  }
  if (!errors.empty()) return errors;
  return out;
}

TargetArguments arguments_for(const ConformArguments& arguments, const std::string& target) {
  TargetArguments out = arguments.on;
  out.target = target;
  if (target != "sim") return out;
  out.time_scale.reset();
  out.live_limit_seconds.reset();
  return out;
}

/// As a part of a file's name.
std::string file_name(const std::string& target) {
  std::string out = target.substr(0, target.find(':'));
  return out;
}

/// Writes all of it, or says what could not be.
bool write(const fs::path& path, const std::string& text) {
  std::error_code why;
  if (path.has_parent_path()) fs::create_directories(path.parent_path(), why);
  const auto error = reports::write_whole(path, text);
  if (error) complain(error->text());
  if (!error) complain(fmt::format("wrote {}", reports::printable(path.string())));
  return !error;
}

}  // namespace

ExitStatus conform_command(const ConformArguments& arguments) {
  const auto profiles = profiles_of(arguments.profiles);
  if (!profiles) return refuse(profiles.error());
  std::vector<std::string> targets = arguments.targets;
  if (targets.empty()) targets = {"sim"};
  // Whatever is wrong with one of them is known before the first begins.
  std::vector<TargetSetup> setups;
  for (const std::string& target : targets) {
    auto setup = set_up_target(arguments_for(arguments, target), arguments.seed, arguments.paths);
    if (!setup) return refuse(setup.error());
    setups.push_back(std::move(*setup));
  }
  const InterruptWatch watch;
  const auto interrupted = [&watch] { return watch.interrupted(); };

  std::vector<reports::Conformance> all;
  bool good = true;
  bool written = true;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    auto files = load_files(arguments.paths, default_jobs(), interrupted);
    auto selected = select(files, {});
    conformance::Report report{.version = std::string(version()),
                               .seed = arguments.seed.value_or(0),
                               .target = targets[i],
                               .runs = {}};
    report.runs =
        run_all(selected, setups[i], {.done = [](const RunResult&) {}, .stop = interrupted});
    if (interrupted()) return ExitStatus::Interrupted;
    for (const RunResult& run : report.runs) {
      if (run.outcome != Outcome::Error) continue;
      for (const world::Error& error : run.errors) complain(reports::printable(error.text()));
      return ExitStatus::BadInput;
    }
    all.push_back(reports::conformance_of(conformance::clauses(), report));
    good = good && reports::conforms(all.back(), *profiles, arguments.strict);
    print((i == 0 ? "" : "\n") + reports::conformance_text(all.back(), *profiles));
    if (arguments.report.empty()) continue;
    const fs::path folder = fs::path(arguments.report);
    const std::string name = file_name(targets[i]);
    written = write(folder / (name + "-junit.xml"), reports::junit_xml(report)) && written;
    written = write(folder / (name + "-report.yaml"),
                    reports::conformance_report(all.back(), *profiles)) &&
              written;
  }
  if (!arguments.report.empty()) {
    const fs::path folder = fs::path(arguments.report);
    written = write(folder / "conformance.json", reports::conformance_json(all)) && written;
    written =
        write(folder / "conformance.md", reports::conformance_markdown(all, *profiles)) && written;
  }
  if (!arguments.page.empty()) {
    written = write(arguments.page, reports::conformance_markdown(all, *profiles)) && written;
  }
  if (!written) return ExitStatus::BadInput;
  return good ? ExitStatus::Passed : ExitStatus::Failed;
}

}  // namespace tools
