#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/check_state.h"
#include "proxy/cork.h"
#include "proxy/counts.h"
#include "proxy/discovery.h"
#include "proxy/host_set.h"
#include "proxy/outlier.h"
#include "proxy/plan.h"
#include "proxy/upstream_stream.h"
#include "world/world.h"

namespace proxy {

class Upstream;
class UpstreamConnection;
class UpstreamHost;
class Secrets;
class TlsSide;

/// Why a request was cut off from its upstream.
enum class ResetReason : std::uint8_t {
  RefusedConnection,      ///< The connection could not be made.
  ConnectTimeout,         ///< Nor within the cluster's connect timeout.
  ConnectionTermination,  ///< The connection ended before an answer began.
  ProtocolError,          ///< What came is no HTTP response, or was cut short.
  ConnectError,           ///< The endpoint reset the stream for a connection that it made.
  RemoteReset,            ///< The endpoint reset the stream.
  RemoteRefused,          ///< The endpoint did not look at the stream: it can be sent again.
  Overflow,               ///< A limit of the pool was reached.
  NoHealthyHost,          ///< The cluster has no endpoint.
};

/// The words of a reset in the real proxy's replies. Source: ENV-HTTP-61 to -63, ENV-POOL-16.
std::string_view reset_text(ResetReason reason);

/// A request's place in a pool, and what the pool tells it. Whoever sends requests is one.
class UpstreamRequest {
 public:
  /// The stream is this request's own until it is told of its end, or cancels.
  virtual void on_upstream_ready(UpstreamStream& stream) = 0;
  /// It has no connection, or none any more. `transport` says more about a failed connect.
  virtual void on_upstream_reset(ResetReason reason, std::string_view transport) = 0;
  virtual void on_response_head(wire::ResponseHead& head) = 0;
  /// `ends`: the sender said with these bytes that they are the last.
  virtual void on_response_body(std::string_view bytes, bool ends) = 0;
  virtual void on_response_trailers(wire::HeaderMap& trailers) = 0;
  /// The response has ended. The connection has gone back to the pool, or away.
  virtual void on_response_complete() = 0;
  /// The stream's unsent bytes have gone.
  virtual void on_upstream_drained() = 0;

  UpstreamHost* upstream_host() const { return host_; }
  /// The address of the host that it was given a connection to, or waited for; null for none.
  const std::string* upstream_address() const { return address_; }
  UpstreamStream* upstream_stream() const { return stream_; }
  /// Whether a 1xx response came on the connection that was lost.
  bool interim() const { return interim_; }

 protected:
  UpstreamRequest() = default;
  ~UpstreamRequest() = default;
  /// For the next request of the same object.
  void forget_upstream() {
    host_ = nullptr;
    address_ = nullptr;
    interim_ = false;
  }

 private:
  friend class Upstream;
  friend class UpstreamConnection;
  friend class UpstreamHost;

  UpstreamRequest* next_ = nullptr;
  UpstreamRequest* previous_ = nullptr;
  UpstreamHost* host_ = nullptr;  // where it waits or is served
  const std::string* address_ = nullptr;
  UpstreamConnection* connection_ = nullptr;
  UpstreamStream* stream_ = nullptr;
  bool waiting_ = false;
  bool interim_ = false;
};

/// One cluster at run time: its endpoints and, for each of them, the pool of connections.
///
/// The limits hold over all endpoints. A request that finds no idle connection waits in its host's
/// queue, first in first out, while connections are made. Source: ENV-POOL-05 to -28.
class Upstream final : private DiscoveryEvents, private HostCheckEvents, private OutlierEvents {
 public:
  /// `secrets` null: there are none.
  Upstream(world::World& world, Cork& cork, const Cluster& cluster, Secrets* secrets = nullptr);
  ~Upstream();
  Upstream(const Upstream&) = delete;
  Upstream& operator=(const Upstream&) = delete;

