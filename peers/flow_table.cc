#include "peers/flow_table.h"

#include <cassert>

namespace peers {
namespace {

using namespace std::chrono_literals;

/// A handshake that does not end: clients send their last SYN again after 64 s of waiting, and the
/// target has 30 s to answer (NLB-42).
constexpr world::Duration kHandshake = 94s;

}  // namespace

world::Duration FlowTable::lifetime(const FlowEntry& entry) const {
  if (!entry.open) return kHandshake;
  if (entry.client_done && entry.target_done) return times_.closed;
  if (entry.client_done || entry.target_done) return times_.half_closed;
  return times_.idle;
}

FlowEntry& FlowTable::open(std::uint64_t flow, const FlowEntry& entry, world::TimePoint now) {
  const auto [place, added] = flows_.try_emplace(flow, Kept{entry, now + lifetime(entry)});
  assert(added);
  by_expiry_.emplace(place->second.expires, flow);
  return place->second.entry;
}

FlowEntry* FlowTable::find(std::uint64_t flow) {
  const auto found = flows_.find(flow);
  return found == flows_.end() ? nullptr : &found->second.entry;
}

void FlowTable::touch(std::uint64_t flow, world::TimePoint now) {
  const auto found = flows_.find(flow);
  assert(found != flows_.end());
  Kept& kept = found->second;
  by_expiry_.erase({kept.expires, flow});
  kept.expires = now + lifetime(kept.entry);
  by_expiry_.emplace(kept.expires, flow);
}

void FlowTable::erase(std::uint64_t flow) {
  const auto found = flows_.find(flow);
  if (found == flows_.end()) return;
  by_expiry_.erase({found->second.expires, flow});
  flows_.erase(found);
}

std::optional<world::TimePoint> FlowTable::next_expiry() const {
  if (by_expiry_.empty()) return std::nullopt;
  return by_expiry_.begin()->first;
}

std::vector<FlowEntry> FlowTable::expire(world::TimePoint now) {
  std::vector<FlowEntry> out;
  while (!by_expiry_.empty() && by_expiry_.begin()->first <= now) {
    const auto found = flows_.find(by_expiry_.begin()->second);
    out.push_back(found->second.entry);
    by_expiry_.erase(by_expiry_.begin());
    flows_.erase(found);
  }
  return out;
}

std::vector<std::uint64_t> FlowTable::flows_to(const world::Endpoint& target) const {
  std::vector<std::uint64_t> out;
  for (const auto& [flow, kept] : flows_) {
    if (kept.entry.target == target) out.push_back(flow);
  }
  return out;
}

}  // namespace peers
