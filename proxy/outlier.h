#pragma once

#include <cstdint>
#include <vector>

#include "proxy/counts.h"
#include "proxy/plan.h"
#include "world/timer.h"
#include "world/world.h"

namespace proxy {

class UpstreamHost;

/// What outlier detection remembers of an endpoint.
struct OutlierState {
  std::uint32_t errors = 0;     ///< 5xx in a row.
  std::uint32_t ejections = 0;  ///< How often; falls again while it behaves.
  bool ejected = false;
  world::TimePoint ejected_at{};
};

/// Who acts on what outlier detection decides.
class OutlierEvents {
 public:
  virtual std::vector<OutlierState*> outlier_states() = 0;
  /// An endpoint was ejected or came back.
  virtual void on_ejections_changed() = 0;

 protected:
  ~OutlierEvents() = default;
};

/// Keeps endpoints out that answered 5xx several times in a row, for a time.
///
/// Source: ENV-HC-18, AM-OUT-01.
class OutlierDetector {
 public:
  OutlierDetector(world::World& world, const OutlierPlan& plan, HealthCounts& counts,
                  OutlierEvents& events);

  /// A request to that endpoint came to this status; what gave no answer counts as 503 or 504.
  void report(OutlierState& state, std::uint16_t status);

 private:
  void eject(OutlierState& state);
  void await_tick();
  void on_tick();

  world::World& world_;
  const OutlierPlan& plan_;
  HealthCounts& counts_;
  OutlierEvents& events_;
  world::TimePoint start_;
  world::Timer tick_;  // runs only while there is something to look at
};

}  // namespace proxy
