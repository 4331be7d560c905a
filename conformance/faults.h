#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
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
  virtual std::vector<peers::Service*> services(const std::string& name) = 0;
  /// The hosts that a name stands for.
  virtual std::vector<world::World*> hosts(const std::string& name) = 0;
  /// Ends what runs on the hosts of that name, without a word to anyone, or begins it anew.
  virtual void crash(const std::string& name) = 0;
  virtual void restart(const std::string& name) = 0;
  /// What `action` does to processes; Faults cuts hosts off.
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
  /// The links are again as the scenario has them, and a client may have a host more: what strikes
  /// them now strikes them anew.
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
  std::function<void()> add(const LinkFault& link);
  void update_all(const LinkFault& struck);
  void update(world::World& from, world::World& to);
  /// Cuts hosts off from all others, and gives what lets them back.
  std::function<void()> cut_off(const std::string& name);
  void update_cuts(const std::string& name);
  bool means(const std::string& name, const world::World& host);
  void begin_instances(const Fault& fault);

  Setting& setting_;
  FaultTargets& targets_;
  // Names stand for the hosts that they mean at the time: a client may get one more.
  std::list<LinkFault> struck_;             // in the order of their beginnings
  std::list<std::string> cut_off_;          // each as often as a fault has struck it
  std::set<world::HostId> unreachable_;     // instances, by `gateway/edge-1: unreachable`
  std::map<Pair, sim::LinkOptions> links_;  // as they were without faults
};

}  // namespace conformance
