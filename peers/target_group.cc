#include "peers/target_group.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace peers {

using world::TimePoint;
using Kind = GroupEffect::Kind;

std::string_view text(TargetState state) {
  switch (state) {
    case TargetState::Initial:
      return "initial";
    case TargetState::Healthy:
      return "healthy";
    case TargetState::Unhealthy:
      return "unhealthy";
    case TargetState::UnhealthyDraining:
      return "unhealthy.draining";
    case TargetState::Draining:
      return "draining";
    case TargetState::Unused:
      break;
  }
  return "unused";
}

bool TargetThreshold::undercut(std::size_t healthy, std::size_t registered) const {
  return (count && healthy < *count) || (percentage && healthy * 100 < *percentage * registered);
}

TargetGroup::TargetGroup(TargetGroupOptions options) : options_(std::move(options)) {
  assert(!options_.zones.empty());
}

TargetGroup::Entry* TargetGroup::find(const world::Endpoint& endpoint) {
  for (Entry& entry : entries_) {
    if (entry.target.endpoint == endpoint) return &entry;
  }
  return nullptr;
}

bool TargetGroup::is_enabled(std::string_view zone) const {
  return std::find(options_.zones.begin(), options_.zones.end(), zone) != options_.zones.end();
}

void TargetGroup::effect(Kind kind, const Entry& entry) {
  effects_.push_back({kind, entry.target.endpoint});
}

void TargetGroup::set_state(Entry& entry, TargetState state, std::string_view reason) {
  if (entry.state == state && entry.reason == reason) return;
  entry.state = state;
  entry.reason = reason;
  effect(Kind::Changed, entry);
}

void TargetGroup::add(const BalancerTarget& target, bool steady, TimePoint now) {
  Entry* entry = find(target.endpoint);
  if (entry == nullptr) {
    const auto place = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& each) {
      return target.endpoint < each.target.endpoint;
    });
    entry = &*entries_.insert(
        place, Entry{.target = target, .health = {options_.health, options_.checkers}});
  } else if (entry->state != TargetState::Draining && entry->state != TargetState::Unused) {
    return;
  } else {
    if (entry->state == TargetState::Draining) effect(Kind::StopChecks, *entry);
    *entry = Entry{.target = target,
                   .state = entry->state,
                   .reason = entry->reason,
                   .health = {options_.health, options_.checkers}};
  }
  if (!is_enabled(target.zone)) {
    set_state(*entry, TargetState::Unused, "Target.NotInUse");  // NLB-28
    return;
  }
  if (steady) {
    entry->health.set(HealthVerdict::Healthy);
    entry->placed = entry->seen_healthy = true;
    set_state(*entry, TargetState::Healthy, {});
    effect(Kind::StartChecks, *entry);
    return;
  }
  set_state(*entry, TargetState::Initial, "Elb.RegistrationInProgress");
  entry->checks_begin = now + options_.lags.registration;
  advance(now);
}

void TargetGroup::deregister(const world::Endpoint& endpoint, TimePoint now) {
  Entry* const entry = find(endpoint);
  if (entry == nullptr || entry->state == TargetState::Draining ||
      entry->state == TargetState::Unused) {
    return;
  }
  entry->checks_begin.reset();
  entry->draining_ends.reset();
  set_state(*entry, TargetState::Draining, "Target.DeregistrationInProgress");
  entry->delay_ends = now + options_.deregistration_delay;
  entry->leaves_nodes = now + options_.lags.deregistration;
  end_spared_flows();
  advance(now);
}

void TargetGroup::record(const world::Endpoint& endpoint, std::size_t checker, bool passed,
                         TimePoint now) {
  Entry* const entry = find(endpoint);
  if (entry == nullptr || entry->state == TargetState::Unused) return;
  if (const auto verdict = entry->health.record(checker, passed)) decided(*entry, *verdict, now);
  advance(now);
}

void TargetGroup::fail(const world::Endpoint& endpoint, TimePoint now) {
  Entry* const entry = find(endpoint);
  if (entry == nullptr || entry->state == TargetState::Unused ||
      entry->health.verdict() == HealthVerdict::Unhealthy) {
    return;
  }
  entry->health.set(HealthVerdict::Unhealthy);
  decided(*entry, HealthVerdict::Unhealthy, now);
  advance(now);
}

void TargetGroup::decided(Entry& entry, HealthVerdict verdict, TimePoint now) {
  const bool healthy = verdict == HealthVerdict::Healthy;
  const bool draining = entry.state == TargetState::Draining;
  const bool first = entry.state == TargetState::Initial;
  if (first) entry.placed = true;
  if (!draining || entry.placed) {
    entry.view_changes = now + (healthy ? options_.lags.healthy : options_.lags.unhealthy);
  }
  if (healthy) {
    entry.draining_ends.reset();
    entry.flows_spared = false;
    if (!draining) set_state(entry, TargetState::Healthy, {});
  } else if (first) {
    set_state(entry, TargetState::Unhealthy, "Target.FailedHealthChecks");
  } else {
    became_unhealthy(entry, now);
  }
  end_spared_flows();
}

