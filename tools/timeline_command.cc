#include "tools/timeline_command.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "conformance/engine.h"
#include "conformance/names.h"
#include "conformance/read_expect.h"
#include "conformance/units.h"
#include "reports/failure_text.h"
#include "reports/text.h"
#include "reports/timeline_text.h"
#include "tools/output.h"
#include "tools/scenario_files.h"

namespace tools {
namespace {

using conformance::Outcome;
using conformance::RunResult;
using conformance::Scenario;
using world::Duration;
using world::Result;
using world::TimePoint;
using Json = nlohmann::ordered_json;

constexpr Duration kWithin = std::chrono::seconds(1);

world::Error bad(std::string message) {
  return {.path = {}, .message = std::move(message), .place = {}};
}

/// What a results.json says of one of its runs.
struct Written {
  std::string file, id, digest, trace_hash, version;
  std::uint64_t seed = 0;
};

/// The runs among which one is to be named, a few of them.
std::string some_of(const std::vector<std::string>& ids) {
  constexpr std::size_t kShown = 5;
  const auto end = ids.begin() + static_cast<std::ptrdiff_t>(std::min(ids.size(), kShown));
  return fmt::format("{}{}", fmt::join(ids.begin(), end, ", "), ids.size() > kShown ? ", ..." : "");
}

/// The place of the one that is meant. `filter` may be its id, or anything that selects it alone.
Result<std::size_t> choose(const std::vector<std::string>& ids, const std::string& filter,
                           const std::string& file) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (selects(filter, ids[i])) found.push_back(i);
  }
  if (found.size() == 1) return found.front();
  if (found.empty()) {
    return bad(
        fmt::format("--filter: no run of {} is {}; there is {}", file, filter, some_of(ids)));
  }
  std::vector<std::string> names;
  for (const std::size_t i : found) names.push_back(ids[i]);
  return bad(fmt::format("{} has {} such runs: name one with --filter: {}", file, found.size(),
                         some_of(names)));
}

/// Nothing: it is no results.json, perhaps a scenario.
std::optional<Json> results_in(const std::string& file) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(file, ignored)) return std::nullopt;
  std::ifstream in(file, std::ios::binary);
  if (!in) return std::nullopt;
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  if (text.find_first_not_of(" \t\r\n") == std::string::npos ||
      text[text.find_first_not_of(" \t\r\n")] != '{') {
    return std::nullopt;
  }
  Json json = Json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("runs")) return std::nullopt;
  return json;
}

Result<Written> written_in(const Json& results, const TimelineArguments& arguments) {
  try {
    std::vector<std::string> ids;
    for (const Json& run : results.at("runs")) ids.push_back(run.at("id").get<std::string>());
    if (ids.empty()) return bad(arguments.run + " has no runs");
    const auto place = choose(ids, arguments.filter, arguments.run);
    if (!place) return place.error();
    const Json& run = results.at("runs").at(*place);
    Written out{.file = run.at("file"),
                .id = run.at("id"),
                .digest = run.at("digest"),
                .trace_hash = run.at("trace_hash"),
                .version = results.at("version"),
                .seed = run.at("seed")};
    if (results.at("target") != "sim") {
      return bad(
          fmt::format("{}: {} ran on real sockets, which cannot be repeated; a scenario file "
                      "shows its simulated run",
                      arguments.run, out.id));
    }
    return out;
  } catch (const Json::exception& exception) {
    return bad(
        fmt::format("{} is no results.json of this program: {}", arguments.run, exception.what()));
  }
}

Result<Duration> duration_of(const std::string& option, const std::string& text) {
  if (const auto duration = conformance::parse_duration(text)) return *duration;
  return bad(fmt::format("{}: must be a time such as 12.3s or 250ms, is {}", option, text));
}

/// "gateway/edge-1" without the word, once it is known that there is one.
Result<std::string> host_name_of(const Scenario& scenario, const std::string& written) {
  const conformance::Names names(scenario.mesh, scenario.world, true);
  const auto entity = conformance::entity_of(written);
  if (!entity) {
    return bad(
        fmt::format("--who: must be gateway/NAME, service/NAME, endpoint/NAME, client/NAME or "
                    "nlb/NAME, is {}",
                    written));
  }
  if (!names.has(entity->first, entity->second)) {
    return bad("--who: " + names.unknown(entity->first, entity->second));
  }
  const auto& service = scenario.mesh.service(entity->second);
  const bool by_service = service != nullptr && scenario.mesh.node(entity->second) == nullptr;
  if (by_service) {
    return bad(
        fmt::format("--who: {} is a virtual service, which has no hosts; name a virtual node "
                    "or an endpoint",
                    entity->second));
  }
  return entity->second;
}

const conformance::Check* first_broken(const RunResult& run) {
  const auto found = std::find_if(run.checks.begin(), run.checks.end(),
                                  [](const auto& check) { return !check.passed; });
  return found == run.checks.end() ? nullptr : &*found;
}

