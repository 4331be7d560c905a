#pragma once

#include <string>
#include <vector>

#include "conformance/verdict.h"

namespace reports {

/// Events one below the other, each on a line that begins with `indent`: when, who, the request
/// that it belongs to, what. Columns stand below each other, times are exact. A change of a state
/// is marked with `~`, an expectation that was broken with `!`.
std::string timeline_text(const std::vector<conformance::TimelineEntry>& timeline,
                          std::string_view indent);

/// What things were: a line for each, with everything that is known of it.
std::string state_text(const std::vector<conformance::TimelineEntry>& states,
                       std::string_view indent);

}  // namespace reports
