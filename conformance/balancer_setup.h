#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "conformance/matcher.h"
#include "peers/balancer.h"
#include "world/result.h"

namespace conformance {

/// `world: { nlb: ... }`. What the settings mean: docs/balancer.md.
struct BalancerSetup {
  std::string name;
  std::string dns;                 ///< Its name for clients, besides `name`.
  std::string gateway;             ///< Whose instances are its targets.
  std::vector<std::string> zones;  ///< None said: one, without a name.
  /// The instances that are registered at the start; all, if not said.
  std::optional<std::vector<std::string>> registered;
  bool begins_healthy = true;  ///< They are so since long ago.
  peers::BalancerOptions options;
  /// The first of its settings that only a simulated balancer has; empty: none is set.
  std::string simulated_only;
  world::Place place;

  /// What its node in a zone is called.
  std::string node_name(const std::string& zone) const {
    return zone.empty() ? name : name + "-" + zone;
  }
};

/// `register:`, `deregister:`.
struct RegistrationAction {
  std::string balancer;
  std::string instance;
  bool leaves = false;
};

/// `expect: { nlb/NAME: { targets, zones } }`.
struct BalancerExpectation {
  struct Target {
    std::string instance;
    std::optional<TextExpectation> state, reason;
    std::optional<NumberExpectation> flows, checks;
  };
  std::string balancer;
  std::vector<Target> targets;
  std::optional<std::vector<std::string>> zones;  ///< Whose addresses its name gives.
  std::string zones_written;
  world::Place place;
};

}  // namespace conformance
