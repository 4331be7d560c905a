#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/exit_status.h"
#include "tools/target_setup.h"

namespace tools {

/// `meshproof conform`.
struct ConformArguments {
  std::vector<std::string> paths;
  std::optional<std::uint64_t> seed;
  std::vector<std::string> targets;   ///< None: the simulated one.
  TargetArguments on;                 ///< Of the live ones; its target is not looked at.
  std::vector<std::string> profiles;  ///< None: all.
  bool strict = false;
  std::string report;  ///< Folder; empty: none.
  std::string page;    ///< A file for the matrix; empty: none.
};

/// Runs scenarios on each target and says which clauses each keeps.
ExitStatus conform_command(const ConformArguments& arguments);

}  // namespace tools
