#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "world/time.h"
#include "world/transport.h"

namespace peers {

/// How long entries live. Source: NLB-44, NLB-48, NLB-49.
struct FlowTimes {
  world::Duration idle = std::chrono::seconds(350);
  world::Duration half_closed = std::chrono::seconds(350);  ///< The same after one FIN.
  world::Duration closed{};                                 ///< After both.
};

/// One connection that a balancer passes on.
struct FlowEntry {
  std::size_t node = 0;
  world::Endpoint target{};
  std::uint16_t port = 0;  ///< Of the node towards the target; 0: the client's own.
  bool open = false;       ///< The handshake is over.
  bool header_sent = false;
  bool client_done = false;  ///< Its FIN has passed.
  bool target_done = false;
};

/// The flows of a balancer, and when each is forgotten. Nothing is told to anybody then: NLB-45.
class FlowTable {
 public:
  explicit FlowTable(const FlowTimes& times) : times_(times) {}

  /// Requires: there is none of that number.
  FlowEntry& open(std::uint64_t flow, const FlowEntry& entry, world::TimePoint now);
  FlowEntry* find(std::uint64_t flow);
  /// A segment has passed: its time begins anew (NLB-46). Requires: it is there.
  void touch(std::uint64_t flow, world::TimePoint now);
  void erase(std::uint64_t flow);

  /// When the next one is forgotten; nothing: there is none.
  std::optional<world::TimePoint> next_expiry() const;
  /// Forgets those whose time is up, and says which they were.
  std::vector<FlowEntry> expire(world::TimePoint now);

  std::vector<std::uint64_t> flows_to(const world::Endpoint& target) const;
  std::size_t size() const { return flows_.size(); }

 private:
  struct Kept {
    FlowEntry entry;
    world::TimePoint expires{};
  };

  world::Duration lifetime(const FlowEntry& entry) const;

  FlowTimes times_;
  std::map<std::uint64_t, Kept> flows_;
  std::set<std::pair<world::TimePoint, std::uint64_t>> by_expiry_;
};

}  // namespace peers
