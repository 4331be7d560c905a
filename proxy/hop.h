#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/container/small_vector.hpp>

#include "proxy/access_log.h"
#include "proxy/cork.h"
#include "proxy/counts.h"
#include "proxy/origin.h"
#include "proxy/plan.h"
#include "proxy/upstream.h"
#include "wire/message.h"
#include "world/world.h"

namespace proxy {

class Downstream;
class TlsSide;
class RefusedConnection;
class Stream;
enum class DrainMode : std::uint8_t;

/// One connection manager at run time: a listener, its routes and its clusters.
///
/// A virtual gateway is two of them, one behind the other. Source: ENV-HTTP-01, CD-01.
class Hop final : private world::AcceptEvents {
 public:
  /// `secrets` null: there are none.
  Hop(world::World& world, const HopPlan& plan, Secrets* secrets = nullptr);
  ~Hop() override;
  Hop(const Hop&) = delete;
  Hop& operator=(const Hop&) = delete;

  /// Opens the listener; connections are accepted once every cluster has had its first answer.
  /// Where `held` is given the listener does not open by itself: `held` is called then, and open()
  /// opens it. Errors: the port is taken; the access log's format or path cannot be used.
  world::Result<bool> start(world::Action held = {});
  void open();

  /// Where requests of that authority go by default; nullptr for what no route can do.
  Upstream& upstream(std::size_t cluster) { return *upstreams_[cluster]; }
  const Upstream& upstream(std::size_t cluster) const { return *upstreams_[cluster]; }

  std::uint64_t downstream_connections() const { return connections_.size(); }
  std::uint64_t active_requests() const { return active_requests_; }
  std::uint64_t requests_total() const { return requests_total_; }
  ListenerCounts counts() const;
  TlsCounts tls_counts() const;

  /// Whether every cluster has had its first answer.
  bool ready() const { return clusters_awaited_ == 0; }
  void drain(DrainMode mode, Duration over);
  void set_failing(bool failing);

  const HopPlan& plan() const { return plan_; }
  world::World& world() { return world_; }
  Cork& cork() { return cork_; }

 private:
  friend class Downstream;
  friend class Http1Downstream;
  friend class Http2Downstream;
  friend class ProxyHeaderReader;
  friend class Stream;
  friend class TlsAcceptor;

  void on_accept(std::unique_ptr<world::Transport> transport) override;
  void on_cluster_ready();
  world::Result<bool> open_listener();

  std::unique_ptr<Stream> take_stream();
  void give_back(std::unique_ptr<Stream> stream);
  std::unique_ptr<wire::RequestHead> take_request_head();
  void give_back(std::unique_ptr<wire::RequestHead> head);
  std::unique_ptr<wire::ResponseHead> take_response_head();
  void give_back(std::unique_ptr<wire::ResponseHead> head);
  void add(std::unique_ptr<Downstream> connection);
  void lose(Downstream& connection);
  /// A connection is there, past what comes before HTTP and TLS: `bytes` are the first of it.
  void admit(std::unique_ptr<world::Transport> transport, OriginPtr origin, std::string_view bytes);
  /// A connection begins to speak HTTP: `bytes` are the first of it, if any were read.
  void speak_http(std::unique_ptr<world::Transport> transport, OriginPtr origin,
                  std::string_view bytes);
  /// A connection turned out to be HTTP/2: `bytes` are the first of it.
  void speak_http2(std::unique_ptr<world::Transport> transport, OriginPtr origin,
                   std::string_view bytes);
  void bury();
  void end_drain();

  /// Whether an answer that is about to be written is to be its connection's last, because the
  /// gateway drains. Source: ENV-LIFE-07, -08.
  bool drain_closes() { return draining_ && draw_drain(); }
  bool draw_drain();

  /// The value of the date header at this instant.
  std::string_view date();
  /// A random UUID (version 4) with the trace decision in its 15th character.
  /// Valid until the next call.
  std::string_view new_request_id(char decision);
  std::size_t pick_cluster(const Route& route);
  /// The stream of random numbers of that name, which `kept` holds from then on.
  world::Random& random(std::optional<world::Random>& kept, const char* name) {
    if (!kept) kept = world_.random(plan_.name + name);
    return *kept;
  }
  std::uint64_t draw_backoff(std::uint64_t most) {
    return random(backoff_, "/back-off").below(most);
  }
  void log(const LogEntry& entry, std::uint64_t flow);
  void log_connection(const Downstream& connection);
  TlsSide* tls() { return tls_.get(); }

  world::World& world_;
  const HopPlan& plan_;
  Cork cork_;
  // Made when they are first drawn from.
  std::optional<world::Random> request_ids_;
  std::optional<world::Random> weights_;
  std::optional<world::Random> backoff_;
  std::optional<world::Random> drains_;
  std::optional<LogFormat> log_format_;
  std::optional<LogFormat> connection_log_format_;
  std::unique_ptr<TlsSide> tls_;
  std::string line_;
  boost::container::small_vector<std::unique_ptr<Upstream>, 1> upstreams_;
  world::Action held_{};
  std::size_t clusters_awaited_ = 1;  // one stands for start()
  std::unique_ptr<world::Listener> listener_;
  boost::container::small_vector<std::unique_ptr<Downstream>, 1> connections_;
  std::vector<std::unique_ptr<Downstream>> graveyard_;
  std::vector<std::unique_ptr<RefusedConnection>> refused_;
  world::Timer burial_;
  std::unique_ptr<Stream> spare_stream_;  // taken first; often the only one
  std::vector<std::unique_ptr<Stream>> spare_streams_;
  std::vector<std::unique_ptr<wire::RequestHead>> spare_request_heads_;
  std::vector<std::unique_ptr<wire::ResponseHead>> spare_response_heads_;
  std::array<char, 36> request_id_ = {'0', '0', '0', '0', '0', '0', '0', '0', '-', '0', '0', '0',
                                      '0', '-', '0', '0', '0', '0', '-', '0', '0', '0', '0', '-',
                                      '0', '0', '0', '0', '0', '0', '0', '0', '0', '0', '0', '0'};
  std::int64_t date_second_ = -1;
  std::array<char, 29> date_{};
  std::optional<world::Timer> drain_timer_;  // until the listener closes
  std::optional<world::TimePoint> drain_begun_;
  Duration drain_over_{};
  bool draining_ = false;  // answers may have to close
  bool failing_ = false;
  ListenerCounts counts_;
  std::uint64_t active_requests_ = 0;
  std::uint64_t requests_total_ = 0;
};

}  // namespace proxy
