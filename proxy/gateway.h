#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/counts.h"
#include "proxy/plan.h"
#include "world/result.h"
#include "world/world.h"

namespace proxy {

class Hop;
class Secrets;

/// What can be seen in a gateway from outside, at one instant.
struct GatewayCounts {
  std::uint64_t active_connections = 0;  ///< To its own second hop: what the pool limits.
  std::uint64_t pending_requests = 0;    ///< Waiting for such a connection.
  std::uint64_t active_requests = 0;
  std::uint64_t downstream_connections = 0;
  std::uint64_t requests_total = 0;
  std::uint64_t overflow_total = 0;  ///< Requests refused by the pool.
  std::uint64_t retries_total = 0;   ///< Of the second hop, or the only one.
};

/// How a gateway stops taking connections. Source: ENV-LIFE-07.
enum class DrainMode : std::uint8_t {
  Immediate,         ///< At once: /drain_listeners.
  Graceful,          ///< After the drain time: ?graceful.
  GracefulKeepOpen,  ///< Never: ?graceful&skip_exit.
};

/// A virtual gateway: one plan, run as two chained hops on one host.
///
/// The same object stands in both worlds. Source: ENV-HTTP-01, CD-01.
class Gateway {
 public:
  /// `secrets` gives what TLS needs; null: there is nothing.
  Gateway(world::World& world, std::shared_ptr<const GatewayPlan> plan, Secrets* secrets = nullptr);
  /// Closes everything at once, as the real proxy does on SIGTERM. Source: ENV-LIFE-09.
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  /// Opens the listeners. Errors: a port is taken, a log path cannot be written.
  world::Result<bool> start();

  /// Refuses new work: answers close their connections, ever more of them over the drain time.
  void drain(DrainMode mode);
  /// As /healthcheck/fail and /healthcheck/ok: while it fails every answer closes its connection.
  /// Source: ENV-LIFE-08.
  void set_failing(bool failing);
  /// What /ready says: PRE_INITIALIZING, LIVE or DRAINING. Source: ENV-HC-13, ENV-LIFE-07, -08.
  std::string_view ready_text() const;

  GatewayCounts counts() const;
  /// Every listener: the ingress ones first.
  std::vector<ListenerState> listeners() const;
  /// Every cluster of every hop: the ingress ones first, in the plan's order.
  std::vector<ClusterState> clusters() const;
  const GatewayPlan& plan() const { return *plan_; }

 private:
  void on_hop_ready();

  world::World& world_;
  std::shared_ptr<const GatewayPlan> plan_;
  std::vector<std::unique_ptr<Hop>> hops_;
  bool failing_ = false;
};

}  // namespace proxy
