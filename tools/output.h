#pragma once

#include <string_view>

#include "tools/exit_status.h"
#include "world/result.h"

namespace tools {

/// Writes to the standard output and flushes, so that a reader at a pipe's other end sees it now.
/// Throws std::system_error if it cannot be written, e.g. to a full disk.
void print(std::string_view text);

/// A line on the standard error, with the program's name before it.
void complain(std::string_view message);

/// Says on the standard error all that is wrong with what was given; for the command to return.
ExitStatus refuse(const world::Errors& errors);

/// Whether the standard output wants colour: it is a terminal, and NO_COLOR is unset or empty.
bool wants_colour();

}  // namespace tools
