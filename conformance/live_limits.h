#pragma once

#include <optional>
#include <string>

#include "conformance/scenario.h"

namespace conformance {

/// Why a scenario cannot be shown on the sockets of one machine: what it has that they lack. One
/// clause. Nothing: it can.
std::optional<std::string> cannot_show_live(const Scenario& scenario);

}  // namespace conformance
