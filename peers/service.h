#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "peers/request_spec.h"
#include "peers/service_script.h"
#include "wire/http1/parser.h"
#include "wire/tls/transport.h"
#include "world/result.h"
#include "world/world.h"

namespace peers {

/// A request as a service saw it. Views are valid during the call that hands it over.
struct SeenRequest {
  std::uint64_t id = 0;          ///< Its number within the service, from 1.
  bool check = false;            ///< It is a health check.
  std::uint64_t connection = 0;  ///< The connection's number within the service, from 1.
  world::TimePoint at{};
  const wire::http1::RequestHead& head;
  std::string_view body{};  ///< Without framing; empty when the answer is triggered by the head.
  /// Every byte of it as received, if the options ask for it. Only the head if that triggers.
  std::string_view raw{};
  std::uint64_t flow = 0;
  world::Endpoint local{};
  world::Endpoint remote{};
  Protocol protocol = Protocol::Http1;
  std::int32_t stream = 0;                       ///< Of HTTP/2.
  std::span<const HeaderLine> trailers{};        ///< Of HTTP/2.
  const wire::tls::TlsTransport* tls = nullptr;  ///< Null: in plain text.
};

/// Hears what a service sees. It may change the service's behaviour, but not destroy it.
class ServiceObserver {
 public:
  enum class ConnectionEvent : std::uint8_t {
    Accepted,
    End,         ///< The peer's FIN.
    Reset,       ///< By the peer, or it stopped acknowledging.
    BadRequest,  ///< The bytes are not HTTP; what answers that was sent and the connection closed.
    Closed,      ///< By us.
  };
  virtual void on_request(const SeenRequest&) {}
  virtual void on_connection(std::uint64_t /*connection*/, ConnectionEvent) {}
  /// Bytes that belong to no request: in a tunnel, or after an answer that hangs.
  virtual void on_bytes(std::uint64_t /*connection*/, std::string_view) {}
  /// A WebSocket that a request opened has ended; these are the frames that came on it.
  virtual void on_websocket(std::uint64_t /*flow*/, std::span<const WebSocketFrame>) {}

 protected:
  ~ServiceObserver() = default;
};

struct ServiceOptions {
  std::string service{};   ///< For the echo: "books.shop.local".
  std::string endpoint{};  ///< For the echo: "books-1".
  std::uint16_t port = 8080;
  Protocol protocol = Protocol::Http1;
  std::shared_ptr<const ServiceScript> script{};  ///< Null: the echo answers everything.
  ServiceObserver* observer = nullptr;
  bool keep_raw = false;  ///< Fill SeenRequest::raw.
  /// What the next connection is spoken to with over TLS; null: it is closed at once. Without this
  /// all are in plain text.
  std::function<std::shared_ptr<const wire::tls::Context>()> tls{};
};

struct ServiceCounts {
  std::uint64_t connections = 0;  ///< Open now.
  std::uint64_t accepted = 0;     ///< Ever.
  std::uint64_t requests = 0;     ///< Without health checks.
  std::uint64_t checks = 0;       ///< Health checks.
  std::uint64_t answers = 0;      ///< To either.
};

/// An endpoint of a service: listens on one port and answers HTTP/1.1 or HTTP/2 by a script.
///
/// Requests of one connection of HTTP/1.1 are answered one after another, in order; those of HTTP/2
/// at once. Its default answer is 200
/// with what it saw as JSON: {"service", "endpoint", "method", "path", "host", "headers": [[name,
/// value], ...], "body"}, and "trailers" where some came. A body that is not UTF-8 stands as
/// {"hex": ...}. A fixed answer is composed once. Traces RequestSeen and ResponseSent with the
/// request's number.
class Service final : private world::AcceptEvents {
 public:
  Service(world::World& world, ServiceOptions options);
  ~Service() override;  ///< Closes all connections.
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  /// Listens. Errors: the port is taken.
  world::Result<bool> start();
  /// Refuses new connections; those that are open go on. start() listens again.
  void stop() { listener_.reset(); }
  bool listening() const { return listener_ != nullptr; }
  /// Closes or resets every open connection.
  void drop_connections(bool reset);

  /// For requests seen from now on. Answers that are being waited for stay as they are.
  void set_script(std::shared_ptr<const ServiceScript> script);
  void set_behaviour(Behaviour behaviour) { set_script(prepare(std::move(behaviour))); }

  const ServiceCounts& counts() const { return counts_; }
  const ServiceOptions& options() const { return options_; }
  const std::shared_ptr<const ServiceScript>& script() const { return script_; }
  const Behaviour& behaviour() const { return script_->behaviour; }
  world::World& world() { return world_; }

 private:
  class AnyConnection;
  class Connection;
  class Http2Connection;

  /// Which answer of the script a request gets.
  struct Choice {
    std::size_t answer = 0;
    bool check = false;
    std::uint64_t number = 0;  ///< Of the request.
  };
  Choice choose(const wire::RequestHead& head);
  void on_accept(std::unique_ptr<world::Transport> transport) override;
  void remove(AnyConnection& connection);
  std::unique_ptr<wire::http1::RequestHead> take_spare_head();
  void give_spare_head(std::unique_ptr<wire::http1::RequestHead> head);

  world::World& world_;
  ServiceOptions options_;
  ServiceCounts counts_;
  std::shared_ptr<const ServiceScript> script_;  // shared with answers that are under way
  std::size_t script_position_ = 0;
  std::size_t check_position_ = 0;
  std::size_t connect_position_ = 0;
  std::vector<std::unique_ptr<wire::http1::RequestHead>> spare_heads_;
  std::string scratch_;
  std::unique_ptr<world::Listener> listener_;
  wire::tls::SessionStore sessions_;
  AnyConnection* first_ = nullptr;  // in order of accepting
  AnyConnection* last_ = nullptr;
};

}  // namespace peers