void TargetGroup::became_unhealthy(Entry& entry, TimePoint now) {
  const bool draining = entry.state == TargetState::Draining;
  const bool keeps = !options_.unhealthy_termination;
  if (keeps && options_.draining_interval > world::Duration::zero() && !draining) {
    set_state(entry, TargetState::UnhealthyDraining, "Target.FailedHealthChecks");
    entry.draining_ends = now + options_.draining_interval;
    return;
  }
  if (!draining) set_state(entry, TargetState::Unhealthy, "Target.FailedHealthChecks");
  if (keeps && !options_.end_without_interval) return;
  end_flows(entry);
}

/// NLB-68: not if its state is what makes nodes use all targets.
void TargetGroup::end_flows(Entry& entry) {
  entry.flows_spared = fails_open(entry.target.zone);
  if (!entry.flows_spared) effect(Kind::EndFlows, entry);
}

void TargetGroup::end_spared_flows() {
  for (Entry& entry : entries_) {
    if (entry.flows_spared) end_flows(entry);
  }
}

std::optional<TimePoint> TargetGroup::next_due() const {
  std::optional<TimePoint> next;
  for (const Entry& entry : entries_) {
    for (const auto& due : {entry.checks_begin, entry.view_changes, entry.delay_ends,
                            entry.leaves_nodes, entry.draining_ends}) {
      if (due && (!next || *due < *next)) next = due;
    }
  }
  return next;
}

void TargetGroup::advance(TimePoint now) {
  const auto due = [&](std::optional<TimePoint>& at) {
    if (!at || *at > now) return false;
    at.reset();
    return true;
  };
  for (Entry& entry : entries_) {
    if (due(entry.checks_begin)) {
      set_state(entry, TargetState::Initial, "Elb.InitialHealthChecking");
      effect(Kind::StartChecks, entry);
    }
    if (due(entry.view_changes)) {
      entry.seen_healthy = entry.health.verdict() == HealthVerdict::Healthy;
    }
    if (due(entry.draining_ends)) {
      set_state(entry, TargetState::Unhealthy, "Target.FailedHealthChecks");
      end_flows(entry);
    }
    if (due(entry.leaves_nodes)) {
      entry.placed = false;
      // Flows that began after the delay.
      if (options_.termination && !entry.delay_ends) effect(Kind::Deregister, entry);
    }
    if (due(entry.delay_ends)) {
      set_state(entry, TargetState::Unused, "Target.NotRegistered");
      effect(Kind::StopChecks, entry);
      if (options_.termination) effect(Kind::Deregister, entry);
    }
  }
}

bool TargetGroup::in_scope(const Entry& entry, std::string_view zone) const {
  return options_.cross_zone || entry.target.zone == zone;
}

namespace {

/// Whether the API still counts it as one of the group.
bool is_registered(TargetState state) {
  return state != TargetState::Draining && state != TargetState::Unused;
}

}  // namespace

bool TargetGroup::fails_open(std::string_view zone) const {
  std::size_t healthy = 0;
  std::size_t registered = 0;
  for (const Entry& entry : entries_) {
    if (!in_scope(entry, zone) || !is_registered(entry.state)) continue;
    ++registered;
    if (entry.health.verdict() == HealthVerdict::Healthy) ++healthy;
  }
  return options_.routing.undercut(healthy, registered);
}

TargetGroup::Eligible TargetGroup::eligible(std::string_view zone) const {
  Eligible out;
  std::size_t healthy = 0;
  std::size_t registered = 0;
  for (const Entry& entry : entries_) {
    if (!in_scope(entry, zone) || !entry.placed) continue;
    ++registered;
    if (entry.seen_healthy) ++healthy;
  }
  out.failed_open = options_.routing.undercut(healthy, registered);
  for (const Entry& entry : entries_) {
    if (!in_scope(entry, zone)) continue;
    const bool checked_at_first = options_.initial_is_eligible && !entry.placed &&
                                  entry.state == TargetState::Initial && !entry.checks_begin;
    const bool usable = entry.placed && (entry.seen_healthy || out.failed_open);
    if (usable || (out.failed_open && checked_at_first)) out.targets.push_back(&entry.target);
  }
  return out;
}

std::vector<std::string> TargetGroup::zones_in_dns() const {
  std::vector<std::string> out;
  for (const std::string& zone : options_.zones) {
    std::size_t healthy = 0;
    std::size_t registered = 0;
    for (const Entry& entry : entries_) {
      if (!in_scope(entry, zone) || !is_registered(entry.state)) continue;
      ++registered;
      if (entry.state == TargetState::Healthy) ++healthy;
    }
    if (healthy != 0 && !options_.dns_failover.undercut(healthy, registered)) out.push_back(zone);
  }
  return out.empty() ? options_.zones : out;
}

std::vector<TargetView> TargetGroup::targets() const {
  std::vector<TargetView> out;
  out.reserve(entries_.size());
  for (const Entry& entry : entries_) out.push_back({entry.target, entry.state, entry.reason});
  return out;
}

}  // namespace peers
