#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "peers/client_connection.h"
#include "peers/request_spec.h"
#include "peers/resolver.h"
#include "peers/tls_seen.h"
#include "world/world.h"

namespace peers {

/// How a client spreads its requests over connections, for each host, port and protocol apart. A
/// connection of HTTP/2 carries as many requests at once as its peer takes, unless it is for one.
enum class ConnectionPolicy : std::uint8_t {
  One,       ///< One connection, kept alive; requests wait for the answer to the one before.
  New,       ///< A connection for each request, closed after the answer.
  Many,      ///< A request takes an idle connection (the last used first), or opens one.
  Pipeline,  ///< One connection; requests are written at once, answers come in order.
};

/// Up to where the body had come at an instant.
struct DataMark {
  world::TimePoint at{};
  std::size_t bytes = 0;
};

/// How one request ended. Views are valid during the call that hands it over.
struct RequestOutcome {
  std::uint64_t id = 0;  ///< Its number within the client, from 1.
  const PreparedRequest& request;
  world::TimePoint asked{};          ///< Handed to the client.
  world::TimePoint sent{};           ///< Written to a connection. Zero if it never was.
  world::TimePoint first_byte{};     ///< The answer's head was there. Zero if it never was.
  world::TimePoint ended{};          ///< The answer was complete, or the request failed.
  std::uint16_t status = 0;          ///< 0: no head was received.
  std::uint16_t interim_status = 0;  ///< The last 1xx that came before, or 0.
  /// As received; header_lines(head) takes it apart. Of HTTP/2 the same, as it would be written.
  std::string_view head{};
  std::string_view body{};  ///< Without its framing.
  /// Empty for a whole answer. Else one of: "name does not resolve: NAME", "connection refused",
  /// "no route to host", "connection timed out", "no local port is free", "connection reset before
  /// an answer", "connection reset in the middle of an answer", "closed before an answer", "closed
  /// in the middle of an answer", "TLS failed", "not an HTTP answer", "timed out waiting", "given
  /// up", "cancelled", "stream reset: CANCEL", "GOAWAY: NO_ERROR" (the peer never looked at it),
  /// "not a WebSocket".
  std::string_view failure{};
  std::uint64_t flow = 0;  ///< The connection in the trace, 0 if there was none.
  world::Endpoint local{};
  world::Endpoint remote{};
  TlsSeenPtr tls{};                          ///< Null: in plain text.
  std::int32_t stream = 0;                   ///< Of HTTP/2.
  std::span<const HeaderLine> trailers{};    ///< Of HTTP/2.
  std::span<const DataMark> data{};          ///< Of HTTP/2: when which part of the body came.
  std::span<const WebSocketFrame> frames{};  ///< Those that came, Close among them.

  bool ok() const { return failure.empty(); }
};

/// Hears how requests end. It may send more requests, but not destroy the client.
class ClientObserver {
 public:
  virtual void on_outcome(const RequestOutcome& outcome) = 0;

 protected:
  ~ClientObserver() = default;
};

struct ClientOptions {
  ConnectionPolicy policy = ConnectionPolicy::One;
  /// Without one, bodies are not kept.
  ClientObserver* observer = nullptr;
  /// What it speaks TLS with to the host of a request for https. Without it there are none of them.
  std::function<std::shared_ptr<const wire::tls::Context>(const RequestSpec&)> tls{};
};

struct ClientCounts {
  std::uint64_t sent = 0;      ///< Handed over by the user.
  std::uint64_t answered = 0;  ///< Whole answers, whatever their status.
  std::uint64_t failed = 0;
  std::size_t connections = 0;  ///< Open or being opened.
  std::uint64_t opened = 0;     ///< Connections ever opened.
  std::uint64_t waiting() const { return sent - answered - failed; }
};

/// An outside client: resolves names, keeps connections, sends requests, and says how each ended.
///
/// Every request has exactly one outcome while the client lives (TF-05); never inside the call that
/// hands the request over. Nothing is sent twice: the only second try is another address of the
/// name, when the connection to the one before could not be made. Requests that wait for a
/// connection which closes go on with a new one. A client that gives up on a request closes its
/// connection. Traces RequestSent, ResponseReceived and RequestFailed with the request's number.
class Client {
 public:
  explicit Client(world::World& world, const ClientOptions& options = {});
  ~Client();  ///< Closes all connections; what is unanswered has no outcome.
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Sends a request and returns its number. Preparing once is cheaper for many of a kind.
  std::uint64_t send(RequestSpec request);
  std::uint64_t send(std::shared_ptr<const PreparedRequest> request);

  /// Ends a request whose answer is still out: "given up". Its outcome is told inside this call.
  /// False if it had ended.
  bool give_up(std::uint64_t id);
  /// Closes connections that carry nothing.
  void close_idle();

  const ClientCounts& counts() const { return counts_; }
  Resolver& resolver() { return resolver_; }
  world::World& world() { return world_; }

 private:
  struct Request;
  struct Connection;
  struct Http2Link;
  class Http2Stream;
  struct Extra;
  struct Destination;
  struct Where;

  /// Requests in order, linked through themselves.
  struct RequestList {
    Request* first = nullptr;
    Request* last = nullptr;
    bool empty() const { return first == nullptr; }
    void push(Request& request);
    void remove(Request& request);
    Request& pop();
    RequestList take_all();
    std::size_t count() const;
  };

  std::shared_ptr<const PreparedRequest> with_key(const PreparedRequest& prepared);
  Destination& destination_of(const RequestSpec& spec);
  Request& new_request();
  void recycle(Request& request);

  /// Sends what waits, as far as the policy allows. Calls nobody.
  void pump(Destination& destination);
  Connection* choose(Destination& destination);
  Connection* choose_http2(Destination& destination);
  void link(Connection& connection, const world::Endpoint& remote);
  /// nullptr: the name must be resolved first.
  Connection* open(Destination& destination);
  void resolve(Destination& destination);
  void assign(Connection& connection, Request& request);
  void write(Connection& connection, Request& request);
  void discard(Connection& connection);

  void connected(Connection& connection);
  bool head_read(Connection& connection);
  void answered(Connection& connection);
  void over(Connection& connection, Ending ending);
  bool begin_websocket(Connection& connection, Request& request);
  void websocket_done(Connection& connection);
  void settle(Connection& connection);
  void http2_over(Connection& connection, Ending ending);
  void give_up(Request& request, std::string_view why);
  /// Ends `request`, which is in no list any more: traces, counts and tells the observer.
  void end(Request& request, std::string_view failure, const Where& where);
  void fail_all(RequestList& requests, std::string_view failure, const Where& where);

  world::World& world_;
  ClientOptions options_;
  ClientCounts counts_;
  Resolver resolver_;
  std::uint64_t next_id_ = 1;
  std::map<std::tuple<std::string, std::uint16_t, Protocol, bool>, std::unique_ptr<Destination>>
      destinations_;
  Destination* last_destination_ = nullptr;
  std::vector<std::unique_ptr<Request>> requests_;  // all there are, in use or free
  Request* free_requests_ = nullptr;
};

}  // namespace peers
