#include "tools/mutants_command.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "document/reader.h"
#include "reports/text.h"
#include "tools/interrupt.h"
#include "tools/output.h"
#include "tools/parallel.h"
#include "tools/run_scenarios.h"
#include "tools/scenario_files.h"

namespace tools {
namespace {

using conformance::Outcome;
using conformance::RunResult;
using conformance::Scenario;
using proxy::Defect;
using Json = nlohmann::ordered_json;

/// What finds a defect.
struct Catch {
  std::string scenario;    ///< Empty: nothing does.
  std::string check;       ///< The first expectation that it breaks.
  bool by_clause = false;  ///< The scenario cites the clause that the defect breaks.
};

bool cites(const Scenario& scenario, const Defect& defect) {
  return std::find(scenario.clauses.begin(), scenario.clauses.end(), defect.clause) !=
         scenario.clauses.end();
}

/// The first scenario that fails with the defect: of those that cite its clause, or of the rest.
Catch find_catch(const std::vector<const Scenario*>& all, const Defect& defect,
                 conformance::RunOptions options) {
  options.defect = &defect;
  for (const bool citing : {true, false}) {
    for (const Scenario* const scenario : all) {
      if (cites(*scenario, defect) != citing) continue;
      const RunResult result = conformance::run(*scenario, options);
      if (result.outcome != Outcome::Failed) continue;
      const auto broken = std::find_if(result.checks.begin(), result.checks.end(),
                                       [](const auto& check) { return !check.passed; });
      return {scenario->id, broken->name, citing};
    }
  }
  return {};
}

world::Result<std::vector<const Defect*>, world::Errors> chosen(
    const std::vector<std::string>& names) {
  std::vector<const Defect*> out;
  world::Errors errors;
  for (const std::string& name : names) {
    const auto defect = choose_defect(name);
    if (defect) out.push_back(*defect);
    if (!defect) errors.push_back(defect.error());
  }
  if (!errors.empty()) return errors;
  if (!names.empty()) return out;
  for (const Defect& one : proxy::defects()) out.push_back(&one);
  return out;
}

std::string line(const Defect& defect, const Catch& found) {
  const char* const word = found.scenario.empty() ? "MISSED"
                           : found.by_clause      ? "found"
                                                  : "ELSEWHERE";
  return fmt::format("{:<9}  {:<32} {:<6} {} {}\n", word, defect.name, defect.clause,
                     reports::printable(found.scenario), reports::printable(found.check));
}

Json json_of(const std::vector<const Defect*>& defects, const std::vector<Catch>& catches) {
  Json out = {{"format", 1}, {"defects", Json::array()}};
  for (std::size_t i = 0; i < defects.size(); ++i) {
    out["defects"].push_back({{"name", defects[i]->name},
                              {"clause", defects[i]->clause},
                              {"says", defects[i]->says},
                              {"scenario", catches[i].scenario},
                              {"check", catches[i].check},
                              {"by_clause", catches[i].by_clause}});
  }
  return out;
}

}  // namespace

world::Result<const Defect*> choose_defect(const std::string& name) {
  if (const Defect* const found = proxy::find_defect(name)) return found;
  std::vector<std::string> names;
  for (const Defect& one : proxy::defects()) names.emplace_back(one.name);
  const std::string nearest = document::nearest(name, names);
  return world::Error{{},
                      fmt::format("--defect: there is no '{}'{}", name,
                                  nearest.empty() ? ", see meshproof defects"
                                                  : fmt::format(", did you mean '{}'?", nearest)),
                      {}};
}

ExitStatus defects_command() {
  for (const Defect& one : proxy::defects()) {
    print(fmt::format("{:<32} {:<6} {}\n", one.name, one.clause, one.says));
  }
  return ExitStatus::Passed;
}

ExitStatus mutants_command(const MutantsArguments& arguments) {
  const auto defects = chosen(arguments.defects);
  if (!defects) return refuse(defects.error());
  const auto setup = set_up_target(arguments.on, arguments.seed, arguments.paths);
  if (!setup) return refuse(setup.error());
  const InterruptWatch watch;
  const auto interrupted = [&watch] { return watch.interrupted(); };

  auto files = load_files(arguments.paths, default_jobs(), interrupted);
  auto selected = select(files, {});
  std::vector<Scenario> scenarios;
  for (const Selected& one : selected) {
    if (one.scenario) scenarios.push_back(*one.scenario);
    if (!one.scenario) return refuse(one.file->errors);
  }
  // Only what passes without a defect can tell of one.
  std::vector<const Scenario*> sound;
  const auto plain =
      run_all(selected, *setup, {.done = [](const RunResult&) {}, .stop = interrupted});
  for (std::size_t i = 0; i < plain.size(); ++i) {
    if (plain[i].outcome == Outcome::Passed) sound.push_back(&scenarios[i]);
    if (plain[i].outcome == Outcome::Failed || plain[i].outcome == Outcome::Error) {
      complain(fmt::format("{} fails without any defect", reports::printable(plain[i].id)));
      return ExitStatus::Failed;
    }
  }

  std::vector<Catch> catches(defects->size());
  const std::size_t done = work_in_order(
      {.count = defects->size(),
       .jobs = setup->jobs,
       .work =
           [&](std::size_t i) { catches[i] = find_catch(sound, *(*defects)[i], setup->options); },
       .done =
           [&](std::size_t i) {
             if (!arguments.json) print(line(*(*defects)[i], catches[i]));
           },
       .stop = interrupted});
  if (done < defects->size()) return ExitStatus::Interrupted;
  const auto found =
      std::count_if(catches.begin(), catches.end(), [](const Catch& one) { return one.by_clause; });
  if (arguments.json) {
    print(json_of(*defects, catches).dump(2) + "\n");
  } else {
    print(fmt::format("\n{} of {} defects are found by the clause that they break\n", found,
                      defects->size()));
  }
  return static_cast<std::size_t>(found) == defects->size() ? ExitStatus::Passed
                                                            : ExitStatus::Failed;
}

}  // namespace tools
