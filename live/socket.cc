#include "live/socket.h"

#include <cerrno>
#include <chrono>
#include <utility>

#include <netinet/tcp.h>
#include <sys/socket.h>

namespace live {
namespace {

using namespace std::chrono_literals;
using world::TransportError;

/// How long the rest of what was written before a close may take to be sent.
constexpr world::Duration kLinger = 30s;

TransportError meaning(int error) {
  switch (error) {
    case ECONNREFUSED:
      return TransportError::Refused;
    case ETIMEDOUT:
      return TransportError::TimedOut;
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE:
      return TransportError::Reset;
    case EADDRNOTAVAIL:
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      return TransportError::PortsExhausted;
    default:
      return TransportError::Unreachable;
  }
}

/// Without it, an answer that follows another on one connection waits for an acknowledgement.
void send_at_once(TcpSocket& socket) {
  boost::system::error_code ignored;
  socket.set_option(boost::asio::ip::tcp::no_delay(true), ignored);
}

}  // namespace

/// What a user holds. Destroying it closes.
class Socket::Handle final : public world::Transport {
 public:
  explicit Handle(Ptr socket) : socket_(std::move(socket)) {}
  ~Handle() override { socket_->close(); }

  void write(std::string_view bytes) override { socket_->write(bytes); }
  void finish() override { socket_->finish(); }
  void close() override { socket_->close(); }
  void reset() override { socket_->reset(); }
  void pause_reading() override { socket_->pause(); }
  void resume_reading() override { socket_->resume(); }
  std::size_t unsent() const override { return socket_->unsent_.size(); }
  world::Endpoint local() const override { return socket_->local_; }
  world::Endpoint remote() const override { return socket_->remote_; }
  std::uint64_t flow() const override { return socket_->flow_; }
  void set_events(world::TransportEvents& events) override { socket_->events_ = &events; }

 private:
  Ptr socket_;
};

Socket::Socket(Runtime& runtime)
    : Task([](Task& task) { static_cast<Socket&>(task).happen(); }),
      runtime_(runtime),
      socket_(runtime.io().get_executor()),
      flow_(runtime.next_flow()) {
  runtime_.count_socket(1);
}

Socket::~Socket() {
  drop();
  runtime_.count_socket(-1);
}

// --- Beginning -----------------------------------------------------------------------------

std::unique_ptr<world::Transport> Socket::connect(Runtime& runtime, std::uint32_t from,
                                                  const world::Endpoint& remote,
                                                  world::TransportEvents& events) {
  const Ptr socket(new Socket(runtime));
  socket->remote_ = remote;
  socket->events_ = &events;
  socket->start_connect(from);
  return std::make_unique<Handle>(socket);
}

void Socket::start_connect(std::uint32_t from) {
  connecting_ = true;
  boost::system::error_code error;
  socket_.open(boost::asio::ip::tcp::v4(), error);
  if (!error && from != 0) {
    socket_.bind(to_asio({from, 0}), error);
    learn_local();
  }
  if (error) {
    break_later(error.value());
    return;
  }
  send_at_once(socket_);
  socket_.async_connect(to_asio(remote_),
                        [self = Ptr(this)](const boost::system::error_code& result) {
                          if (result != boost::asio::error::operation_aborted) {
                            self->connect_done(result);
                          }
                        });
}

void Socket::connect_done(const boost::system::error_code& error) {
  if (closed_) return;
  if (error) {
    break_later(error.value());
    return;
  }
  connected_due_ = true;
  runtime_.arrive(*this);
}

std::unique_ptr<world::Transport> Socket::accepted(Runtime& runtime, int descriptor,
                                                   const world::Endpoint& remote) {
  const Ptr socket(new Socket(runtime));
  boost::system::error_code error;
  socket->remote_ = remote;
  socket->socket_.assign(boost::asio::ip::tcp::v4(), descriptor, error);
  if (error) {
    ::close(descriptor);
    socket->break_later(error.value());
  } else {
    send_at_once(socket->socket_);
    socket->learn_local();
    socket->fresh_ = true;
    socket->await_readable();
  }
  return std::make_unique<Handle>(socket);
}

void Socket::learn_local() {
  boost::system::error_code error;
  const auto endpoint = socket_.local_endpoint(error);
  if (!error) local_ = from_asio(endpoint);
}

// --- What users do -------------------------------------------------------------------------

void Socket::write(std::string_view bytes) {
  if (closed_ || finishing_ || broken_ != 0 || !socket_.is_open()) return;
  if (connecting_ || !unsent_.empty()) {
    unsent_.append(bytes);
    return;
  }
  const ssize_t sent =
      ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0 && errno != EAGAIN && errno != EINTR) {
    break_later(errno);
    return;
  }
  if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
  if (bytes.empty()) return;
  unsent_.append(bytes);
  await_writable();
}

void Socket::finish() {
  if (closed_ || std::exchange(finishing_, true)) return;
  if (!connecting_ && unsent_.empty()) shut_writing();
}

void Socket::shut_writing() {
  if (!socket_.is_open()) return;
  boost::system::error_code ignored;  // the peer has gone: reading says so
  socket_.shutdown(TcpSocket::shutdown_send, ignored);
}

void Socket::close() {
  if (std::exchange(closed_, true)) return;
  events_ = nullptr;
  cancel();
  if (connecting_ || broken_ != 0 || unsent_.empty()) {
    drop();
    return;
  }
  runtime_.loop().schedule_after(*this, kLinger);
}

void Socket::reset() {
  if (std::exchange(closed_, true)) return;
  events_ = nullptr;
  cancel();
  abort();
}

