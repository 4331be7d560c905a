#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <set>
#include <string>

#include "conformance/fault.h"
#include "conformance/fault_targets.h"
#include "conformance/setting.h"

namespace conformance {

/// What befalls hosts and the processes on them: holes, crashes, pauses, refusals, slow readers and
/// writers. A host is in each of these states for as long as anything wants it to be.
class HostFaults {
 public:
  HostFaults(Setting& setting, FaultTargets& targets) : setting_(setting), targets_(targets) {}
  HostFaults(const HostFaults&) = delete;
  HostFaults& operator=(const HostFaults&) = delete;

  /// Requires: of Kind Blackhole, Crash, Refuse, Pause or Slow. Gives what ends it.
  std::function<void()> begin(const Fault& fault);
  /// Hosts begin anew. Whatever crash or pause keeps one down, this ends it.
  void restart(const std::string& name);
  void apply(const FaultAction& action);
  /// Names may stand for hosts that they did not mean before.
  void update_all();

 private:
  struct Struck {
    const Fault* fault;
    std::set<world::HostId> over;  ///< Hosts for which it has ended early.
  };
  struct State {
    bool cut_off = false;
    bool crashed = false;
    bool paused = false;
    bool refuses = false;
    std::uint64_t reading = 0;
    std::uint64_t writing = 0;

    bool listens() const { return !crashed && !refuses; }
  };

  bool strikes(const Struck& struck, const world::World& host);
  State state_of(const world::World& host);
  void update(const std::string& name);
  void update(world::World& host);
  /// The process that these faults struck is gone.
  void end_early(const world::World& host, bool crashes_too);

  Setting& setting_;
  FaultTargets& targets_;
  std::list<Struck> struck_;             // in the order of their beginnings
  std::set<world::HostId> unreachable_;  // instances, by `gateway/edge-1: unreachable`
  std::map<world::HostId, State> states_;
};

}  // namespace conformance
