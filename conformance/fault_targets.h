#pragma once

#include <string>
#include <vector>

#include "conformance/fault.h"
#include "peers/service.h"
#include "world/world.h"

namespace conformance {

/// What a fault can strike: the things of one run, by name.
class FaultTargets {
 public:
  /// The services of an endpoint, of a node's endpoints, or of those behind a virtual service.
  virtual std::vector<peers::Service*> services(const std::string& name) = 0;
  /// The hosts that a name stands for.
  virtual std::vector<world::World*> hosts(const std::string& name) = 0;
  /// Ends what runs on a host, without a word to anyone, or begins it anew.
  virtual void crash(world::World& host) = 0;
  virtual void restart(world::World& host) = 0;
  /// Whether the services of a host take new connections. Those that the scenario has refuse them
  /// do so in any case.
  virtual void set_listening(world::World& host, bool listening) = 0;
  /// What `action` does to processes; HostFaults cuts hosts off.
  virtual void apply(const FaultAction& action) = 0;

 protected:
  ~FaultTargets() = default;
};

}  // namespace conformance
