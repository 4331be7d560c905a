#include "tools/command_line.h"

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "tools/api_command.h"
#include "tools/client_command.h"
#include "tools/conform_command.h"
#include "tools/explain_command.h"
#include "tools/export_command.h"
#include "tools/gate_command.h"
#include "tools/gateway_command.h"
#include "tools/lint_command.h"
#include "tools/mutants_command.h"
#include "tools/output.h"
#include "tools/parallel.h"
#include "tools/recorded_command.h"
#include "tools/run_command.h"
#include "tools/schema_command.h"
#include "tools/service_command.h"
#include "tools/timeline_command.h"
#include "tools/version.h"

namespace tools {
namespace {

constexpr const char* kExitStatuses =
    "Exit status: 0 all passed, 1 some failed, 2 interrupted, 3 internal error,\n"
    "4 bad usage or a bad file, 5 nothing ran.";

constexpr double kMostSeconds = 86400;
constexpr unsigned kMostJobs = 1024;
constexpr std::uint32_t kMostTimeScale = 1000;
constexpr std::uint64_t kMostRequests = 1'000'000'000'000;
constexpr std::uint64_t kMostConnections = 100'000;
constexpr std::uint32_t kMostCallsPerSecond = 1'000'000;

void add_jobs(CLI::App& command, unsigned& jobs) {
  jobs = default_jobs();
  command.add_option("-j,--jobs", jobs, "Threads; as many as there are processors, unless said")
      ->check(CLI::Range(1U, kMostJobs))
      ->type_name("N");
}

void add_paths(CLI::App& command, std::vector<std::string>& paths) {
  command.add_option("PATHS", paths, "Scenario files, and folders to look through for them")
      ->type_name("");
}

void add_seed(CLI::App& command, std::optional<std::uint64_t>& seed) {
  // Read as text, as CLI11 takes a negative number for a large one.
  command
      .add_option_function<std::string>(
          "--seed",
          [&seed](const std::string& text) {
            std::uint64_t number = 0;
            const char* end = text.data() + text.size();
            const auto parsed = std::from_chars(text.data(), end, number);
            if (text.empty() || parsed.ec != std::errc() || parsed.ptr != end) {
              throw CLI::ValidationError("--seed", "must be between 0 and 2^64 - 1, is " + text);
            }
            seed = number;
          },
          "Seed of all that is random")
      ->type_name("N");
}

void add_service_places(CLI::App& command, std::vector<std::string>& places) {
  command
      .add_option("--service", places,
                  "NAME=HOST:PORT: where a virtual node, its host name or a virtual service "
                  "really is; may be given again")
      ->allow_extra_args(false)
      ->type_name("PLACE");
}

/// What live targets are run with.
void add_live(CLI::App& command, TargetArguments& on) {
  command
      .add_option("--time-scale", on.time_scale,
                  "Of live targets: seconds of a scenario in a real one; 1, unless said")
      ->check(CLI::Range(1U, kMostTimeScale))
      ->type_name("N");
  command
      .add_option("--live-limit", on.live_limit_seconds,
                  "Of live targets: skip what takes more real time; 10, unless said")
      ->check(CLI::Range(0.0, kMostSeconds))
      ->type_name("SECONDS");
  command
      .add_option(
          "--known", on.known,
          "A list of { id, reason }: what fails on this target, as is known; that it passes "
          "is a failure then")
      ->type_name("FILE");
  command
      .add_option(
          "-j,--jobs", on.jobs,
          "Threads; as many as there are processors, 16 for the target gateway, 4 for envoy, "
          "unless said")
      ->check(CLI::Range(1U, kMostJobs))
      ->type_name("N");
}

void add_target(CLI::App& command, TargetArguments& on) {
  command
      .add_option("--target", on.target,
                  "sim: everything simulated; gateway: the gateway, clients and services on real "
                  "sockets of this machine; envoy or envoy:PATH: a real Envoy in the gateway's "
                  "place; sim, unless said")
      ->type_name("TARGET");
  add_live(command, on);
}

CLI::App& add_run(CLI::App& app, RunArguments& run) {
  CLI::App& command = *app.add_subcommand("run", "Run scenarios and say what came of them");
  command.footer(kExitStatuses);
  add_paths(command, run.paths);
  add_seed(command, run.seed);
  command
      .add_option("--filter", run.filter, "Run only this id, or what is below this folder of ids")
      ->type_name("ID");
  command.add_option("--report", run.report, "Write results.json, junit.xml and summary.md there")
      ->type_name("DIR");
  const auto* json = command.add_flag("--json", run.json, "Print results.json and nothing else");
  command.add_flag("--list", run.list, "Print the ids of what would be run")
      ->excludes(const_cast<CLI::Option*>(json));
  add_target(command, run.on);
  command
      .add_option(
          "--defect", run.defect,
          "What the gateways do wrong, by a name of meshproof defects; nothing, unless said")
      ->type_name("NAME");
  return command;
}

CLI::App& add_gate(CLI::App& app, GateArguments& gate) {
  CLI::App& command =
      *app.add_subcommand("gate", "Run scenarios, and say what is otherwise than in a baseline");
  command.footer(
      "Exit status: 0 nothing is worse, 1 something is; 4 bad usage or a bad file, 5 "
      "nothing was selected.");
  add_paths(command, gate.paths);
  add_seed(command, gate.seed);
  add_target(command, gate.on);
  command.add_option("--baseline", gate.baseline, "What came of the runs when all was well")
      ->required()
      ->type_name("FILE");
  command.add_flag("--update", gate.update, "Write the baseline anew, and compare nothing");
  return command;
}

CLI::App& add_mutants(CLI::App& app, MutantsArguments& mutants) {
  CLI::App& command = *app.add_subcommand(
      "mutants", "Give the gateway one defect after the other, and say which scenario finds each");
  command.footer(
      "Exit status: 0 all are found by the clause that they break, 1 one is not; 4 bad "
      "usage or a bad file.");
  add_paths(command, mutants.paths);
  add_seed(command, mutants.seed);
  add_target(command, mutants.on);
  command
      .add_option("--defect", mutants.defects,
                  "This one alone; may be given again; all, unless said")
      ->allow_extra_args(false)
      ->type_name("NAME");
  command.add_flag("--json", mutants.json, "Print JSON and nothing else");
  return command;
}

CLI::App& add_conform(CLI::App& app, ConformArguments& conform) {
  CLI::App& command =
      *app.add_subcommand("conform", "Say which clauses a target keeps, by the scenarios");
  command.footer(kExitStatuses);
  add_paths(command, conform.paths);
  add_seed(command, conform.seed);
  add_live(command, conform.on);
  command
      .add_option("--target", conform.targets,
                  "sim, gateway, envoy or envoy:PATH; may be given again; sim, unless said")
      ->allow_extra_args(false)
      ->type_name("TARGET");
  command
      .add_option("--profile", conform.profiles,
                  "Look at this profile alone, such as GATEWAY-TLS; may be given again")
      ->allow_extra_args(false)
      ->type_name("NAME");
  command.add_flag("--strict", conform.strict,
                   "Clauses that were only observed count too, and what is known to differ");
  command
      .add_option("--report", conform.report,
                  "Write conformance.json, conformance.md and for each target a report and "
                  "junit.xml there")
      ->type_name("DIR");
  command.add_option("--page", conform.page, "Write the matrix of clauses and targets there")
      ->type_name("FILE");
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
      "explain",
      "Say which route a request takes, why, what it becomes; or how endpoints are checked");
  command.add_option("MESH", explain.meshes, "Scenario file, or files with mesh resources")
      ->required()
      ->type_name("");
  auto& what = *command.add_option_group("what", "What to explain; one of these");
  what.add_option("--request", explain.request, "'GET http://host/path'")->type_name("REQUEST");
  what.add_flag("--health", explain.health, "Who checks what, by which rules, and what follows");
  what.require_option(1);
  command.add_option("-H,--header", explain.headers, "'name: value'; may be given again")
      ->allow_extra_args(false)
      ->type_name("HEADER");
  command.add_option("--gateway", explain.gateway, "Which virtual gateway, if there are several")
      ->type_name("NAME");
  command.add_flag("--json", explain.json, "Print it as JSON");
  return command;
}

CLI::App& add_export_envoy(CLI::App& app, ExportArguments& exported) {
  CLI::App& group = *app.add_subcommand("export", "Write a gateway in another proxy's own words");
  group.require_subcommand(1);
  CLI::App& command = *group.add_subcommand(
      "envoy", "Write the configuration with which a real Envoy is that gateway");
  command.footer("Exit status: 0; 4 bad usage, a bad file, or a folder that cannot be written.");
  command.add_option("MESH", exported.meshes, "Scenario file, or files with mesh resources")
      ->required()
      ->type_name("");
  command.add_option("--gateway", exported.gateway, "Which virtual gateway, if there are several")
      ->type_name("NAME");
  command.add_flag("--single-hop", exported.single_hop,
                   "Both of App Mesh's hops in one, as people migrate to; the notes say what is "
                   "otherwise then");
  command.add_option("-o,--output", exported.folder, "Write envoy.json and its like there")
      ->required()
      ->type_name("DIR");
  add_service_places(command, exported.services);
  return command;
}

CLI::App& add_timeline(CLI::App& app, TimelineArguments& timeline) {
  CLI::App& command =
      *app.add_subcommand("timeline", "Print what happened in a run, and when, with its states");
  command.footer("Exit status: 0, whatever came of the run; 4 bad usage or a bad file.");
  command.add_option("RUN", timeline.run, "Scenario file, a folder of them, or a results.json")
      ->required()
      ->type_name("");
  command.add_option("--filter", timeline.filter, "Id of the run, if there are several")
      ->type_name("ID");
  add_seed(command, timeline.seed);
  command
      .add_option("--around", timeline.around,
                  "The time that matters, such as 12.3s; the first failure, unless said, or "
                  "everything where nothing failed")
      ->type_name("TIME");
  command.add_option("--within", timeline.within, "So much before and after it; 1s, unless said")
      ->type_name("TIME");
  command
      .add_option("--who", timeline.who,
                  "Only what concerns this one, such as gateway/edge-1 or endpoint/books-1")
      ->type_name("NAME");
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

void add_listen(CLI::App& command, std::string& address) {
  command
      .add_option("--listen", address, "Listen on this address of the machine; all, unless said")
      ->type_name("ADDRESS");
}

constexpr const char* kServingStatuses =
    "Ends with exit status 0 on SIGTERM or SIGINT; 4 bad usage or bad input.";

CLI::App& add_gateway(CLI::App& app, GatewayArguments& gateway) {
  CLI::App& command =
      *app.add_subcommand("gateway", "Serve real traffic as a virtual gateway of a mesh");
  command.footer(kServingStatuses);
  command.add_option("--mesh", gateway.meshes, "Files with mesh resources, or a scenario file")
      ->required()
      ->type_name("FILE");
  command
      .add_option("--resource", gateway.resource,
                  "mesh/M/virtualGateway/G, or its ARN; APPMESH_RESOURCE_ARN, unless said")
      ->type_name("RESOURCE");
  add_service_places(command, gateway.services);
  add_listen(command, gateway.listen);
  command
      .add_option("--port", gateway.port, "Port in place of the listener's; 0: any that is free")
      ->check(CLI::Range(0, 65535))
      ->type_name("N");
  add_seed(command, gateway.seed);
  command.add_option("--log-file", gateway.log_file, "Access log in place of the gateway's own")
      ->type_name("FILE");
  return command;
}

/// `whom`: whose the other end's authorities are.
void add_tls(CLI::App& command, TlsArguments& tls, const char* whom) {
  command.add_option("--cert", tls.certificate, "File of PEM: a certificate with its chain")
      ->type_name("FILE");
  command.add_option("--key", tls.key, "File of PEM: the key of --cert")->type_name("FILE");
  command.add_option("--cacert", tls.trust, whom)->type_name("FILE");
}

CLI::App& add_service(CLI::App& app, ServiceArguments& service) {
  CLI::App& command =
      *app.add_subcommand("service", "Serve on a real port, and answer with what was seen");
  command.footer(kServingStatuses);
  command.add_option("--port", service.port, "Port; 8080, unless said; 0: any that is free")
      ->check(CLI::Range(0, 65535))
      ->type_name("N");
  add_listen(command, service.listen);
  command.add_option("--name", service.name, "What it calls itself in its answers")
      ->type_name("NAME");
  command.add_option("--endpoint", service.endpoint, "Which endpoint of the service it is")
      ->type_name("NAME");
  command.add_option("--respond", service.respond, "Status of every answer")
      ->check(CLI::Range(200, 599))
      ->type_name("STATUS");
  command.add_option("-H,--header", service.headers, "'name: value' of every answer")
      ->allow_extra_args(false)
      ->type_name("HEADER");
  command.add_option("--body", service.body, "Body of every answer, in place of what was seen")
      ->type_name("TEXT");
  command.add_option("--after", service.after_seconds, "Wait so long before each answer")
      ->check(CLI::Range(0.0, kMostSeconds))
      ->type_name("SECONDS");
  add_tls(command, service.tls,
          "File of PEM: authorities of clients, which must show certificates");
  return command;
}

CLI::App& add_client(CLI::App& app, ClientArguments& client) {
  CLI::App& command = *app.add_subcommand("client", "Send requests over real sockets");
  command.footer(
      "Exit status: 1 if a request has no whole answer, whatever its status says; 0 otherwise.\n"
      "2 interrupted, 4 bad usage.");
  command.add_option("URL", client.url, "http://host[:port][/path], or https")
      ->required()
      ->type_name("");
  command.add_option("--method", client.method, "GET, unless said")->type_name("METHOD");
  command.add_option("-H,--header", client.headers, "'name: value'; may be given again")
      ->allow_extra_args(false)
      ->type_name("HEADER");
  command.add_option("--body", client.body, "Body of the request")->type_name("TEXT");
  command.add_option("--count", client.count, "How often it is sent")
      ->check(CLI::Range(std::uint64_t{1}, kMostRequests))
      ->type_name("N");
  command.add_option("--connections", client.connections, "How many are under way at once")
      ->check(CLI::Range(std::uint64_t{1}, kMostConnections))
      ->type_name("N");
  command.add_option("--timeout", client.timeout_seconds, "Give an answer up after so long; 30")
      ->check(CLI::Range(0.001, kMostSeconds))
      ->type_name("SECONDS");
  add_tls(command, client.tls, "File of PEM: authorities of servers");
  command.add_option("--servername", client.tls.server_name, "Asked for in place of the host")
      ->type_name("NAME");
  command.add_flag("--insecure", client.tls.insecure, "Do not verify servers");
  command.add_flag("--json", client.json, "Print each answer as a line of JSON");
  return command;
}

CLI::App& add_api_serve(CLI::App& app, ApiServeArguments& api) {
  CLI::App& group = *app.add_subcommand("api", "The App Mesh API");
  group.require_subcommand(1);
  CLI::App& command =
      *group.add_subcommand("serve", "Serve the App Mesh API for the AWS CLI and SDKs");
  command.footer(kServingStatuses);
  command.add_option("--port", api.port, "Port; 4599, unless said; 0: any that is free")
      ->check(CLI::Range(0, 65535))
      ->type_name("N");
  command
      .add_option("--listen", api.listen,
                  "Listen on this address of the machine; 127.0.0.1, unless said")
      ->type_name("ADDRESS");
  command.add_option("--store", api.store, "Keep state in this file; in memory, unless said")
      ->type_name("FILE");
  command
      .add_option("--accounts", api.accounts,
                  "Accounts, their keys, and shared meshes; any signature is taken, unless said")
      ->type_name("FILE");
  command
      .add_option("--region", api.region, "Region in ARNs and signatures; us-west-2, unless said")
      ->check(CLI::Validator(
          [](const std::string& region) {
            constexpr const char* kLetters = "abcdefghijklmnopqrstuvwxyz0123456789-";
            const bool good =
                !region.empty() && region.find_first_not_of(kLetters) == std::string::npos;
            return good ? "" : "must be small letters, digits and -, is \"" + region + "\"";
          },
          ""))
      ->type_name("REGION");
  command.add_option("--era", api.era, "Rules of the service: seed-a, seed-b or last; seed-b")
      ->check(CLI::IsMember({"seed-a", "seed-b", "last"}))
      ->type_name("ERA");
  command.add_flag("--no-quotas", api.no_quotas, "No quotas, as if all had been raised");
  command
      .add_option("--calls-per-second", api.calls_per_second,
                  "So many of one account, then 429; any number, unless said")
      ->check(CLI::Range(1U, kMostCallsPerSecond))
      ->type_name("N");
  command
      .add_option("--connections", api.connections,
                  "Most connections at once, then 503; 1024, unless said")
      ->check(CLI::Range(std::uint64_t{1}, kMostConnections))
      ->type_name("N");
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
  ExportArguments exported;
  TimelineArguments timeline;
  std::string schema = "scenario";
  RecordedArguments recorded;
  GatewayArguments gateway;
  ServiceArguments service;
  ClientArguments client;
  ApiServeArguments api;
  const CLI::App& run_app = add_run(app, run);
  GateArguments gate;
  const CLI::App& gate_app = add_gate(app, gate);
  MutantsArguments mutants;
  const CLI::App& mutants_app = add_mutants(app, mutants);
  const CLI::App& defects_app =
      *app.add_subcommand("defects", "List the defects that a gateway can be given");
  ConformArguments conform;
  const CLI::App& conform_app = add_conform(app, conform);
  const CLI::App& lint_app = add_lint(app, lint);
  const CLI::App& explain_app = add_explain(app, explain);
  const CLI::App& export_app = add_export_envoy(app, exported);
  const CLI::App& timeline_app = add_timeline(app, timeline);
  const CLI::App& schema_app = add_schema(app, schema);
  const CLI::App& recorded_app = add_recorded(app, recorded);
  const CLI::App& gateway_app = add_gateway(app, gateway);
  const CLI::App& service_app = add_service(app, service);
  const CLI::App& client_app = add_client(app, client);
  const CLI::App& api_app = add_api_serve(app, api);

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
  if (gate_app.parsed()) return gate_command(gate);
  if (mutants_app.parsed()) return mutants_command(mutants);
  if (defects_app.parsed()) return defects_command();
  if (conform_app.parsed()) return conform_command(conform);
  if (lint_app.parsed()) return lint_command(lint);
  if (explain_app.parsed()) return explain_command(explain);
  if (export_app.parsed()) return export_envoy_command(exported);
  if (timeline_app.parsed()) return timeline_command(timeline);
  if (schema_app.parsed()) return schema_command(schema);
  if (recorded_app.parsed()) return recorded_command(recorded);
  if (gateway_app.parsed()) return gateway_command(gateway);
  if (service_app.parsed()) return service_command(service);
  if (client_app.parsed()) return client_command(client);
  if (api_app.parsed()) return api_serve_command(api);
  complain("what to do? meshproof --help says what there is");
  return ExitStatus::BadInput;
}

}  // namespace tools
