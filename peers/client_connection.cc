#include "peers/client_connection.h"

namespace peers {

Ending ending_of(std::error_code error) {
  if (error == std::errc::protocol_error) return Ending::TlsFailed;
  switch (static_cast<world::TransportError>(error.value())) {
    case world::TransportError::Refused:
      return Ending::Refused;
    case world::TransportError::TimedOut:
      return Ending::TimedOut;
    case world::TransportError::PortsExhausted:
      return Ending::PortsExhausted;
    case world::TransportError::Unreachable:
      return Ending::Unreachable;
    case world::TransportError::Reset:
      break;
  }
  return Ending::Reset;
}

ClientConnection::ClientConnection(world::World& world, const world::Endpoint& remote,
                                   ClientConnectionEvents& owner)
    : owner_(owner), transport_(world.connect(remote, *this)) {}

ClientConnection::ClientConnection(world::World& world, const world::Endpoint& remote,
                                   ClientConnectionEvents& owner,
                                   std::shared_ptr<const wire::tls::Context> context,
                                   wire::tls::SessionStore& sessions)
    : owner_(owner) {
  auto transport =
      wire::tls::TlsTransport::connect(world, std::move(context), remote, *this, &sessions);
  tls_ = transport.get();
  transport_ = std::move(transport);
}

ClientConnection::~ClientConnection() {
  if (destroyed_ != nullptr) *destroyed_ = true;
}

void ClientConnection::on_connected() {
  connected_ = true;
  owner_.on_connected(*this);
}

void ClientConnection::on_data(std::string_view bytes) {
  if (tunnel_) {
    owner_.on_tunnel(*this, bytes);
    return;
  }
  bool destroyed = false;
  destroyed_ = &destroyed;
  while (true) {
    switch (reader_.next(bytes)) {
      case ResponseReader::Found::NeedMore:
        destroyed_ = nullptr;
        return;
      case ResponseReader::Found::Head: {
        const bool has_body = owner_.on_head(*this);
        if (destroyed) return;
        if (tunnel_) {
          destroyed_ = nullptr;
          if (!bytes.empty()) owner_.on_tunnel(*this, bytes);
          return;
        }
        if (!has_body) reader_.skip_body();
        break;
      }
      case ResponseReader::Found::Body:
        owner_.on_body(*this, reader_.piece());
        break;
      case ResponseReader::Found::Complete:
        if (unanswered_ > 0) --unanswered_;
        owner_.on_answer(*this);
        break;
      case ResponseReader::Found::Bad:
        destroyed_ = nullptr;
        finish(Ending::BadAnswer);
        return;
    }
    if (destroyed) return;
    if (over_) break;
  }
  destroyed_ = nullptr;
}

void ClientConnection::on_end() {
  if (over_) return;
  if (reader_.end() && unanswered_ > 0) {
    // The answer that lasts until the connection's end is whole now.
    bool destroyed = false;
    destroyed_ = &destroyed;
    --unanswered_;
    owner_.on_answer(*this);
    if (destroyed) return;
    destroyed_ = nullptr;
  }
  finish(Ending::Fin);
}

void ClientConnection::on_error(std::error_code error) {
  const Ending ending = ending_of(error);
  finish(ending == Ending::TimedOut && !connected_ ? Ending::ConnectTimedOut : ending);
}

void ClientConnection::finish(Ending ending) {
  if (over_) return;
  over_ = true;
  owner_.on_over(*this, ending);
}

}  // namespace peers
