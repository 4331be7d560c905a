#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "conformance/fault.h"
#include "conformance/setting.h"
#include "peers/service.h"

namespace conformance {

/// What a fault can strike: the things of one run, by name.
class FaultTargets {
 public:
  /// The services of an endpoint, of a node's endpoints, or of those behind a virtual service.
  virtual std::vector<peers::Service*> services(EntityKind kind, const std::string& name) = 0;
  /// The hosts that a name stands for.
  virtual std::vector<world::World*> hosts(const std::string& name) = 0;
  virtual std::vector<world::World*> all_hosts() = 0;
  /// Ends what runs on the hosts of that name, without a word to anyone, or begins it anew.
  virtual void crash(EntityKind kind, const std::string& name) = 0;
  virtual void restart(EntityKind kind, const std::string& name) = 0;
  virtual void apply(const FaultAction& action) = 0;

 protected:
  ~FaultTargets() = default;
};

/// Lets faults begin and end. Those that overlap add up; each takes away what it brought.
class Faults {
 public:
  Faults(Setting& setting, FaultTargets& targets) : setting_(setting), targets_(targets) {}
  Faults(const Faults&) = delete;
  Faults& operator=(const Faults&) = delete;

  /// Requires: the setting can do it; see cannot_show_live(). `fault` outlives the run.
  void begin(const Fault& fault);
  /// The links are again as the scenario has them: what strikes them now strikes them anew.
  void links_were_set();

 private:
  using Pair = std::pair<world::HostId, world::HostId>;

  void end_later(const Fault& fault, std::function<void()> end);
  void trace(const Fault& fault, const char* what);
  /// Gives what ends it.
  std::function<void()> begin_links(const Fault& fault);
  void begin_behaviour(const Fault& fault);
  void begin_name(const Fault& fault);
  /// Adds a fault to the links, and gives what takes it away again.
  std::function<void()> add(const LinkFault& link, std::vector<world::World*> from,
                            std::vector<world::World*> to);
  struct Struck {
    LinkFault fault;
    std::vector<world::World*> from;
    std::vector<world::World*> to;
  };
  void update_all(const Struck& struck);
  void update(world::World& from, world::World& to);

  Setting& setting_;
  FaultTargets& targets_;
  std::list<Struck> struck_;                // in the order of their beginnings
  std::map<Pair, sim::LinkOptions> links_;  // as they were without faults
};

}  // namespace conformance
