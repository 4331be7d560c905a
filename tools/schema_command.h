#pragma once

#include <string>

#include "tools/exit_status.h"

namespace tools {

/// `meshproof schema`: prints the JSON Schema of `scenario` or `results`.
ExitStatus schema_command(const std::string& of);

}  // namespace tools
