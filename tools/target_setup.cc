#include "tools/target_setup.h"

#include <algorithm>
#include <filesystem>
#include <string_view>

#include <fmt/format.h>

#include "live/runtime.h"
#include "targets/envoy_target.h"
#include "tools/parallel.h"

namespace tools {
namespace {

constexpr std::string_view kSimulated = "sim";
constexpr std::string_view kGateway = "gateway";
constexpr std::string_view kEnvoy = "envoy";

/// "envoy" of "envoy:/usr/bin/envoy".
std::string_view kind_of(std::string_view target) {
  return target.substr(0, target.find(':'));
}

/// What runs in place of our gateway; null: it does itself. Errors: what is wrong with `--target`.
world::Result<std::unique_ptr<conformance::Target>> find_target(const std::string& given) {
  if (given == kSimulated || given == kGateway) return std::unique_ptr<conformance::Target>();
  if (const std::string_view kind = kind_of(given); kind == kEnvoy) {
    auto found = targets::EnvoyTarget::find(given.substr(std::min(given.size(), kind.size() + 1)));
    if (!found) return world::Error{{}, "--target: " + found.error().message, {}};
    return std::unique_ptr<conformance::Target>(std::move(*found));
  }
  return world::Error{
      {}, fmt::format("--target: must be sim, gateway, envoy or envoy:PATH, is '{}'", given), {}};
}

conformance::LiveOptions live_options(const TargetArguments& arguments) {
  conformance::LiveOptions options;
  if (arguments.time_scale) options.time_scale = *arguments.time_scale;
  if (arguments.live_limit_seconds) {
    options.limit = std::chrono::duration_cast<world::Duration>(
        std::chrono::duration<double>(*arguments.live_limit_seconds));
  }
  return options;
}

/// Live runs wait most of the time.
unsigned jobs_of(const TargetArguments& arguments) {
  constexpr unsigned kLiveJobs = 16;
  constexpr unsigned kProcesses = 4;  // each beside this one
  if (arguments.jobs) return *arguments.jobs;
  if (arguments.target == kSimulated) return default_jobs();
  return arguments.target == kGateway ? kLiveJobs : kProcesses;
}

/// `known/KIND.yaml` beside or above the scenarios. Empty: there is none.
std::string known_file(const TargetArguments& arguments, const std::vector<std::string>& paths) {
  namespace fs = std::filesystem;
  if (!arguments.known.empty()) return arguments.known;
  const std::string name = fmt::format("known/{}.yaml", kind_of(arguments.target));
  std::error_code ignored;
  for (const std::string& path : paths) {
    fs::path folder = fs::absolute(path, ignored).lexically_normal();
    for (; folder.has_relative_path(); folder = folder.parent_path()) {
      if (fs::is_regular_file(folder / name, ignored)) return (folder / name).string();
    }
  }
  return {};
}

}  // namespace

world::Result<TargetSetup, world::Errors> set_up_target(const TargetArguments& arguments,
                                                        std::optional<std::uint64_t> seed,
                                                        const std::vector<std::string>& paths) {
  TargetSetup setup;
  auto target = find_target(arguments.target);
  if (!target) return world::Errors{target.error()};
  setup.target = std::move(*target);
  setup.options.seed = seed;
  if (arguments.target != kSimulated) {
    setup.options.live = live_options(arguments);
    setup.options.live->target = setup.target.get();
    live::raise_descriptor_limit();
  } else if (arguments.time_scale) {
    return world::Errors{{{}, "--time-scale: the target sim takes no real time", {}}};
  } else if (arguments.live_limit_seconds) {
    return world::Errors{{{}, "--live-limit: the target sim takes no real time", {}}};
  }
  setup.jobs = jobs_of(arguments);
  setup.known_file = known_file(arguments, paths);
  if (setup.known_file.empty()) return setup;
  auto known = read_known_differences(setup.known_file);
  if (!known) return known.error();
  setup.known = std::move(*known);
  return setup;
}

}  // namespace tools
