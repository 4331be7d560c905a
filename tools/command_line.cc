#include "tools/command_line.h"

#include <charconv>
#include <cstdint>
#include <string>
#include <system_error>
#include <vector>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "tools/explain_command.h"
#include "tools/lint_command.h"
#include "tools/output.h"
#include "tools/parallel.h"
#include "tools/recorded_command.h"
#include "tools/run_command.h"
#include "tools/schema_command.h"
#include "tools/version.h"

namespace tools {
namespace {

constexpr const char* kExitStatuses =
    "Exit status: 0 all passed, 1 some failed, 2 interrupted, 3 internal error,\n"
    "4 bad usage or a bad file, 5 nothing ran.";

void add_jobs(CLI::App& command, unsigned& jobs) {
  constexpr unsigned kMostJobs = 1024;
  jobs = default_jobs();
  command.add_option("-j,--jobs", jobs, "Threads; as many as there are processors, unless said")
      ->check(CLI::Range(1U, kMostJobs))
      ->type_name("N");
}

void add_paths(CLI::App& command, std::vector<std::string>& paths) {
  command.add_option("PATHS", paths, "Scenario files, and folders to look through for them")
      ->type_name("");
}

CLI::App& add_run(CLI::App& app, RunArguments& run) {
  CLI::App& command = *app.add_subcommand("run", "Run scenarios and say what came of them");
  command.footer(kExitStatuses);
  add_paths(command, run.paths);
  // Read as text, as CLI11 takes a negative number for a large one.
  command
      .add_option_function<std::string>(
          "--seed",
          [&run](const std::string& text) {
            std::uint64_t seed = 0;
            const char* end = text.data() + text.size();
            const auto parsed = std::from_chars(text.data(), end, seed);
            if (text.empty() || parsed.ec != std::errc() || parsed.ptr != end) {
              throw CLI::ValidationError("--seed", "must be between 0 and 2^64 - 1, is " + text);
            }
            run.seed = seed;
          },
          "Seed of all that is random, in place of the scenarios' own")
      ->type_name("N");
  command
      .add_option("--filter", run.filter, "Run only this id, or what is below this folder of ids")
      ->type_name("ID");
  command.add_option("--report", run.report, "Write results.json, junit.xml and summary.md there")
      ->type_name("DIR");
  const auto* json = command.add_flag("--json", run.json, "Print results.json and nothing else");
  command.add_flag("--list", run.list, "Print the ids of what would be run")
      ->excludes(const_cast<CLI::Option*>(json));
  add_jobs(command, run.jobs);
  return command;
}

CLI::App& add_lint(CLI::App& app, LintArguments& lint) {
  CLI::App& command = *app.add_subcommand("lint", "Check scenario files without running them");
  command.footer(kExitStatuses);
  add_paths(command, lint.paths);
  command.add_flag("--json", lint.json, "Print what is wrong as JSON");
  add_jobs(command, lint.jobs);
  return command;
}

CLI::App& add_explain(CLI::App& app, ExplainArguments& explain) {
  CLI::App& command = *app.add_subcommand(
      "explain", "Say which route a request takes, why, what it becomes, what else would match");
  command.add_option("MESH", explain.meshes, "Scenario file, or files with mesh resources")
      ->required()
      ->type_name("");
  command.add_option("--request", explain.request, "'GET http://host/path'")
      ->required()
      ->type_name("REQUEST");
  command.add_option("-H,--header", explain.headers, "'name: value'; may be given again")
      ->allow_extra_args(false)
      ->type_name("HEADER");
  command.add_option("--gateway", explain.gateway, "Which virtual gateway, if there are several")
      ->type_name("NAME");
  command.add_flag("--json", explain.json, "Print it as JSON");
  return command;
}

CLI::App& add_schema(CLI::App& app, std::string& of) {
  CLI::App& command =
      *app.add_subcommand("schema", "Print the JSON Schema of scenario files or of results.json");
  command.add_option("OF", of, "scenario or results")
      ->check(CLI::IsMember({"scenario", "results"}))
      ->type_name("");
  return command;
}

CLI::App& add_recorded(CLI::App& app, RecordedArguments& recorded) {
  CLI::App& command =
      *app.add_subcommand("recorded", "Compare with what was recorded of the real proxy");
  command.footer(
      "Exit status: 1 if something differs that is not a known difference, or a known\n"
      "difference is none any more; 0 otherwise. 4 bad input, 5 no record selected.");
  command.add_option("FILES", recorded.files, "Recorded cases, a JSON object a line")
      ->required()
      ->type_name("");
  command.add_option("--area", recorded.area, "Only the records of this area")->type_name("AREA");
  command.add_option("--show", recorded.show, "Show side by side where this record differs")
      ->allow_extra_args(false)
      ->type_name("ID");
  command
      .add_option("--known", recorded.known,
                  "List of known differences; known-differences.yaml beside the first file, "
                  "unless said")
      ->type_name("FILE");
  command.add_flag("--json", recorded.json, "Print the agreement by area as JSON");
  add_jobs(command, recorded.jobs);
  return command;
}

}  // namespace

ExitStatus do_command_line(int count, const char* const* words) {
  CLI::App app("Runs scenarios against a simulated mesh with App Mesh virtual gateways.",
               "meshproof");
  app.require_subcommand(0, 1);
  app.footer(kExitStatuses);
  bool wants_version = false;
  bool json = false;
  auto* version_flag = app.add_flag("--version", wants_version, "Print the version");
  app.add_flag("--json", json, "Print the version as JSON")->needs(version_flag);

  RunArguments run;
  LintArguments lint;
  ExplainArguments explain;
  std::string schema = "scenario";
  RecordedArguments recorded;
  const CLI::App& run_app = add_run(app, run);
  const CLI::App& lint_app = add_lint(app, lint);
  const CLI::App& explain_app = add_explain(app, explain);
  const CLI::App& schema_app = add_schema(app, schema);
  const CLI::App& recorded_app = add_recorded(app, recorded);

  try {
    app.parse(count, words);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? ExitStatus::Passed : ExitStatus::BadInput;
  }
  if (wants_version) {
    print(json ? version_json() : version_text());
    return ExitStatus::Passed;
  }
  if (run.paths.empty()) run.paths = {"scenarios"};
  if (lint.paths.empty()) lint.paths = {"scenarios"};
  if (run_app.parsed()) return run_command(run);
  if (lint_app.parsed()) return lint_command(lint);
  if (explain_app.parsed()) return explain_command(explain);
  if (schema_app.parsed()) return schema_command(schema);
  if (recorded_app.parsed()) return recorded_command(recorded);
  complain("what to do? meshproof --help says what there is");
  return ExitStatus::BadInput;
}

}  // namespace tools
