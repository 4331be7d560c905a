#include "conformance/host_faults.h"

#include <algorithm>
#include <utility>

namespace conformance {
namespace {

using Kind = Fault::Kind;

/// The slower of two rates, of which 0 means "as fast as it can".
std::uint64_t slower(std::uint64_t one, std::uint64_t other) {
  if (one == 0 || other == 0) return std::max(one, other);
  return std::min(one, other);
}

}  // namespace

std::function<void()> HostFaults::begin(const Fault& fault) {
  const auto place = struck_.insert(struck_.end(), {&fault, {}});
  if (fault.kind == Kind::Crash) {
    for (const world::World* host : targets_.hosts(fault.target)) end_early(*host, false);
  }
  update(fault.target);
  return [this, place] {
    const std::string name = place->fault->target;
    struck_.erase(place);
    update(name);
  };
}

void HostFaults::restart(const std::string& name) {
  for (world::World* host : targets_.hosts(name)) {
    const bool was_down = states_[host->id()].crashed;
    if (!was_down) {
      targets_.crash(*host);
      targets_.set_listening(*host, false);
    }
    end_early(*host, true);
    update(*host);
    if (was_down) continue;
    targets_.restart(*host);
    if (states_[host->id()].listens()) targets_.set_listening(*host, true);
  }
}

void HostFaults::apply(const FaultAction& action) {
  using What = FaultAction::Kind;
  if (action.kind != What::Unreachable && action.kind != What::Reachable) targets_.apply(action);
  for (world::World* host : targets_.hosts(action.gateway)) {
    if (action.kind == What::Unreachable) unreachable_.insert(host->id());
    if (action.kind == What::Reachable) unreachable_.erase(host->id());
    if (action.kind == What::Stopped) end_early(*host, false);
    update(*host);
  }
}

void HostFaults::update_all() {
  for (const Struck& struck : struck_) update(struck.fault->target);
}

bool HostFaults::strikes(const Struck& struck, const world::World& host) {
  if (struck.over.count(host.id()) != 0) return false;
  const std::vector<world::World*> hosts = targets_.hosts(struck.fault->target);
  return std::find(hosts.begin(), hosts.end(), &host) != hosts.end();
}

HostFaults::State HostFaults::state_of(const world::World& host) {
  State state;
  state.cut_off = unreachable_.count(host.id()) != 0;
  for (const Struck& struck : struck_) {
    if (!strikes(struck, host)) continue;
    const Kind kind = struck.fault->kind;
    state.crashed = state.crashed || kind == Kind::Crash;
    state.cut_off = state.cut_off || kind == Kind::Crash || kind == Kind::Blackhole;
    state.paused = state.paused || kind == Kind::Pause;
    state.refuses = state.refuses || kind == Kind::Refuse;
    state.reading = slower(state.reading, struck.fault->reading);
    state.writing = slower(state.writing, struck.fault->writing);
  }
  return state;
}

void HostFaults::update(const std::string& name) {
  for (world::World* host : targets_.hosts(name)) update(*host);
}

/// Brings about what is new. A host that comes back is reached again before anything runs on it.
void HostFaults::update(world::World& host) {
  const State now = state_of(host);
  const State was = std::exchange(states_[host.id()], now);
  if (now.crashed && !was.crashed) targets_.crash(host);
  if (was.listens() && !now.listens()) targets_.set_listening(host, false);
  if (now.cut_off != was.cut_off) setting_.set_cut_off(host, now.cut_off);
  if (now.paused != was.paused) setting_.set_paused(host, now.paused);
  if (now.reading != was.reading || now.writing != was.writing) {
    setting_.set_pace(host, now.reading, now.writing);
  }
  if (was.crashed && !now.crashed) targets_.restart(host);
  if (!was.listens() && now.listens()) targets_.set_listening(host, true);
}

void HostFaults::end_early(const world::World& host, bool crashes_too) {
  for (Struck& struck : struck_) {
    const Kind kind = struck.fault->kind;
    const bool ends = kind == Kind::Pause || (crashes_too && kind == Kind::Crash);
    if (ends && strikes(struck, host)) struck.over.insert(host.id());
  }
}

}  // namespace conformance
