#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <system_error>

#include "peers/response_reader.h"
#include "wire/tls/transport.h"
#include "world/world.h"

namespace peers {

class ClientConnection;

/// Why a connection is over.
enum class Ending : std::uint8_t {
  Refused,
  Unreachable,
  ConnectTimedOut,
  PortsExhausted,
  Fin,
  Reset,
  TimedOut,  ///< The peer stopped acknowledging.
  BadAnswer,
  TlsFailed,  ///< In the handshake, or an alert came later.
};

/// Of what a transport's error says, once it is connected.
Ending ending_of(std::error_code error);

/// What a client connection tells its owner. The owner may destroy the connection in any of these.
class ClientConnectionEvents {
 public:
  virtual void on_connected(ClientConnection&) {}
  /// A head has come, interim ones (1xx) included. False: its answer has no body (HEAD).
  virtual bool on_head(ClientConnection&) { return true; }
  virtual void on_body(ClientConnection&, std::string_view) {}
  /// Bytes after tunnel().
  virtual void on_tunnel(ClientConnection&, std::string_view) {}
  /// The oldest unanswered request has its whole answer.
  virtual void on_answer(ClientConnection&) = 0;
  /// Nothing more can be received. Requests that are not answered will not be.
  virtual void on_over(ClientConnection&, Ending) = 0;

 protected:
  ~ClientConnectionEvents() = default;
};

/// One HTTP/1.1 connection as a client has it: bytes of requests out, answers in, in order.
///
/// The lean base of Client, for use where a hundred thousand of them stand idle: it buffers nothing
/// between messages and knows nothing of the requests but how many are unanswered.
class ClientConnection final : private world::TransportEvents {
 public:
  ClientConnection(world::World& world, const world::Endpoint& remote,
                   ClientConnectionEvents& owner);
  /// The same over TLS. `sessions` outlives this.
  ClientConnection(world::World& world, const world::Endpoint& remote,
                   ClientConnectionEvents& owner, std::shared_ptr<const wire::tls::Context> context,
                   wire::tls::SessionStore& sessions);
  /// Closes. Tells nobody.
  ~ClientConnection() override;
  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;

  /// Writes a request, or its first part. Requires: not over.
  void send(std::string_view request) {
    ++unanswered_;
    transport_->write(request);
  }
  /// Writes a further part of the last request.
  void send_more(std::string_view bytes) { transport_->write(bytes); }
  /// What follows the head that on_head() is being told of is no HTTP.
  void tunnel() { tunnel_ = true; }
  world::Transport& transport() { return *transport_; }
  void close() { transport_->close(); }
  void reset() { transport_->reset(); }

  bool connected() const { return connected_; }
  bool over() const { return over_; }
  std::uint32_t unanswered() const { return unanswered_; }
  /// The answer that is being read, or the last one.
  const ResponseReader& answer() const { return reader_; }
  std::uint64_t flow() const { return transport_->flow(); }
  world::Endpoint local() const { return transport_->local(); }
  world::Endpoint remote() const { return transport_->remote(); }
  std::size_t unsent() const { return transport_->unsent(); }
  /// Null: in plain text.
  const wire::tls::TlsTransport* tls() const { return tls_; }

 private:
  void on_connected() override;
  void on_data(std::string_view bytes) override;
  void on_end() override;
  void on_error(std::error_code error) override;
  void finish(Ending ending);

  ClientConnectionEvents& owner_;
  bool* destroyed_ = nullptr;  // set while the owner is being told something
  std::uint32_t unanswered_ = 0;
  bool connected_ = false;
  bool over_ = false;
  bool tunnel_ = false;
  ResponseReader reader_;
  const wire::tls::TlsTransport* tls_ = nullptr;  // the transport, where it is one
  std::unique_ptr<world::Transport> transport_;
};

}  // namespace peers
