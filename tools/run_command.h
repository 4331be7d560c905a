#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/exit_status.h"
#include "tools/target_setup.h"

namespace tools {

/// `meshproof run`.
struct RunArguments {
  std::vector<std::string> paths;
  std::optional<std::uint64_t> seed;
  std::string filter;  ///< Empty: everything.
  std::string report;  ///< Folder; empty: none.
  bool json = false;
  bool list = false;
  TargetArguments on;
  std::string defect;  ///< What gateways have; empty: none.
};

/// Runs scenarios against the target and prints what came of them, each as soon as it and all
/// before it are done.
///
/// With `json` the standard output is results.json and nothing else. An interrupt ends the work
/// after the runs that have begun; what is done is reported.
ExitStatus run_command(const RunArguments& arguments);

}  // namespace tools
