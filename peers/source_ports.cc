#include "peers/source_ports.h"

namespace peers {
namespace {

constexpr std::uint16_t kFirst = 1024;

}  // namespace

std::optional<std::uint16_t> SourcePorts::take(std::size_t node, const world::Endpoint& target) {
  Pair& pair = pairs_[{node, target}];
  if (pair.in_use == most_) return std::nullopt;
  if (pair.taken.empty()) pair.taken.resize(kMost);
  while (pair.taken[pair.next]) pair.next = (pair.next + 1) % kMost;
  const std::uint32_t index = pair.next;
  pair.taken[index] = true;
  pair.next = (index + 1) % kMost;
  ++pair.in_use;
  return static_cast<std::uint16_t>(kFirst + index);
}

void SourcePorts::give(std::size_t node, const world::Endpoint& target, std::uint16_t port) {
  const auto found = pairs_.find({node, target});
  if (found == pairs_.end() || port < kFirst) return;
  Pair& pair = found->second;
  const auto index = static_cast<std::size_t>(port - kFirst);
  if (!pair.taken.at(index)) return;
  pair.taken[index] = false;
  --pair.in_use;
}

}  // namespace peers
