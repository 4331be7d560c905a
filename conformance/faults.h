#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "conformance/fault.h"
#include "conformance/fault_targets.h"
#include "conformance/host_faults.h"
#include "conformance/setting.h"
#include "peers/service.h"

namespace conformance {

/// Lets faults begin and end. Those that overlap add up; each takes away what it brought.
class Faults {
 public:
  Faults(Setting& setting, FaultTargets& targets)
      : setting_(setting), targets_(targets), hosts_(setting, targets) {}
  Faults(const Faults&) = delete;
  Faults& operator=(const Faults&) = delete;

  /// Requires: the setting can do it; see cannot_show_live(). `fault` outlives the run.
  void begin(const Fault& fault);
  /// The links are again as the scenario has them, and a client may have a host more: what strikes
  /// them now strikes them anew.
  void links_were_set();

 private:
  using Pair = std::pair<world::HostId, world::HostId>;
  using End = std::function<void()>;

  /// A service that answers otherwise, by one fault or several.
  struct Answering {
    peers::Service* service;
    std::shared_ptr<const peers::ServiceScript> without;  ///< As it answers without faults.
    std::vector<const Fault*> faults{};                   ///< In the order of their beginnings.
    const Fault* respond = nullptr;                       ///< The one that has the say now.
    const Fault* health = nullptr;
  };
  /// A fault of a name, and what the name is answered with by it.
  struct Naming {
    const Fault* fault;
    Setting::Name shown;
  };

  void end_later(const Fault& fault, End end);
  void trace(const Fault& fault, const char* what);
  /// Gives what ends it.
  End begin_lasting(const Fault& fault);
  void strike_connections(const Fault& fault);
  void break_connections(const LinkFault& link, bool half_open);

  End begin_links(const Fault& fault);
  /// Adds a fault to the links, and gives what takes it away again.
  End add(const LinkFault& link);
  void update_all(const LinkFault& struck);
  void update(world::World& from, world::World& to);
  bool means(const std::string& name, const world::World& host);

  End begin_behaviour(const Fault& fault);
  Answering& answering(peers::Service& service);
  static void update(Answering& answering);

  End begin_name(const Fault& fault);
  void update_name(const std::string& name);

  Setting& setting_;
  FaultTargets& targets_;
  HostFaults hosts_;
  // Names stand for the hosts that they mean at the time: a client may get one more.
  std::list<LinkFault> struck_;             // in the order of their beginnings
  std::map<Pair, sim::LinkOptions> links_;  // as they were without faults
  std::list<Answering> answering_;
  std::list<Naming> names_;  // in the order of their beginnings
};

}  // namespace conformance
