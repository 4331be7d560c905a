#include "wire/tls/transport.h"

#include <algorithm>
#include <array>
#include <utility>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "wire/tls/scope.h"

namespace wire::tls {
namespace {

constexpr std::size_t kRecordBytes = 16 * 1024;

/// A fatal alert, protocol_version, outside of any connection: what the real proxy says to bytes
/// that are no TLS. Source: ENV-TLS-01, -33.
constexpr std::string_view kNoTls("\x15\x03\x01\x00\x02\x02\x46", 7);
constexpr std::uint8_t kProtocolVersion = 70;

}  // namespace

TlsTransport::TlsTransport(world::World& world, std::shared_ptr<const Context> context,
                           std::unique_ptr<world::Transport> inner, SessionStore* sessions)
    : world_(world), context_(std::move(context)), inner_(std::move(inner)), sessions_(sessions) {
  const Scope scope(world);
  ssl_ = SSL_new(context_->handle());
  in_ = BIO_new(BIO_s_mem());
  out_ = BIO_new(BIO_s_mem());
  BIO_set_mem_eof_return(in_, -1);
  SSL_set_bio(ssl_, in_, out_);
  SSL_set_app_data(ssl_, this);
  const Settings& settings = context_->settings();
  if (settings.role == Role::Server) {
    SSL_set_accept_state(ssl_);
    if (sessions_ != nullptr && sessions_->owner_ != 0) keep_to_owner();
  } else {
    SSL_set_connect_state(ssl_);
    if (!settings.server_name.empty()) {
      SSL_set_tlsext_host_name(ssl_, settings.server_name.c_str());
    }
    if (sessions_ != nullptr && sessions_->newest != nullptr) {
      resume(*sessions_->newest);
      if (sessions_->newest->single_use()) sessions_->newest.reset();
    }
  }
  if (inner_ != nullptr) inner_->set_events(*this);
}

/// A server does not resume what another process has begun, be it of the same context.
void TlsTransport::keep_to_owner() {
  Context::SessionScope scope = context_->session_scope();
  for (std::size_t i = 0; i < sizeof sessions_->owner_; ++i) {
    scope[i] ^= static_cast<unsigned char>(sessions_->owner_ >> (8 * i));
  }
  SSL_set_session_id_context(ssl_, scope.data(), static_cast<unsigned int>(scope.size()));
}

std::unique_ptr<TlsTransport> TlsTransport::connect(world::World& world,
                                                    std::shared_ptr<const Context> context,
                                                    const world::Endpoint& remote,
                                                    world::TransportEvents& events,
                                                    SessionStore* sessions) {
  auto transport = std::make_unique<TlsTransport>(world, std::move(context), nullptr, sessions);
  transport->events_ = &events;
  transport->inner_ = world.connect(remote, *transport);
  return transport;
}

std::string TlsTransport::first_flight(world::World& world,
                                       std::shared_ptr<const Context> context) {
  TlsTransport transport(world, std::move(context), nullptr, nullptr);
  const Scope scope(world);
  SSL_do_handshake(transport.ssl_);
  ERR_clear_error();
  transport.state_ = State::Dead;
  const char* bytes = nullptr;
  const long size = BIO_get_mem_data(transport.out_, &bytes);
  return std::string(bytes, static_cast<std::size_t>(size));
}

TlsTransport::~TlsTransport() {
  if (gone_ != nullptr) *gone_ = true;
  close();
  SSL_free(ssl_);
}

void TlsTransport::begin(std::string_view first) {
  if (!first.empty()) feed(first);
}

void TlsTransport::resume(const Session& session) {
  // A copy: what is learned from the server about the session is this connection's own.
  SSL_SESSION* const copy = SSL_SESSION_dup(session.handle());
  SSL_set_session(ssl_, copy);
  SSL_SESSION_free(copy);
}

// --- From below ----------------------------------------------------------------------------------

void TlsTransport::on_connected() {
  const Scope scope(world_);
  shake();
}

void TlsTransport::on_data(std::string_view bytes) {
  feed(bytes);
}

void TlsTransport::on_end() {
  if (state_ == State::Shaking) {
    failure_ = std::make_unique<Failure>();
    failure_->cause = Failure::Cause::Transport;
    failure_->ended = true;
    die(make_error_code(world::TransportError::Reset));
  } else if (state_ == State::Open || state_ == State::Plain) {
    state_ = State::Ended;
    events_->on_end();
  }
}

void TlsTransport::on_error(std::error_code error) {
  if (state_ == State::Dead) return;
  if (state_ == State::Shaking && SSL_in_before(ssl_) == 0) {
    failure_ = std::make_unique<Failure>();
    failure_->cause = Failure::Cause::Transport;
  }
  state_ = State::Dead;
  events_->on_error(error);
}

void TlsTransport::on_drained() {
  if (state_ != State::Dead) events_->on_drained();
}

void TlsTransport::feed(std::string_view bytes) {
  if (state_ == State::Dead || state_ == State::Ended) return;
  constexpr char kHandshake = 22;
  if (!heard_ && context_->settings().takes_plain && bytes.front() != kHandshake) {
    state_ = State::Plain;
    if (!held_.empty()) inner_->write(std::exchange(held_, {}));
  }
  heard_ = true;
  if (state_ == State::Plain) {
    events_->on_data(bytes);
    return;
  }
  const Scope scope(world_);
  BIO_write(in_, bytes.data(), static_cast<int>(bytes.size()));
  if (state_ == State::Shaking) {
    shake();
  } else {
    read();
  }
}

void TlsTransport::shake() {
  const int done = SSL_do_handshake(ssl_);
  if (done != 1) {
    if (SSL_get_error(ssl_, done) == SSL_ERROR_WANT_READ) {
      flush();
    } else {
      fail(ERR_GET_REASON(ERR_peek_error()));
    }
    return;
  }
  flush();
  state_ = State::Open;
  secured_ = true;
  const X509* const peer = SSL_get0_peer_certificate(ssl_);
  world_.trace(world::TraceKind::Secured, flow(), static_cast<std::uint64_t>(SSL_version(ssl_)),
               resumed() ? 1 : 0, peer != nullptr ? subject_of(peer) : std::string());
  if (!held_.empty()) write(std::exchange(held_, {}));
  if (finish_held_) finish();
  bool gone = false;
  gone_ = &gone;
  events_->on_connected();
  if (gone) return;
  gone_ = nullptr;
  if (state_ == State::Open) read();
}

void TlsTransport::read() {
  std::array<char, kRecordBytes> bytes;
  while (state_ == State::Open && !paused_) {
    const int size = SSL_read(ssl_, bytes.data(), static_cast<int>(bytes.size()));
    if (size <= 0) {
      const int error = SSL_get_error(ssl_, size);
      flush();
      if (error == SSL_ERROR_WANT_READ) return;
      if (error == SSL_ERROR_ZERO_RETURN) {
        notified_ = true;
        state_ = State::Ended;
        events_->on_end();
      } else {
        fail(ERR_GET_REASON(ERR_peek_error()));
      }
      return;
    }
    bool gone = false;
    gone_ = &gone;
    events_->on_data({bytes.data(), static_cast<std::size_t>(size)});
    if (gone) return;
    gone_ = nullptr;
  }
}

void TlsTransport::read_again() {
  const Scope scope(world_);
  read();
}

void TlsTransport::flush() {
  const char* bytes = nullptr;
  const long size = BIO_get_mem_data(out_, &bytes);
  if (size <= 0) return;
  if (!finished_) inner_->write({bytes, static_cast<std::size_t>(size)});
  BIO_reset(out_);
}

void TlsTransport::fail(int reason) {
  ERR_clear_error();
  if (failure_ == nullptr) failure_ = std::make_unique<Failure>();
  name_reason(reason, *failure_);
  if (reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE) {
    failure_->cause = Failure::Cause::NoCertificate;
    failure_->detail = "peer did not provide required client certificate";
  }
  flush();
  if (reason == SSL_R_WRONG_VERSION_NUMBER && !alert_sent_ && context_->settings().answers_no_tls &&
      !finished_) {
    inner_->write(kNoTls);
    alert_sent_ = kProtocolVersion;
  }
  failure_->alert_sent = alert_sent_;
  failure_->alert_received = alert_received_;
  world_.trace(world::TraceKind::TlsFailed, flow(), alert_sent_.value_or(world::kNoAlert),
               alert_received_.value_or(world::kNoAlert), log_text(*failure_));
  // OpenSSL reads record by record from a socket: what it left there makes the close a reset. The
  // real proxy reads all there is.
  if (!context_->settings().answers_no_tls && BIO_ctrl_pending(in_) > 0) inner_->reset();
  die(std::make_error_code(std::errc::protocol_error));
}

void TlsTransport::die(std::error_code error) {
  state_ = State::Dead;
  inner_->close();
  events_->on_error(error);
}

// --- From above ----------------------------------------------------------------------------------

void TlsTransport::write(std::string_view bytes) {
  if (state_ == State::Dead || finished_) return;
  if (state_ == State::Shaking) {
    held_ += bytes;
    return;
  }
  if (!secured_) {  // in plain text
    inner_->write(bytes);
    return;
  }
  const Scope scope(world_);
  while (!bytes.empty()) {
    const int size = SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()));
    if (size <= 0) {
      ERR_clear_error();
      break;
    }
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
  flush();
}

