#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/cork.h"
#include "proxy/counts.h"
#include "proxy/plan.h"
#include "proxy/upstream_stream.h"
#include "world/world.h"

namespace proxy {

class Upstream;
class UpstreamConnection;
class UpstreamHost;

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
  UpstreamStream* upstream_stream() const { return stream_; }
  /// Whether a 1xx response came on the connection that was lost.
  bool interim() const { return interim_; }

 protected:
  UpstreamRequest() = default;
  ~UpstreamRequest() = default;
  /// For the next request of the same object.
  void forget_upstream() {
    host_ = nullptr;
    interim_ = false;
  }

 private:
  friend class Upstream;
  friend class UpstreamConnection;
  friend class UpstreamHost;

  UpstreamRequest* next_ = nullptr;
  UpstreamRequest* previous_ = nullptr;
  UpstreamHost* host_ = nullptr;  // where it waits or is served
  UpstreamConnection* connection_ = nullptr;
  UpstreamStream* stream_ = nullptr;
  bool waiting_ = false;
  bool interim_ = false;
};

/// One cluster at run time: its endpoints and, for each of them, the pool of connections.
///
/// The limits hold over all endpoints. A request that finds no idle connection waits in its host's
/// queue, first in first out, while connections are made. Source: ENV-POOL-05 to -20.
class Upstream {
 public:
  Upstream(world::World& world, Cork& cork, const Cluster& cluster);
  ~Upstream();
  Upstream(const Upstream&) = delete;
  Upstream& operator=(const Upstream&) = delete;

  /// Finds the endpoints; `ready` is called once when the first answer is there.
  void start(world::Action ready);

  /// Gives the request a connection, now or later, or a reset, at once. `avoid` lists hosts that
  /// were tried before: others are preferred, in at most `attempts` picks.
  void request(UpstreamRequest& request, const std::vector<UpstreamHost*>& avoid,
               std::uint32_t attempts);
  /// The request is not wanted any more: it leaves the queue, or its stream is reset; in HTTP/1
  /// that is its connection.
  void cancel(UpstreamRequest& request);
  /// The request wants nothing more of its response, which ends with the bytes at hand.
  void leave(UpstreamRequest& request);

  const Cluster& cluster() const { return cluster_; }
  const PoolCounts& counts() const { return counts_; }
  OpenCircuits open_circuits() const;
  const HealthCounts& health() const { return health_; }
  std::vector<HostState> hosts() const;
  bool retry_allowed() const { return counts_.retries < cluster_.limits.max_retries; }
  void add_retry() { ++counts_.retries; }
  void remove_retry() { --counts_.retries; }

 private:
  friend class UpstreamConnection;
  friend class UpstreamHost;

  UpstreamHost* pick(const std::vector<UpstreamHost*>& avoid, std::uint32_t attempts);
  using Addresses = std::vector<std::pair<std::uint32_t, std::uint16_t>>;

  void resolve();
  void resolve_all();
  void resolved(const Addresses& addresses, bool failed);
  void set_addresses(const Addresses& addresses);
  void try_connect(UpstreamHost& host);
  void attach(UpstreamRequest& request, UpstreamConnection& connection);
  /// Gives a connection's room to the queue of its host, and keeps what is left.
  void offer(UpstreamConnection& connection);
  /// The request and its connection have nothing to do with each other any more.
  void detach(UpstreamRequest& request);
  /// Forgets a connection; it is destroyed after the present event.
  void lose(UpstreamConnection& connection);
  void bury();

  world::World& world_;
  Cork& cork_;
  const Cluster& cluster_;
  world::Action ready_{};
  bool resolved_ = false;
  bool resolving_ = false;
  world::TimePoint resolved_at_{};
  std::size_t awaited_ = 0;  // names whose first answer is missing
  std::vector<std::unique_ptr<UpstreamHost>> hosts_;
  std::vector<std::unique_ptr<UpstreamHost>> former_hosts_;
  std::size_t next_host_ = 0;
  PoolCounts counts_;
  HealthCounts health_;
  std::vector<std::unique_ptr<UpstreamConnection>> graveyard_;
  world::Timer burial_;
  std::shared_ptr<Upstream*> self_;  // emptied when this goes: for answers that come later
};

/// One endpoint: an address, its connections and its queue.
class UpstreamHost {
 public:
  explicit UpstreamHost(world::Endpoint endpoint);
  ~UpstreamHost();

  world::Endpoint endpoint() const { return endpoint_; }
  const std::string& text() const { return text_; }

 private:
  friend class Upstream;
  friend class UpstreamConnection;

  void enqueue(UpstreamRequest& request);
  void dequeue(UpstreamRequest& request);

  world::Endpoint endpoint_;
  std::string text_;
  UpstreamRequest* first_ = nullptr;
  UpstreamRequest* last_ = nullptr;
  std::size_t queued_ = 0;
  std::size_t connecting_ = 0;
  std::vector<std::unique_ptr<UpstreamConnection>> connections_;
  std::vector<UpstreamConnection*> ready_;  // have room; the last one was used last
};

}  // namespace proxy
