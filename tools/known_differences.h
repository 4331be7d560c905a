#pragma once

#include <map>
#include <string>

#include "world/result.h"

namespace tools {

/// Recorded cases that are known to come out otherwise, by id, and why.
using KnownDifferences = std::map<std::string, std::string, std::less<>>;

/// Reads a YAML list of `{ id, reason }`. Errors: all that is wrong, each with its place.
world::Result<KnownDifferences, world::Errors> read_known_differences(const std::string& path);

}  // namespace tools