void Socket::abort() {
  boost::system::error_code ignored;
  if (socket_.is_open()) socket_.set_option(TcpSocket::linger(true, 0), ignored);
  drop();
}

/// Gives the descriptor back. What waited for it is told so by Asio, and lets go of this.
void Socket::drop() {
  boost::system::error_code ignored;
  if (socket_.is_open()) socket_.close(ignored);
  unsent_.clear();
}

void Socket::pause() {
  paused_ = true;
  await_error();
}

void Socket::resume() {
  if (!std::exchange(paused_, false) || closed_ || connecting_ || !socket_.is_open()) return;
  if (readable_) {
    runtime_.arrive(*this);
  } else {
    await_readable();
  }
}

// --- What the kernel says ------------------------------------------------------------------

void Socket::await_readable() {
  if (awaits_readable_ || ended_ || closed_ || !socket_.is_open()) return;
  awaits_readable_ = true;
  socket_.async_wait(TcpSocket::wait_read,
                     [self = Ptr(this)](const boost::system::error_code& error) {
                       self->awaits_readable_ = false;
                       if (error || self->closed_) return;
                       self->readable_ = true;
                       self->runtime_.arrive(*self);
                     });
}

void Socket::await_writable() {
  if (awaits_writable_ || !socket_.is_open()) return;
  awaits_writable_ = true;
  socket_.async_wait(TcpSocket::wait_write,
                     [self = Ptr(this)](const boost::system::error_code& error) {
                       self->awaits_writable_ = false;
                       if (error) return;
                       self->writable_ = true;
                       self->runtime_.arrive(*self);
                     });
}

/// Notices a reset where nothing is read.
void Socket::await_error() {
  if (awaits_error_ || connecting_ || closed_ || !socket_.is_open()) return;
  awaits_error_ = true;
  socket_.async_wait(
      TcpSocket::wait_error, [self = Ptr(this)](const boost::system::error_code& error) {
        self->awaits_error_ = false;
        if (error || self->closed_ || !self->socket_.is_open()) return;
        if (!self->paused_ && !self->ended_) return;  // reading says what it is
        int told = 0;
        socklen_t size = sizeof told;
        ::getsockopt(self->socket_.native_handle(), SOL_SOCKET, SO_ERROR, &told, &size);
        if (told == 0) return;
        self->readable_ = false;
        self->break_later(told);
      });
}

void Socket::break_later(int error) {
  broken_ = error;
  unsent_.clear();
  runtime_.arrive(*this);
}

void Socket::happen() {
  const Ptr self(this);
  if (closed_) {
    linger();
    return;
  }
  if (connecting_) {
    if (broken_ != 0) {
      fail(meaning(broken_));
      return;
    }
    if (!std::exchange(connected_due_, false)) return;
    connecting_ = false;
    begin();
    events_->on_connected();
    if (closed_) return;
    if (!unsent_.empty()) {
      writable_ = true;
    } else if (finishing_) {
      shut_writing();
    }
  }
  if (std::exchange(writable_, false) && broken_ == 0 && send_waiting()) events_->on_drained();
  if (closed_) return;
  if (broken_ != 0 && paused_) {
    fail(meaning(broken_));
  } else if ((readable_ || broken_ != 0) && !paused_) {
    read();
  }
}

/// The connection is made. Asio has asked the kernel when it can be written to, and would go on to
/// be told with every wait: it forgets that with the descriptor.
void Socket::begin() {
  boost::system::error_code error;
  const int descriptor = socket_.release(error);
  if (!error) socket_.assign(boost::asio::ip::tcp::v4(), descriptor, error);
  if (error) {
    break_later(error.value());
    return;
  }
  learn_local();
  await_readable();
  if (paused_) await_error();
}

void Socket::read() {
  readable_ = false;
  Runtime::ReadBuffer& buffer = runtime_.read_buffer();
  const ssize_t got = ::recv(socket_.native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (got > 0) {
    events_->on_data({buffer.data(), static_cast<std::size_t>(got)});
    if (closed_) return;
    if (broken_ != 0) {
      runtime_.arrive(*this);
    } else if (paused_) {
      return;
    } else if (std::exchange(fresh_, false)) {
      // A FIN that came with the first bytes is told at the same instant, as a kernel shows them.
      readable_ = true;
      runtime_.arrive(*this);
    } else {
      await_readable();
    }
    return;
  }
  const int error = got < 0 ? errno : 0;
  if (broken_ != 0) {
    fail(meaning(broken_));
  } else if (error == EAGAIN || error == EINTR) {
    await_readable();
  } else if (error != 0) {
    fail(meaning(error));
  } else {
    ended_ = true;
    await_error();
    events_->on_end();
  }
}

/// Sends what waits, and then the FIN that waits behind it. True: nothing waits any more.
bool Socket::send_waiting() {
  while (!unsent_.empty()) {
    const std::string_view bytes = unsent_.view();
    const ssize_t sent =
        ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      unsent_.take(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      await_writable();
      return false;
    } else if (errno != EINTR) {
      break_later(errno);
      return false;
    }
  }
  if (finishing_) shut_writing();
  return true;
}

/// The user has closed, and not everything was sent. Goes on while the peer takes some of it; one
/// that takes nothing is told by a reset that not everything came.
void Socket::linger() {
  if (!std::exchange(writable_, false)) {
    abort();
  } else if (send_waiting() || broken_ != 0) {
    cancel();
    drop();
  } else {
    runtime_.loop().schedule_after(*this, kLinger);
  }
}

void Socket::fail(TransportError error) {
  world::TransportEvents* events = std::exchange(events_, nullptr);
  closed_ = true;
  drop();
  events->on_error(make_error_code(error));
}

}  // namespace live