/// The time that is meant, now that it is known how long the run takes and how it ends.
Result<conformance::Window> window_of(const TimelineArguments& arguments, const RunResult& run) {
  Duration within = kWithin;
  if (!arguments.within.empty()) {
    const auto said = duration_of("--within", arguments.within);
    if (!said) return said.error();
    within = *said;
  }
  const TimePoint end(run.simulated);
  TimePoint around{};
  if (!arguments.around.empty()) {
    const auto said = duration_of("--around", arguments.around);
    if (!said) return said.error();
    around = TimePoint(*said);
    if (around > end) {
      return bad(fmt::format("--around: {} is after the end of the run, which is at {}",
                             conformance::duration_text(*said),
                             reports::seconds_text(run.simulated)));
    }
  } else if (const auto* const broken = first_broken(run)) {
    around = broken->at;
  } else {
    if (!arguments.within.empty())
      return bad("--within: goes with --around, as nothing has failed");
    return conformance::Window{.from = {}, .to = end, .who = {}};
  }
  // `within` may be as long as a number can say.
  const TimePoint from(around.time_since_epoch() > within ? around.time_since_epoch() - within
                                                          : Duration{});
  const TimePoint to = end - around > within ? around + within : end;
  return conformance::Window{.from = from, .to = to, .who = {}};
}

std::string text_of(const RunResult& run, const conformance::Window& window,
                    const std::string& who) {
  using reports::printable;
  using reports::seconds_text;
  std::string out = fmt::format("{}  {}\n", printable(run.id), printable(run.title));
  out += fmt::format("  {}, seed {}, {} of simulated time, trace {}\n", printable(run.file),
                     run.seed, seconds_text(run.simulated), run.trace_hash.substr(0, 8));
  if (const auto* const broken = first_broken(run)) {
    out += fmt::format("  failed at {}: {}\n", seconds_text(broken->at.time_since_epoch()),
                       reports::failure_headline(run));
  } else {
    out += "  passed\n";
  }
  const std::string of = who.empty() ? "" : " of " + printable(who);
  const std::string from = seconds_text(window.from.time_since_epoch());
  if (!run.excerpt.before.empty()) {
    out += fmt::format("\nstates{} at {}\n", of, from);
    out += reports::state_text(run.excerpt.before, "  ");
  }
  out += fmt::format("\nevents{} from {} to {}\n", of, from,
                     seconds_text(window.to.time_since_epoch()));
  out += run.excerpt.events.empty() ? "  none\n" : reports::timeline_text(run.excerpt.events, "  ");
  if (run.excerpt.left_out > 0) {
    out += fmt::format("  and {} more; --within and --who show fewer\n", run.excerpt.left_out);
  }
  return out;
}

}  // namespace

ExitStatus timeline_command(const TimelineArguments& arguments) {
  std::optional<Written> written;
  std::string file = arguments.run;
  std::optional<std::uint64_t> seed = arguments.seed;
  std::string filter = arguments.filter;
  if (const auto results = results_in(file)) {
    auto of = written_in(*results, arguments);
    if (!of) return refuse({of.error()});
    if (seed)
      return refuse({bad("--seed: a results.json says with which seed each of its runs was")});
    written = *std::move(of);
    file = written->file;
    seed = written->seed;
    filter = written->id;
  }
  auto loaded = load_files({file}, 1);
  std::vector<Scenario> scenarios;
  std::vector<std::string> ids;
  for (conformance::LoadedFile& one : loaded) {
    // Of a folder, what is bad and was not asked for is left alone.
    if (!one.errors.empty() && selects(filter, one.id)) return refuse(one.errors);
    if (written && one.digest != written->digest) {
      return refuse({bad(fmt::format("{} has changed since {} was written", file, arguments.run))});
    }
    for (Scenario& scenario : one.variants) {
      ids.push_back(scenario.id);
      scenarios.push_back(std::move(scenario));
    }
  }
  if (ids.empty()) return refuse({bad("there is no scenario in " + file)});
  const auto place = choose(ids, filter, file);
  if (!place) return refuse({place.error()});
  const Scenario& scenario = scenarios[*place];
  if (scenario.refused) {
    return refuse({bad(scenario.id + " expects its mesh to be refused or accepted: nothing runs")});
  }
  std::string host;
  if (!arguments.who.empty()) {
    const auto name = host_name_of(scenario, arguments.who);
    if (!name) return refuse({name.error()});
    host = *name;
  }

  const RunResult first = conformance::run(scenario, {.seed = seed});
  if (written && first.trace_hash != written->trace_hash) {
    return refuse(
        {bad(fmt::format("{} was written by another build of the program, version {}: "
                         "its trace of {} was another",
                         arguments.run, written->version, written->id))});
  }
  auto window = window_of(arguments, first);
  if (!window) return refuse({window.error()});
  window->who = host;
  conformance::RunOptions options{.seed = seed};
  options.series = true;
  options.window = *window;
  const RunResult run = conformance::run(scenario, options);
  print(text_of(run, *window, arguments.who));
  return ExitStatus::Passed;
}

}  // namespace tools
