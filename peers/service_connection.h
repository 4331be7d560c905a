#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "peers/service.h"
#include "world/timer.h"

namespace peers {

/// What the service keeps of a connection of any protocol.
class Service::AnyConnection : public world::TransportEvents {
 public:
  /// Ends it from outside. May destroy it.
  virtual void drop(bool reset) = 0;

  /// What it is secured by; null: it speaks plain text.
  const wire::tls::TlsTransport* secured() const {
    return tls != nullptr && tls->secured() ? tls : nullptr;
  }

  const wire::tls::TlsTransport* tls = nullptr;  ///< The transport, where TLS may be spoken on it.
  AnyConnection* previous = nullptr;
  AnyConnection* next = nullptr;
};

class Service::Connection final : public AnyConnection, private wire::http1::RequestParser::Events {
 public:
  Connection(Service& service, std::unique_ptr<world::Transport> transport, std::uint64_t number)
      : service_(service), transport_(std::move(transport)), number_(number) {
    transport_->set_events(*this);
    wait_for_request();
  }

  void on_data(std::string_view bytes) override;
  void on_end() override;
  void on_error(std::error_code error) override;
  void drop(bool reset) override;
  bool closed() const { return mode_ == Mode::Closed; }

 private:
  enum class Mode : std::uint8_t {
    Reading,    // requests
    Answering,  // an exchange is under way
    Socket,     // a WebSocket
    Ignoring,   // everything that comes
    Closed,
  };

  /// An answer that takes time.
  struct Exchange {
    Exchange(Connection& connection, std::shared_ptr<const ServiceScript> from,
             std::size_t position)
        : script(std::move(from)),
          index(position),
          timer(connection.service_.world_.timer(world::bind<&Connection::due>(&connection))) {}

    const Answer& answer() const { return script->answer(index); }

    std::shared_ptr<const ServiceScript> script;
    std::size_t index;
    std::string bytes;            // a composed answer
    std::size_t step = 0;         // of a raw one
    std::size_t extra_bytes = 0;  // that came after the request and were not awaited yet
    bool started = false;
    bool sent = false;
    world::Timer timer;
  };

  struct Entered;

  void on_head(wire::http1::RequestHead& head) override {
    head_seen_ = true;
    upgrade_ = head.framing == wire::http1::Framing::Tunnel;
  }
  void on_body(std::string_view bytes) override {
    if (upgrade_) {
      pending_.append(bytes);
    } else if (!begun_) {
      body_.append(bytes);
    }
  }
  void on_complete() override { complete_ = true; }

  bool takes_bytes() const {
    return exchange_ != nullptr && exchange_->script->prepared[exchange_->index].takes_bytes;
  }
  void read(std::string_view bytes);
  void read_pending();
  void head_read();
  void begin();
  void tell(const wire::http1::RequestHead& head);
  void due();
  void go_on();
  bool send_answer();
  void finish_exchange();
  void then(Answer::Then what);
  void next_request();
  void wait_for_request();
  void idle_too_long();
  void extra(std::string_view bytes);
  bool wants_websocket() const;
  void open_websocket();
  void websocket_over(ServiceObserver::ConnectionEvent event);
  void close(bool reset, ServiceObserver::ConnectionEvent event);
  void tell(ServiceObserver::ConnectionEvent event) {
    if (service_.options_.observer != nullptr) {
      service_.options_.observer->on_connection(number_, event);
    }
  }

  Service& service_;
  std::unique_ptr<world::Transport> transport_;
  std::uint64_t number_;
  std::uint64_t request_ = 0;  // number of the request that is read or answered
  wire::http1::RequestParser parser_;
  std::unique_ptr<wire::http1::RequestHead> head_;  // of that request, once it is read
  std::size_t answer_index_ = 0;
  bool check_ = false;                           // the request is a health check
  std::shared_ptr<const ServiceScript> script_;  // the one that answer_index_ belongs to
  std::unique_ptr<Exchange> exchange_;
  std::unique_ptr<WebSocketEnd> websocket_;
  std::unique_ptr<world::Timer> idle_timer_;
  std::string body_;
  std::string raw_;
  std::string pending_;  // came while another request is answered
  std::uint32_t depth_ = 0;
  Mode mode_ = Mode::Reading;
  bool lent_ = false;  // the parser has a head to fill
  bool head_seen_ = false;
  bool upgrade_ = false;   // what follows the request is not HTTP, unless the answer refuses
  bool complete_ = false;  // the request that is read or answered has ended
  bool begun_ = false;     // its answer has begun
  bool close_after_ = false;
  bool peer_ended_ = false;
};

/// While one of these is on the stack, the connection is not destroyed; when the last one goes, it
/// is if it was closed.
struct Service::Connection::Entered {
  explicit Entered(Connection& entered) : connection(entered) { ++connection.depth_; }
  ~Entered() {
    if (--connection.depth_ == 0 && connection.closed()) {
      connection.service_.remove(connection);
    }
  }
  Entered(const Entered&) = delete;
  Entered& operator=(const Entered&) = delete;

  Connection& connection;
};

}  // namespace peers
