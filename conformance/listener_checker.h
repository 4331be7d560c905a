#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "mesh/model.h"
#include "proxy/check_state.h"
#include "proxy/cork.h"
#include "proxy/counts.h"
#include "world/world.h"

namespace conformance {

/// Someone who watches one instance of a gateway by the letter of its listeners' health checks.
///
/// Nothing in a mesh does (AM-HC-03); the documents say what whoever does must find.
/// Source: HC-02 to -09.
class ListenerChecker final : private proxy::HostCheckEvents {
 public:
  /// Probes go from `host` to the instance's address. Listeners without a check are not watched.
  ListenerChecker(world::World& host, std::uint32_t address, const mesh::VirtualGateway& gateway);
  ~ListenerChecker();
  ListenerChecker(const ListenerChecker&) = delete;
  ListenerChecker& operator=(const ListenerChecker&) = delete;

  void start();
  /// Whether every listener that is watched is healthy.
  bool healthy() const;
  std::uint64_t checks() const { return counts_.successes + counts_.failures; }
  std::uint64_t failed_checks() const { return counts_.failures; }

 private:
  void on_checked(proxy::HostChecker&, proxy::CheckResult, proxy::CheckState::Transition) override {
  }

  proxy::Cork cork_;
  proxy::PoolCounts traffic_;
  proxy::HealthCounts counts_;
  std::vector<std::unique_ptr<proxy::Cluster>> clusters_;
  std::vector<std::unique_ptr<proxy::HostChecker>> checkers_;  // by listener
};

}  // namespace conformance
