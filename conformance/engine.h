#pragma once

#include <cstdint>
#include <optional>

#include "conformance/scenario.h"
#include "conformance/target.h"
#include "conformance/verdict.h"
#include "proxy/defects.h"

namespace conformance {

/// On this machine's sockets, with its clock.
struct LiveOptions {
  std::uint32_t time_scale = 1;               ///< Seconds of the scenario in a real one.
  Duration limit = std::chrono::seconds(10);  ///< Real time that a run may take by its nature.
  const Target* target = nullptr;             ///< What runs in place of our gateway; null: it does.
};

/// A time of a run, and of whom.
struct Window {
  world::TimePoint from{};
  world::TimePoint to{};
  /// A name of hosts, as scenarios have it: "edge-1", "books". Empty: everybody.
  std::string who{};
};

struct RunOptions {
  const proxy::Defect* defect = nullptr;  ///< What all gateways have; null: none.
  std::optional<std::uint64_t> seed;      ///< Else the scenario's own.
  std::optional<LiveOptions> live{};      ///< Absent: in a simulated world.
  /// Whether `series` is wanted, and timelines that know requests and changes. It changes nothing
  /// else: a run that failed without is run again with it.
  bool series = false;
  std::optional<Window> window{};  ///< What `excerpt` is of; with `series` alone.
};

/// Runs a scenario in a world of its own and judges it. What follows is meant of simulated ones.
///
/// Pure: the same scenario and seed give the same result, in any thread and after any other run.
/// A world whose time stands still, or that does not come to an end within an hour after its last
/// step, fails with the host that keeps it going.
///
/// In the real world a run is not pure. Times are not judged there, but counted; what cannot be
/// shown there, or takes longer than the limit, is skipped. How long it takes is what a simulated
/// run before it says.
RunResult run(const Scenario& scenario, const RunOptions& options = {});

/// The result of a file that could not be run.
RunResult bad_file_result(const std::string& file, const std::string& id, const std::string& title,
                          const std::string& digest, const world::Errors& errors);

}  // namespace conformance
