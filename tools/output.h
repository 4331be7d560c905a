#pragma once

#include <string_view>

namespace tools {

/// Writes to the standard output and flushes, so that a reader at a pipe's other end sees it now.
/// Throws std::system_error if it cannot be written, e.g. to a full disk.
void print(std::string_view text);

/// A line on the standard error, with the program's name before it.
void complain(std::string_view message);

/// Whether the standard output wants colour: it is a terminal, and NO_COLOR is unset or empty.
bool wants_colour();

}  // namespace tools