void TlsTransport::say_goodbye() {
  if (!secured_ || finished_) return;
  const Scope scope(world_);
  SSL_shutdown(ssl_);
  ERR_clear_error();
  flush();
}

void TlsTransport::finish() {
  if (state_ == State::Dead || finished_) return;
  if (state_ == State::Shaking) {
    finish_held_ = true;
    return;
  }
  say_goodbye();
  finished_ = true;
  inner_->finish();
}

void TlsTransport::close() {
  if (state_ == State::Dead) return;
  say_goodbye();
  state_ = State::Dead;
  if (inner_ != nullptr) inner_->close();
}

void TlsTransport::reset() {
  if (state_ == State::Dead) return;
  state_ = State::Dead;
  inner_->reset();
}

void TlsTransport::pause_reading() {
  paused_ = true;
  inner_->pause_reading();
}

void TlsTransport::resume_reading() {
  if (!std::exchange(paused_, false)) return;
  inner_->resume_reading();
  if (state_ != State::Open || (SSL_has_pending(ssl_) == 0 && BIO_ctrl_pending(in_) == 0)) return;
  if (!reader_) {
    reader_.emplace(world_.loop(), world_.id(), world::bind<&TlsTransport::read_again>(this));
  }
  reader_->start_after({});
}

std::size_t TlsTransport::unsent() const {
  return inner_->unsent();
}

