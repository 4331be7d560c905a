#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/exit_status.h"
#include "tools/target_setup.h"

namespace tools {

/// `meshproof mutants`.
struct MutantsArguments {
  std::vector<std::string> paths;
  std::optional<std::uint64_t> seed;
  TargetArguments on;
  std::vector<std::string> defects;  ///< None: all.
  bool json = false;
};

/// Gives the target one defect after the other, and says which scenario finds each, and by which
/// clause.
ExitStatus mutants_command(const MutantsArguments& arguments);

/// `meshproof defects`: what there is.
ExitStatus defects_command();

/// Errors: a name that is none, with those that look like it.
world::Result<const proxy::Defect*> choose_defect(const std::string& name);

}  // namespace tools
