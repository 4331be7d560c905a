#include "proxy/outlier.h"

#include <algorithm>

namespace proxy {
namespace {

using namespace std::chrono_literals;

/// No ejection lasts longer, unless the first one does. Envoy's default.
constexpr Duration kLongestEjection = 300s;

}  // namespace

OutlierDetector::OutlierDetector(world::World& world, const OutlierPlan& plan, HealthCounts& counts,
                                 OutlierEvents& events)
    : world_(world),
      plan_(plan),
      counts_(counts),
      events_(events),
      start_(world.now()),
      tick_(world.loop(), world.id(), world::bind<&OutlierDetector::on_tick>(this)) {}

void OutlierDetector::report(OutlierState& state, std::uint16_t status) {
  if (status < 500) {
    state.errors = 0;
    return;
  }
  if (++state.errors < plan_.consecutive_5xx) return;
  state.errors = 0;
  if (state.ejected) return;
  ++counts_.ejections_detected;
  eject(state);
}

void OutlierDetector::eject(OutlierState& state) {
  const auto states = events_.outlier_states();
  const auto ejected = static_cast<std::uint64_t>(std::count_if(
      states.begin(), states.end(), [](const OutlierState* other) { return other->ejected; }));
  const bool allowed =
      (ejected + 1) * 100 <= std::uint64_t{plan_.max_ejection_percent} * states.size();
  if (!allowed && !(plan_.always_eject_one && ejected == 0)) {
    ++counts_.ejections_overflow;
    // It is counted as ejected all the same.
    ++counts_.ejections;
    return;
  }
  ++counts_.ejections;
  ++state.ejections;
  state.ejected = true;
  state.ejected_at = world_.now();
  await_tick();
  events_.on_ejections_changed();
}

/// Ticks lie on the grid that began with the cluster.
void OutlierDetector::await_tick() {
  if (tick_.running() || plan_.interval <= Duration::zero()) return;
  const auto passed = (world_.now() - start_) / plan_.interval;
  tick_.start_at(start_ + (passed + 1) * plan_.interval);
}

void OutlierDetector::on_tick() {
  bool changed = false;
  bool more = false;
  for (OutlierState* state : events_.outlier_states()) {
    if (!state->ejected) {
      if (state->ejections > 0) --state->ejections;
    } else {
      const Duration longest = std::max(plan_.base_ejection_time, kLongestEjection);
      const Duration term =
          std::min<Duration>(plan_.base_ejection_time * state->ejections, longest);
      if (world_.now() - state->ejected_at >= term) {
        state->ejected = false;
        state->errors = 0;
        changed = true;
      }
    }
    more = more || state->ejected || state->ejections > 0;
  }
  if (more) await_tick();
  if (changed) events_.on_ejections_changed();
}

}  // namespace proxy
