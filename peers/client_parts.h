#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "peers/client.h"
#include "wire/http2/session.h"

namespace peers {

std::string_view failure_text(Ending ending, bool in_answer);

/// The connection a request was on, as far as its outcome tells.
struct Client::Where {
  std::uint64_t flow = 0;
  world::Endpoint local{};
  world::Endpoint remote{};
  std::int32_t stream = 0;
  TlsSeenPtr tls{};
};

/// What only requests of HTTP/2 and WebSockets have.
struct Client::Extra {
  HeaderLines trailers;
  std::vector<DataMark> data;
  std::vector<WebSocketFrame> frames;
  std::string failure;                          // why the stream ended without an answer
  std::unique_ptr<wire::http2::Stream> stream;  // goes before its session
  std::int32_t stream_id = 0;
};

struct Client::Request {
  explicit Request(Client& owner)
      : client(owner), timer(owner.world_.timer(world::bind<&Request::expired>(this))) {}

  void expired() {
    const RequestSpec& spec = prepared->spec;
    const bool cancelled =
        spec.cancel_after && (!spec.timeout || *spec.cancel_after <= *spec.timeout);
    client.give_up(*this, cancelled ? "cancelled" : "timed out waiting");
  }

  Client& client;
  Request* previous = nullptr;
  Request* next = nullptr;  // in a list, or among the free ones
  Destination* destination = nullptr;
  Connection* connection = nullptr;  // none while it waits for one
  std::shared_ptr<const PreparedRequest> prepared;
  std::uint64_t id = 0;  // 0: free
  std::uint16_t status = 0;
  std::uint16_t interim_status = 0;
  bool body_held_back = false;  // until "100 Continue"
  world::TimePoint asked{};
  world::TimePoint sent{};
  world::TimePoint first_byte{};
  std::string head;
  std::string body;
  std::unique_ptr<Extra> extra;
  world::Timer timer;
};

/// A connection of HTTP/2 below Client::Connection.
struct Client::Http2Link final : private world::TransportEvents,
                                 private wire::http2::SessionEvents {
  Http2Link(Connection& owner, const world::Endpoint& remote);
  std::unique_ptr<world::Transport> open(const world::Endpoint& remote);
  ~Http2Link() override;
  Http2Link(const Http2Link&) = delete;
  Http2Link& operator=(const Http2Link&) = delete;

  /// Sends a request on a new stream.
  void begin(Request& request);
  bool takes_streams() const { return !going_away && session.takes_requests(); }
  bool takes_more(std::size_t streams) const {
    return takes_streams() && streams < session.peer_max_streams();
  }
  void flush();
  /// Why the stream was ended, as its outcome says it.
  std::string failure_of(std::int32_t stream, const wire::http2::StreamEnd& end) const;

  void on_connected() override;
  void on_data(std::string_view bytes) override;
  void on_end() override;
  void on_error(std::error_code error) override;
  wire::http2::Stream& on_stream() override;
  void on_output() override { flush(); }
  void on_goaway(std::int32_t last_stream, wire::http2::ErrorCode code) override;

  Connection& connection;
  bool connected = false;
  bool going_away = false;
  bool over = false;
  std::int32_t last_taken = 0;  // stream that the peer's GOAWAY names
  wire::http2::ErrorCode goaway_code = wire::http2::ErrorCode::NoError;
  RequestList ended;  // whose outcome is decided and not told yet
  bool* destroyed = nullptr;
  wire::http2::Session session;
  std::string out;
  const wire::tls::TlsTransport* tls = nullptr;  // the transport, where it is one
  std::unique_ptr<world::Transport> transport;
};

struct Client::Connection final : ClientConnectionEvents {
  Connection(Client& owner, Destination& to) : client(owner), destination(to) {}

  void on_connected(ClientConnection&) override { client.connected(*this); }
  bool on_head(ClientConnection&) override { return client.head_read(*this); }
  void on_body(ClientConnection&, std::string_view bytes) override {
    if (client.options_.observer != nullptr && !requests.empty()) {
      requests.first->body.append(bytes);
    }
  }
  void on_tunnel(ClientConnection&, std::string_view bytes) override { websocket->on_data(bytes); }
  void on_answer(ClientConnection&) override { client.answered(*this); }
  void on_over(ClientConnection&, Ending ending) override { client.over(*this, ending); }

  Where where() const {
    if (link) return {link->flow(), link->local(), link->remote(), 0, seen_of(link->tls())};
    return {http2->transport->flow(), http2->transport->local(), http2->transport->remote(), 0,
            seen_of(http2->tls)};
  }
  bool connected() const { return link ? link->connected() : http2->connected; }

  Client& client;
  Destination& destination;
  Connection* previous = nullptr;  // among all of the destination, or among its idle ones
  Connection* next = nullptr;
  RequestList requests;  // in order of sending; written once it is connected
  std::uint32_t address_index = 0;
  bool idle = false;
  bool last_answer = false;  // the answer that is being read is the last one
  bool for_websocket = false;
  std::size_t streams = 0;  // of HTTP/2: requests that have one or wait for the handshake
  std::optional<ClientConnection> link;  // or:
  std::unique_ptr<Http2Link> http2;
  std::unique_ptr<WebSocketEnd> websocket;  // on `link`, once it was accepted
};

struct Client::Destination {
  /// Connections, linked through themselves. Each is in one of the two lists.
  struct List {
    Connection* first = nullptr;
    void push(Connection& connection) {
      connection.previous = nullptr;
      connection.next = first;
      if (first != nullptr) first->previous = &connection;
      first = &connection;
    }
    void remove(Connection& connection) {
      (connection.previous != nullptr ? connection.previous->next : first) = connection.next;
      if (connection.next != nullptr) connection.next->previous = connection.previous;
    }
  };

  std::string host;
  std::uint16_t port = 0;
  Protocol protocol = Protocol::Http1;
  std::shared_ptr<const wire::tls::Context> tls;  // null: in plain text
  wire::tls::SessionStore sessions;
  bool resolving = false;
  bool resolved_now = false;  // `addresses` is an answer of this instant, whatever its time to live
  std::vector<std::uint32_t> addresses;
  RequestList waiting;
  List busy;  // or being opened; the last one first
  List idle;  // the last used one first
};

}  // namespace peers
