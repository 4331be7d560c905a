#pragma once

#include <cstdint>
#include <optional>

#include "conformance/scenario.h"
#include "conformance/verdict.h"

namespace conformance {

struct RunOptions {
  std::optional<std::uint64_t> seed;  ///< Else the scenario's own.
};

/// Runs a scenario in a simulated world of its own and judges it.
///
/// Pure: the same scenario and seed give the same result, in any thread and after any other run.
/// A world whose time stands still, or that does not come to an end within an hour after its last
/// step, fails with the host that keeps it going.
RunResult run(const Scenario& scenario, const RunOptions& options = {});

/// The result of a file that could not be run.
RunResult bad_file_result(const std::string& file, const std::string& id, const std::string& title,
                          const std::string& digest, const world::Errors& errors);

}  // namespace conformance
