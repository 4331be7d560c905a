#pragma once

#include <functional>

#include "sim/simulation.h"
#include "world/time.h"

namespace conformance::recorded {

/// Lets a simulated world go on until `done` holds or the time comes, whichever is first; time then
/// stands at the deadline. True: `done` holds.
bool run_until(sim::Simulation& simulation, const std::function<bool()>& done,
               world::TimePoint deadline);

}  // namespace conformance::recorded
