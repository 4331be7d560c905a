#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "world/transport.h"

namespace peers {

/// The ports that a balancer's nodes lend to flows whose client addresses are not kept: from 1024
/// on, one after another, for each pair of node and target. A port that was given back is free at
/// once. Source: NLB-54, NLB-55 (neither order nor re-use is published).
class SourcePorts {
 public:
  /// Nodes keep ports from here on for their health checks.
  static constexpr std::uint16_t kFirstOfChecks = 60536;
  static constexpr std::uint32_t kMost = kFirstOfChecks - 1024;

  /// `most`: so many at a time for each pair. Requires: 0 < most <= kMost.
  explicit SourcePorts(std::uint32_t most) : most_(most) {}

  /// Nothing: all are in use.
  std::optional<std::uint16_t> take(std::size_t node, const world::Endpoint& target);
  void give(std::size_t node, const world::Endpoint& target, std::uint16_t port);

 private:
  struct Pair {
    std::vector<bool> taken;
    std::uint32_t in_use = 0;
    std::uint32_t next = 0;
  };

  std::uint32_t most_;
  std::map<std::pair<std::size_t, world::Endpoint>, Pair> pairs_;
};

}  // namespace peers
