#include "tools/run_scenarios.h"

#include <exception>

#include <fmt/format.h>

#include "tools/parallel.h"
#include "tools/scenario_files.h"

namespace tools {

using conformance::LoadedFile;
using conformance::Outcome;
using conformance::RunResult;

namespace {

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

}  // namespace

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

std::vector<RunResult> run_all(std::vector<Selected>& selected, const TargetSetup& setup,
                               const ScenarioRuns& runs) {
  std::vector<RunResult> results(selected.size());
  const std::size_t done =
      work_in_order({.count = selected.size(),
                     .jobs = setup.jobs,
                     .work =
                         [&](std::size_t i) {
                           results[i] = result_of(selected[i], setup.options);
                           compare_with_known(results[i], setup.known, setup.known_file);
                         },
                     .done = [&](std::size_t i) { runs.done(results[i]); },
                     .stop = runs.stop});
  results.resize(done);
  return results;
}

}  // namespace tools
