#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "proxy/counts.h"
#include "proxy/plan.h"
#include "world/timer.h"
#include "world/world.h"

namespace proxy {

class UpstreamHost;

/// The endpoints of a cluster as its balancer sees them: whose turn it is, who is left out.
///
/// Changes of endpoints' states come one at a time; those that follow one within the merge window
/// are seen together at its end. Source: ENV-HC-14, -15, -19.
class HostSet {
 public:
  HostSet(world::World& world, const Cluster& cluster, HealthCounts& counts);
  ~HostSet();

  using Hosts = std::vector<std::unique_ptr<UpstreamHost>>;
  const Hosts& all() const { return hosts_; }
  bool empty() const { return hosts_.empty(); }
  /// Replaces the endpoints; gives those that are gone. Seen at once.
  Hosts replace(Hosts hosts);
  /// Takes one endpoint out. Seen at once.
  std::unique_ptr<UpstreamHost> remove(UpstreamHost& host);

  /// The round robin's next; null if none may be used.
  UpstreamHost* next();
  /// The state of an endpoint has changed.
  void changed();
  /// Until here changes were seen at once.
  void start_merging() { merging_ = true; }
  /// Whether the balancer takes it as healthy.
  bool usable(const UpstreamHost& host) const;

 private:
  void look();
  void on_window_end();

  world::World& world_;
  const Cluster& cluster_;
  HealthCounts& counts_;
  Hosts hosts_;
  // As was last seen. Where all are healthy, which is usual, no list of them is kept.
  bool all_healthy_ = true;
  std::vector<UpstreamHost*> healthy_;
  bool panic_ = false;
  bool begun_ = false;
  std::size_t next_of_every_ = 0;
  std::size_t next_of_healthy_ = 0;
  bool merging_ = false;
  bool seen_before_ = false;
  world::TimePoint seen_at_{};
  world::Timer window_;
};

}  // namespace proxy
