#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "conformance/load.h"
#include "conformance/verdict.h"
#include "tools/target_setup.h"

namespace tools {

/// One run that was selected: a variant of a file, or a file that is bad.
struct Selected {
  const conformance::LoadedFile* file;
  std::string id;
  std::optional<conformance::Scenario> scenario;  ///< Absent: the file is bad.
  bool broke = false;                             ///< The program itself failed at it.
};

/// What `filter` selects. The files' variants move into it.
std::vector<Selected> select(std::vector<conformance::LoadedFile>& files,
                             const std::string& filter);

struct ScenarioRuns {
  /// Told of each result, in order.
  std::function<void(const conformance::RunResult&)> done;
  std::function<bool()> stop;  ///< Once it says yes, no further run begins.
};

/// Runs them against the target: as many as were done when it stopped. Those that are known to
/// fail, and do, are told as such.
std::vector<conformance::RunResult> run_all(std::vector<Selected>& selected,
                                            const TargetSetup& setup, const ScenarioRuns& runs);

}  // namespace tools
