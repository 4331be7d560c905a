#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "world/time.h"

namespace reports {

/// The text on one line that is safe to show: what is neither printable nor valid UTF-8 is written
/// as an escape (`\n`, `\x1b`). Titles, URLs and bodies come from files and peers; a report must
/// not let them move the cursor or break the XML around them.
std::string printable(std::string_view text);

/// As printable(), but line ends and tabs stay.
std::string printable_block(std::string_view text);

/// At most `bytes` of the text, cut at a character, with "..." where something is left out.
std::string shortened(std::string_view text, std::size_t bytes);

/// The lines of a text, without their ends. An empty text is one empty line.
std::vector<std::string> lines_of(std::string_view text);

/// How many digits after the point show a duration exactly: 3, 6 or 9.
int digits_needed(world::Duration duration);

/// Seconds, e.g. "1.050s"; with so many digits after the point, 9 at most.
std::string seconds_text(world::Duration duration, int digits);

/// Seconds, exact, in the fewest groups of three digits after the point: "1.050s", "0.000250s".
std::string seconds_text(world::Duration duration);

}  // namespace reports
