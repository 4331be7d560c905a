#include "tools/lint_command.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "reports/text.h"
#include "tools/interrupt.h"
#include "tools/output.h"
#include "tools/scenario_files.h"

namespace tools {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const world::Errors& errors) {
  Json out = Json::array();
  for (const world::Error& error : errors) {
    const world::Place& place = error.place;
    out.push_back(
        {{"path", error.path},
         {"message", error.message},
         {"place", {{"file", place.file}, {"line", place.line}, {"column", place.column}}}});
  }
  return out;
}

std::string counted(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

}  // namespace

ExitStatus lint_command(const LintArguments& arguments) {
  const InterruptWatch watch;
  const auto files =
      load_files(arguments.paths, arguments.jobs, [&watch] { return watch.interrupted(); });
  if (watch.interrupted()) return ExitStatus::Interrupted;

  std::size_t scenarios = 0;
  world::Errors errors;
  world::Errors warnings;
  for (const conformance::LoadedFile& file : files) {
    scenarios += file.variants.size();
    errors.insert(errors.end(), file.errors.begin(), file.errors.end());
    for (const conformance::Scenario& scenario : file.variants) {
      for (const world::Error& warning : scenario.warnings) {
        // Each variant of a file says it again.
        if (std::find(warnings.begin(), warnings.end(), warning) == warnings.end()) {
          warnings.push_back(warning);
        }
      }
    }
  }
  if (arguments.json) {
    Json out;
    out["files"] = files.size();
    out["scenarios"] = scenarios;
    out["errors"] = json_of(errors);
    out["warnings"] = json_of(warnings);
    print(out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  } else {
    for (const world::Error& warning : warnings) {
      complain("warning: " + reports::printable(warning.text()));
    }
    std::string text;
    for (const world::Error& error : errors) text += reports::printable(error.text()) + "\n";
    print(text + fmt::format("{}, {}: {}\n", counted(files.size(), "file"),
                             counted(scenarios, "scenario"), counted(errors.size(), "error")));
  }
  if (files.empty()) complain("no scenario was found");
  if (files.empty()) return ExitStatus::NothingRan;
  return errors.empty() ? ExitStatus::Passed : ExitStatus::BadInput;
}

}  // namespace tools
