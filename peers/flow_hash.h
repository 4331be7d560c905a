#pragma once

#include <cstdint>

#include "world/transport.h"

namespace peers {

/// What a balancer knows of a TCP connection when it chooses a target: with the protocol, the six
/// values of NLB-20.
struct FlowKey {
  world::Endpoint source{};
  world::Endpoint destination{};
  std::uint32_t sequence = 0;  ///< Of the SYN. One that is sent again has the same.
};

/// Depends on the key and the seed alone. The real one's function is not published: nothing may
/// rely on where a flow goes, nor on how many move when the targets change (NLB-24).
std::uint64_t flow_hash(const FlowKey& key, std::uint64_t seed);

}  // namespace peers
