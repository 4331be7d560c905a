#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "world/result.h"

namespace tools {

/// One line of a file of recorded cases.
struct Record {
  nlohmann::json value;
  world::Place place;
};

/// Reads files with a JSON object a line; empty lines are passed over.
///
/// Errors: each line that is no recorded case, with file and line.
world::Result<std::vector<Record>, world::Errors> read_records(
    const std::vector<std::string>& files);

}  // namespace tools