  /// Finds the endpoints and checks them; `ready` is called once when the first answer is there
  /// and the first check of each endpoint is over. Source: ENV-HC-13.
  void start(world::Action ready);
  /// Has these endpoints from now on: for whoever knows them without asking.
  void use(const Addresses& addresses);

  /// Gives the request a connection, now or later, or a reset, at once. `avoid` lists hosts that
  /// were tried before: others are preferred, in at most `attempts` picks.
  void request(UpstreamRequest& request, const std::vector<UpstreamHost*>& avoid,
               std::uint32_t attempts);
  /// The request is not wanted any more: it leaves the queue, or its stream is reset; in HTTP/1
  /// that is its connection.
  void cancel(UpstreamRequest& request);
  /// The request wants nothing more of its response, which ends with the bytes at hand.
  void leave(UpstreamRequest& request);
  /// Ends all connections, and attempts at them. Requires: no request is on any of them.
  void close_connections();

  /// What a try came to: a response's status, or 503 and 504 for none. Where answers matter for
  /// the endpoint's health. Requires: judges_answers().
  void report(UpstreamHost& host, std::uint16_t status);
  /// An answer said that its endpoint fails. Source: ENV-HC-12.
  void report_failing(UpstreamHost& host);
  bool judges_answers() const { return outlier_.has_value(); }
  bool checks_hosts() const { return cluster_.health_check.has_value(); }

  const Cluster& cluster() const { return cluster_; }
  const PoolCounts& counts() const { return counts_; }
  /// For what the requests' owner alone knows: timeouts, answers, retries.
  PoolCounts& counts() { return counts_; }
  OpenCircuits open_circuits() const;
  const HealthCounts& health() const { return health_; }
  TlsCounts tls_counts() const;
  std::vector<HostState> hosts() const;
  bool retry_allowed() const { return counts_.retries < cluster_.limits.max_retries; }

 private:
  friend class UpstreamConnection;
  friend class UpstreamHost;

  void on_discovered(const Addresses& addresses, bool failed) override;
  void on_checked(HostChecker& checker, CheckResult result,
                  CheckState::Transition transition) override;
  std::vector<OutlierState*> outlier_states() override;
  void on_ejections_changed() override { hosts_.changed(); }

  bool tells_nothing_new(const Addresses& addresses) const;
  void set_hosts(const Addresses& addresses);
  std::unique_ptr<UpstreamHost> new_host(const world::Endpoint& endpoint);
  void start_check(UpstreamHost& host);
  /// It serves what it has; its idle connections end.
  void dismiss(std::unique_ptr<UpstreamHost> host);
  void tell_if_ready();

  UpstreamHost* pick(const std::vector<UpstreamHost*>& avoid, std::uint32_t attempts);
  void try_connect(UpstreamHost& host);
  void connect(UpstreamHost& host);
  void attach(UpstreamRequest& request, UpstreamConnection& connection);
  /// Gives a connection's room to the queue of its host, and keeps what is left.
  void offer(UpstreamConnection& connection);
  /// The same at the end of this instant, when the endpoint has said whether the connection lives.
  void offer_soon(UpstreamConnection& connection);
  void serve();
  /// Has room for whoever comes next.
  void make_ready(UpstreamConnection& connection);
  /// The request and its connection have nothing to do with each other any more.
  void detach(UpstreamRequest& request);
  /// Forgets a connection; it is destroyed after the present event.
  void lose(UpstreamConnection& connection, bool by_peer);
  void bury();

  world::World& world_;
  Cork& cork_;
  const Cluster& cluster_;
  PoolCounts counts_;
  HealthCounts health_;
  Secrets* secrets_;
  std::unique_ptr<TlsSide> tls_;
  Discovery discovery_;
  HostSet hosts_;
  std::vector<std::unique_ptr<UpstreamHost>> former_hosts_;
  std::optional<OutlierDetector> outlier_;
  world::Action ready_{};
  std::vector<std::unique_ptr<UpstreamConnection>> graveyard_;
  world::Timer serving_;
  world::Timer burial_;
};

}  // namespace proxy