world::Endpoint TlsTransport::local() const {
  return inner_->local();
}

world::Endpoint TlsTransport::remote() const {
  return inner_->remote();
}

std::uint64_t TlsTransport::flow() const {
  return inner_->flow();
}

// --- What was agreed on --------------------------------------------------------------------------

Agreed TlsTransport::agreed() const {
  Agreed agreed;
  constexpr std::array<std::pair<int, Version>, 4> kVersions = {{{TLS1_VERSION, Version::Tls10},
                                                                 {TLS1_1_VERSION, Version::Tls11},
                                                                 {TLS1_2_VERSION, Version::Tls12},
                                                                 {TLS1_3_VERSION, Version::Tls13}}};
  for (const auto& [number, version] : kVersions) {
    if (SSL_version(ssl_) == number) agreed.version = version;
  }
  const unsigned char* alpn = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(ssl_, &alpn, &size);
  agreed.alpn.assign(reinterpret_cast<const char*>(alpn), size);
  agreed.cipher = SSL_get_cipher_name(ssl_);
  agreed.server_name = server_name();
  agreed.resumed = resumed();
  if (const X509* const peer = SSL_get0_peer_certificate(ssl_)) {
    agreed.peer = subject_of(peer);
    agreed.peer_names = names_of(peer);
  }
  return agreed;
}

std::string TlsTransport::server_name() const {
  const char* const name = SSL_get_servername(ssl_, TLSEXT_NAMETYPE_host_name);
  return name != nullptr ? name : "";
}

bool TlsTransport::resumed() const {
  return SSL_session_reused(ssl_) == 1;
}

bool TlsTransport::knows_peer() const {
  return SSL_get0_peer_certificate(ssl_) != nullptr;
}

bool TlsTransport::offers_secure_renegotiation() const {
  return SSL_get_secure_renegotiation_support(ssl_) == 1;
}

void TlsTransport::notify() {
  say_goodbye();
}

bool TlsTransport::refused_renegotiation() const {
  return alert_received_ == SSL_AD_NO_RENEGOTIATION;
}

void TlsTransport::renegotiate() {
  const Scope scope(world_);
  SSL_renegotiate(ssl_);
  SSL_do_handshake(ssl_);
  ERR_clear_error();
  flush();
}

}  // namespace wire::tls
