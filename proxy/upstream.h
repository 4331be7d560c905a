#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/cork.h"
#include "proxy/gathered_body.h"
#include "proxy/plan.h"
#include "wire/http1/response_parser.h"
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
  Overflow,               ///< A limit of the pool was reached.
  NoHealthyHost,          ///< The cluster has no endpoint.
};

/// The words of a reset in the real proxy's replies. Source: ENV-HTTP-61 to -63, ENV-POOL-16.
std::string_view reset_text(ResetReason reason);

/// A request's place in a pool, and what the pool tells it. Whoever sends requests is one.
class UpstreamRequest {
 public:
  /// The connection is this request's own until it gives it back or loses it.
  virtual void on_upstream_ready(UpstreamConnection& connection) = 0;
  /// It has no connection, or none any more. `transport` says more about a failed connect.
  virtual void on_upstream_reset(ResetReason reason, std::string_view transport) = 0;
  virtual void on_response_head(wire::http1::ResponseHead& head) = 0;
  virtual void on_response_body(std::string_view bytes) = 0;
  /// The response has ended. The connection has gone back to the pool, or away.
  virtual void on_response_complete() = 0;
  /// The connection's unsent bytes have gone.
  virtual void on_upstream_drained() = 0;

  UpstreamHost* upstream_host() const { return host_; }
  UpstreamConnection* upstream_connection() const { return connection_; }
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
  bool waiting_ = false;
  bool interim_ = false;
};

/// What the pool of a cluster holds at an instant, and what has happened to it so far.
struct PoolCounts {
  std::uint64_t connections = 0;
  std::uint64_t pending = 0;
  std::uint64_t requests = 0;
  std::uint64_t retries = 0;  ///< Requests that wait for their next try, or are at it.
  std::uint64_t connections_total = 0;
  std::uint64_t connect_failures = 0;
  std::uint64_t requests_total = 0;
  std::uint64_t pending_overflow = 0;
  std::uint64_t connection_overflow = 0;
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
  /// The request is not wanted any more: it leaves the queue, or its connection is closed.
  void cancel(UpstreamRequest& request);
  /// The request wants nothing more of its response, which ends with the bytes at hand.
  void leave(UpstreamRequest& request);

  const Cluster& cluster() const { return cluster_; }
  const PoolCounts& counts() const { return counts_; }
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
  void connected(UpstreamConnection& connection);
  void serve_next(UpstreamConnection& connection);
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
  std::vector<UpstreamConnection*> idle_;  // the last one was used last
};

/// One HTTP/1.1 connection to an endpoint: carries one request at a time.
class UpstreamConnection final : private world::TransportEvents,
                                 private wire::http1::ResponseParser::Events {
 public:
  UpstreamConnection(Upstream& upstream, UpstreamHost& host);
  ~UpstreamConnection() override;

  world::Transport& transport() { return *transport_; }
  /// Where to append the request's bytes.
  std::string& out() { return upstream_.cork_.to(*transport_); }
  /// Whether a 1xx response came before the final one.
  bool saw_interim() const { return parser_.saw_interim(); }
  std::size_t unsent() const { return transport_->unsent() + upstream_.cork_.held(*transport_); }
  /// The request's head is about to be written.
  void begin(bool head_request, bool upgrade) { parser_.expect(head_request, upgrade); }
  /// The request has left entirely; only then can the connection be used again.
  void set_request_sent() { request_sent_ = true; }
  /// Response bytes are kept back while the downstream is slow.
  void pause() { transport_->pause_reading(); }
  void resume() { transport_->resume_reading(); }
  /// The answer was 101: from now on the connection carries bytes.
  void set_tunnel() { tunnel_ = true; }
  /// The head that on_response_head was given.
  std::unique_ptr<wire::http1::ResponseHead> take_head() { return parser_.take_head(); }
  void lend(std::unique_ptr<wire::http1::ResponseHead> head) { parser_.lend(std::move(head)); }
  bool has_head() const { return has_head_; }
  world::Endpoint local() const { return transport_->local(); }

 private:
  friend class Upstream;
  friend class UpstreamHost;

  void on_connected() override;
  void on_data(std::string_view bytes) override;
  void on_end() override;
  void on_error(std::error_code error) override;
  void on_drained() override;
  void on_head(wire::http1::ResponseHead& head) override;
  void on_body(std::string_view bytes) override;
  void on_last_chunk() override { hand_over_body(); }
  void on_complete() override;

  void hand_over_body();
  void ended();
  void on_connect_timeout();
  void connect_failed(ResetReason reason, std::string_view transport);
  /// Ends the connection and tells its request.
  void fail(ResetReason reason);
  void close();
  void release();

  Upstream& upstream_;
  UpstreamHost& host_;
  std::unique_ptr<world::Transport> transport_;
  wire::http1::ResponseParser parser_;
  UpstreamRequest* request_ = nullptr;
  world::Timer connect_timer_;
  GatheredBody body_;      // of the present read
  std::size_t index_ = 0;  // among the host's connections
  bool connecting_ = true;
  bool request_sent_ = false;
  bool has_head_ = false;
  bool complete_ = false;  // the response has ended within the bytes being read
  bool tunnel_ = false;
  bool gone_ = false;
};

}  // namespace proxy
