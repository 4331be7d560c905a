#include "live/listener.h"

#include <cerrno>
#include <chrono>
#include <string>

#include <netinet/in.h>
#include <sys/socket.h>

#include "live/socket.h"

namespace live {
namespace {

using namespace std::chrono_literals;

constexpr int kBacklog = 4096;

/// Connections taken at once, before others are served again.
constexpr int kAtOnce = 64;

/// When to look again, after descriptors ran short.
constexpr world::Duration kShortage = 50ms;

}  // namespace

SocketListener::SocketListener(Runtime& runtime, world::AcceptEvents& events)
    : Task([](Task& task) { static_cast<SocketListener&>(task).happen(); }),
      runtime_(runtime),
      acceptor_(runtime.io().get_executor()),
      events_(&events) {}

world::Result<boost::intrusive_ptr<SocketListener>> SocketListener::open(
    Runtime& runtime, const world::Endpoint& local, world::AcceptEvents& events) {
  boost::intrusive_ptr<SocketListener> listener(new SocketListener(runtime, events));
  TcpAcceptor& acceptor = listener->acceptor_;
  boost::system::error_code error;
  acceptor.open(boost::asio::ip::tcp::v4(), error);
  if (!error) acceptor.set_option(TcpAcceptor::reuse_address(true), error);
  if (!error) acceptor.non_blocking(true, error);
  if (!error) acceptor.bind(to_asio(local), error);
  if (!error) acceptor.listen(kBacklog, error);
  if (error) {
    const std::string place =
        (local.address == 0 ? "port " + std::to_string(local.port) : local.text());
    if (error.value() == EADDRINUSE) return world::Error{{}, place + " is in use", {}};
    return world::Error{{}, place + " cannot be listened on: " + error.message(), {}};
  }
  listener->local_ = from_asio(acceptor.local_endpoint(error));
  listener->await_connection();
  return listener;
}

void SocketListener::set_accepting(bool accepting) {
  accepting_ = accepting;
  if (accepting) await_connection();
}

void SocketListener::close() {
  events_ = nullptr;
  cancel();
  boost::system::error_code ignored;
  acceptor_.close(ignored);
}

void SocketListener::await_connection() {
  if (awaits_ || !accepting_ || events_ == nullptr) return;
  awaits_ = true;
  acceptor_.async_wait(TcpAcceptor::wait_read,
                       [self = boost::intrusive_ptr(this)](const boost::system::error_code& error) {
                         self->awaits_ = false;
                         if (!error && self->events_ != nullptr) self->runtime_.arrive(*self);
                       });
}

void SocketListener::happen() {
  const boost::intrusive_ptr self(this);
  for (int taken = 0; taken < kAtOnce && accepting_; ++taken) {
    if (runtime_.descriptors_short()) {
      runtime_.loop().schedule_after(*this, kShortage);
      return;
    }
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const int descriptor = ::accept4(acceptor_.native_handle(), reinterpret_cast<sockaddr*>(&from),
                                     &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor < 0) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        runtime_.loop().schedule_after(*this, kShortage);
        return;
      }
      if (errno == EAGAIN) break;
      continue;  // that connection ended while it waited
    }
    events_->on_accept(Socket::accepted(runtime_, descriptor,
                                        {ntohl(from.sin_addr.s_addr), ntohs(from.sin_port)}));
    if (events_ == nullptr) return;
  }
  await_connection();
}

}  // namespace live
