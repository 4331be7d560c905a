#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/exit_status.h"
#include "tools/target_setup.h"

namespace tools {

/// `meshproof gate`.
struct GateArguments {
  std::vector<std::string> paths;
  std::optional<std::uint64_t> seed;
  TargetArguments on;
  std::string baseline;  ///< A file.
  bool update = false;   ///< Write it anew.
};

/// Runs scenarios and says what is otherwise than in the baseline.
ExitStatus gate_command(const GateArguments& arguments);

}  // namespace tools
