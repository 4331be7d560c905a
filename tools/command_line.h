#pragma once

#include "tools/exit_status.h"

namespace tools {

/// Reads the command line and does what it says. Bad usage is explained on the standard error.
ExitStatus do_command_line(int count, const char* const* words);

}  // namespace tools
