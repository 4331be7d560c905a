#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "conformance/engine.h"
#include "tools/known_differences.h"
#include "world/result.h"

namespace tools {

/// `--target` and what goes with it.
struct TargetArguments {
  std::string target = "sim";
  std::optional<std::uint32_t>
      time_scale;  ///< Of live targets: seconds of a scenario in a real one.
  std::optional<double> live_limit_seconds;  ///< Of live targets: real time that a run may take.
  std::optional<unsigned> jobs;              ///< As many as suit the target, unless said.
  /// A file of what is known to fail on this target; empty: `known/KIND.yaml` beside or above the
  /// scenarios, if there is one.
  std::string known;
};

/// How scenarios run against a target.
struct TargetSetup {
  conformance::RunOptions options;
  std::unique_ptr<conformance::Target> target;  ///< Null: our own gateway.
  unsigned jobs = 1;
  KnownDifferences known;
  std::string known_file;
};

/// Errors: what is wrong with the arguments, or there is no such target here.
world::Result<TargetSetup, world::Errors> set_up_target(const TargetArguments& arguments,
                                                        std::optional<std::uint64_t> seed,
                                                        const std::vector<std::string>& paths);

}  // namespace tools
