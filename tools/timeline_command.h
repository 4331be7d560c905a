#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tools/exit_status.h"

namespace tools {

/// `meshproof timeline`.
struct TimelineArguments {
  std::string run;     ///< A scenario file, a folder of them, or a results.json.
  std::string filter;  ///< Id of a run among several.
  std::optional<std::uint64_t> seed;
  std::string around, within, who;  ///< As written; empty: not said.
};

/// Runs it in the simulated world and prints what happened there, with the states of pools, health
/// and balancers.
///
/// Around the first breach of a run that fails, else all of it, unless said. Of a results.json the
/// same run is repeated: same file, seed and trace, or it is refused.
ExitStatus timeline_command(const TimelineArguments& arguments);

}  // namespace tools
