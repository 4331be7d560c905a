#pragma once

#include <string>
#include <vector>

#include "tools/exit_status.h"

namespace tools {

/// `meshproof lint`.
struct LintArguments {
  std::vector<std::string> paths;
  bool json = false;
  unsigned jobs = 1;
};

/// Reads and checks scenario files without running them, and prints all that is wrong with them as
/// `file:line:column: /pointer: message`.
ExitStatus lint_command(const LintArguments& arguments);

}  // namespace tools
