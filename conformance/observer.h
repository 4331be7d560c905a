#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "conformance/exchange.h"
#include "conformance/setting.h"
#include "conformance/staged_tls.h"
#include "conformance/target.h"
#include "peers/client.h"
#include "peers/service.h"
#include "world/trace.h"

namespace conformance {

/// Follows every request of a run from client to service and back, by the trace alone and what the
/// peers report, and keeps the last events for the timeline.
///
/// A service's connection leads to the gateway's connection before it, and so on to the client's:
/// one connection, or one stream of HTTP/2, carries one request at a time.
class Observer final : public world::TraceSink {
 public:
  Observer(Setting& setting, const StagedTls& tls) : setting_(setting), tls_(tls) {}

  /// A new exchange, of one request or of raw bytes; the observer owns it.
  Exchange& add_request();
  Exchange& add_raw();
  /// The request of that client and number is this exchange.
  void bind(world::HostId client, std::uint64_t id, Exchange& exchange);

  const std::vector<std::unique_ptr<Exchange>>& exchanges() const { return exchanges_; }
  /// How many requests have not ended.
  std::uint64_t open_requests() const { return open_requests_; }
  /// The first request that ended twice, or nullptr.
  const Exchange* ended_twice() const { return ended_twice_; }
  /// How many requests have reached a virtual service.
  std::int64_t reached(const std::string& service) const;

  /// That host is an instance of a gateway.
  void add_gateway(world::HostId host) { gateways_.insert(host); }

  /// A service has seen a request.
  void seen(const peers::SeenRequest& request, const std::string& endpoint,
            const std::string& service);
  /// What came on a WebSocket that a service had on that connection.
  void websocket(std::uint64_t flow, std::span<const peers::WebSocketFrame> frames);
  /// A client's request has ended.
  void ended(world::HostId client, const peers::RequestOutcome& outcome);

  /// The gateways are not ours: what becomes of requests is told by them, not by our own trace.
  /// `time_scale`: seconds of the scenario in one of theirs.
  void expect_reports(std::uint32_t time_scale) { scale_ = time_scale; }
  /// An instance of a gateway tells something of a connection. Requires: expect_reports().
  void reported(const GatewayReport& report, std::string_view gateway, std::uint64_t flow);
  /// Whether nothing more will be told of what has ended.
  bool all_told(const Exchange& exchange);

  /// The last events, oldest first.
  std::vector<TimelineEntry> timeline() const;

  /// From now on events are kept with the requests that they belong to, and changes among them;
  /// those within that time stay, kMostInWindow of them.
  /// `selects` says whether an event of a host, or a change of a thing that another one holds of
  /// it, is wanted; empty: all are.
  using Selects =
      std::function<bool(world::HostId who, const std::string& of, const std::string& by)>;
  void watch(world::TimePoint from, world::TimePoint to, Selects selects);
  /// Something that is no event has changed, now.
  void changed(const std::string& of, const std::string& by, const std::string& what);
  /// What came within the time, and what was left out of it.
  std::vector<TimelineEntry> within(std::uint64_t& left_out) const;

 private:
  void on_event(const world::TraceEvent& event) override;
  /// Learns from an event which request it belongs to, and what became of that.
  void follow(const world::TraceEvent& event);
  /// The client's connection behind one of the gateway's.
  std::uint64_t root_of(std::uint64_t flow) const;
  /// The exchange that a client's connection is busy with; null for none.
  Exchange* current(std::uint64_t client_flow);
  bool is_first_hop(std::uint64_t flow) const { return hop_before_.count(flow) == 0; }

  /// What a service saw, of whichever request it was.
  struct Arrived {
    std::uint64_t flow;
    ObservedRequest::Seen seen;
    bool has_frames = false;  // of a WebSocket, which has ended
  };
  Arrived arrived(const peers::SeenRequest& request, const std::string& endpoint,
                  const std::string& service) const;
  void attach(Exchange& exchange, Arrived arrived);

  /// A request on a client's connection.
  struct OnConnection {
    Exchange* exchange = nullptr;
    std::uint64_t flow = 0;  // with its stream
    std::string id;          // as services see it
  };
  void begun(const GatewayReport& report, std::uint64_t connection);
  /// What is told of a connection's TLS is of its requests, also of those that have ended.
  void told_of_tls(const GatewayReport& report, std::uint64_t connection);

  struct Kept {
    world::TimePoint at;
    world::TraceKind kind;
    world::HostId who;
    std::uint64_t flow, a, b;
    std::string text;
    std::string of{}, by{};  // of a change: the thing, and who holds it to be so
    std::string request{};   // its id
  };
  /// What a gateway knows of TLS of a client's connection.
  struct Shown {
    std::string subject;  ///< Of the client's certificate; empty: it showed none.
    std::string reason;   ///< Why it was given up; empty: it was not.
  };
  ObservedRequest::Tls observed_tls(const peers::TlsSeen& seen, std::uint64_t flow) const;

  static constexpr std::size_t kTimeline = 25;
  static constexpr std::size_t kMostInWindow = 10'000;

  /// The request whose event it is; null: none is known.
  const Exchange* request_of(const world::TraceEvent& event);
  void keep(Kept kept);
  TimelineEntry entry_of(const Kept& kept) const;

  Setting& setting_;
  const StagedTls& tls_;
  std::vector<std::unique_ptr<Exchange>> exchanges_;
  std::vector<Exchange*> raws_;
  std::set<world::HostId> gateways_;
  std::uint64_t arrivals_ = 0;
  std::uint64_t open_requests_ = 0;
  const Exchange* ended_twice_ = nullptr;
  std::map<std::string, std::int64_t> reached_;  // by virtual service
  std::map<std::pair<world::HostId, std::uint64_t>, Exchange*> by_request_;
  std::map<std::uint64_t, std::deque<Exchange*>> busy_;  // by the client's connection
  std::map<std::uint64_t, Exchange*> last_;              // the one that ended last on it
  std::map<std::uint64_t, std::uint64_t> hop_before_;    // upstream connection -> downstream
  std::map<std::uint64_t, std::uint64_t> balanced_;      // target's connection -> client's
  std::map<std::uint64_t, Shown> shown_;                 // by the client's connection
  std::uint32_t scale_ = 0;                              // 0: the gateways are ours
  // What is told of requests comes in their order on each connection.
  std::map<std::uint64_t, std::deque<OnConnection>> sent_on_;  // not told of yet
  std::map<std::uint64_t, std::deque<OnConnection>> open_on_;  // begun, not ended
  std::map<std::uint64_t, std::vector<Exchange*>> ended_on_;   // with what TLS was seen of them
  std::map<std::string, OnConnection> by_id_;                  // the last of that id
  std::map<std::string, std::vector<Arrived>> early_;          // came before it was told whose
  std::deque<Kept> recent_;
  bool watching_ = false;
  world::TimePoint from_{}, to_{};
  Selects selects_;
  std::vector<Kept> window_;
  std::uint64_t left_out_ = 0;
};

}  // namespace conformance
