#include "conformance/recorded/pace.h"

namespace conformance::recorded {

bool run_until(sim::Simulation& simulation, const std::function<bool()>& done,
               world::TimePoint deadline) {
  world::EventLoop& loop = simulation.loop();
  while (!done()) {
    if (loop.pending() == 0 || loop.next_due() > deadline || loop.stuck()) {
      loop.run_until(deadline);
      return done();
    }
    loop.run_one();
  }
  return true;
}

}  // namespace conformance::recorded
