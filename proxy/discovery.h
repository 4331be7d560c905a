#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "proxy/plan.h"
#include "world/world.h"

namespace proxy {

/// Who hears where a cluster's endpoints are.
class DiscoveryEvents {
 public:
  using Addresses = std::vector<std::pair<std::uint32_t, std::uint16_t>>;
  /// An answer came. `failed`: a name could not be asked for; what is known stays.
  virtual void on_discovered(const Addresses& addresses, bool failed) = 0;

 protected:
  ~DiscoveryEvents() = default;
};

/// Asks the world's resolver where the endpoints of a cluster are. Source: AM-STA-02, AM-OUT-02.
class Discovery {
 public:
  Discovery(world::World& world, const Cluster& cluster, DiscoveryEvents& events);
  ~Discovery();
  Discovery(const Discovery&) = delete;
  Discovery& operator=(const Discovery&) = delete;

  /// Asks, unless an answer is awaited already.
  void ask();
  /// Asks if the last answer is too old.
  void refresh();
  bool answered() const { return answered_; }

 private:
  using Addresses = DiscoveryEvents::Addresses;

  void ask_for_one_name();
  void ask_for_each();
  void take(const Addresses& addresses, bool failed);

  world::World& world_;
  const Cluster& cluster_;
  DiscoveryEvents& events_;
  bool answered_ = false;
  bool asking_ = false;
  world::TimePoint answered_at_{};
  std::shared_ptr<Discovery*> self_;  // emptied when this goes: for answers that come later
};

}  // namespace proxy
