#pragma once

#include <string>
#include <vector>

#include "tools/exit_status.h"

namespace tools {

/// `meshproof recorded`.
struct RecordedArguments {
  std::vector<std::string> files;
  std::string area;               ///< Empty: all.
  std::vector<std::string> show;  ///< Ids; then only these are replayed.
  std::string known;              ///< File; empty: known-differences.yaml beside the first file.
  bool json = false;
  unsigned jobs = 1;
};

/// Replays what was recorded of a real proxy and prints, by area, how far the simulated one agrees.
///
/// Failed: there is a difference that is not known, or a known one that is none any more.
ExitStatus recorded_command(const RecordedArguments& arguments);

}  // namespace tools
