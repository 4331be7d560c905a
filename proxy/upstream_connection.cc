#include "proxy/upstream_connection.h"

#include <utility>

#include "proxy/tls_side.h"

namespace proxy {

UpstreamConnection::UpstreamConnection(Upstream& upstream, UpstreamHost& host)
    : upstream_(upstream),
      host_(host),
      address_(host.address()),
      timer_(upstream.world_.loop(), upstream.world_.id(),
             world::bind<&UpstreamConnection::on_timer>(this)) {
  transport_ = open_transport();
  const Duration timeout = upstream.cluster_.connect_timeout;
  if (timeout > Duration::zero()) timer_.start_after(timeout);
}

UpstreamConnection::~UpstreamConnection() = default;

std::unique_ptr<world::Transport> UpstreamConnection::open_transport() {
  if (upstream_.tls_ != nullptr) {
    auto secure = upstream_.tls_->connect(address_.endpoint, *this);
    secure_ = secure.get();
    if (secure != nullptr) return secure;
  }
  return upstream_.world_.connect(address_.endpoint, *this);
}

void UpstreamConnection::on_connected() {
  const Cork::Event event(cork());
  timer_.stop();
  if (secure_ != nullptr) {
    upstream_.tls_->note_secured(*secure_);
  } else if (upstream_.tls_ != nullptr) {
    connect_failed(ResetReason::RefusedConnection, kSecretMissing);
    return;
  }
  connecting_ = false;
  --host_.connecting_;
  offer();
}

/// Source: ENV-POOL-18.
void UpstreamConnection::count_request() {
  awaits_idle_end_ = false;
  const std::uint32_t most = upstream_.cluster_.max_requests_per_connection;
  if (most == 0 || ++served_ < most) return;
  used_up_ = true;
  ++counts().connections_used_up;
}

/// A request that comes meanwhile does not move the timer: it looks again when it is due.
void UpstreamConnection::await_idle_end() {
  const Duration timeout = upstream_.cluster_.idle_timeout;
  if (timeout == Duration::zero() || std::exchange(awaits_idle_end_, true)) return;
  idle_since_ = upstream_.world_.now();
  if (!timer_.running()) timer_.start_after(timeout);
}

void UpstreamConnection::on_timer() {
  const Cork::Event event(cork());
  if (connecting_) {
    ++counts().connect_timeouts;
    connect_failed(ResetReason::ConnectTimeout, {});
    return;
  }
  if (!idle()) return;
  const world::TimePoint due = idle_since_ + upstream_.cluster_.idle_timeout;
  if (due > upstream_.world_.now()) {
    timer_.start_at(due);
  } else {
    retire();
  }
}

/// A failed attempt fails everything that waits for the host. Source: ENV-POOL-17.
void UpstreamConnection::connect_failed(ResetReason reason, std::string_view transport) {
  ++counts().connect_failures;
  std::vector<UpstreamRequest*> waiting;
  while (host_.first_ != nullptr) {
    UpstreamRequest& request = *host_.first_;
    host_.dequeue(request);
    --counts().pending;
    ++counts().pending_failures;
    waiting.push_back(&request);
  }
  close();
  for (UpstreamRequest* request : waiting) request->on_upstream_reset(reason, transport);
}

void UpstreamConnection::on_end() {
  const Cork::Event event(cork());
  peer_ended_ = true;
  ended();
}

void UpstreamConnection::on_error(std::error_code error) {
  const Cork::Event event(cork());
  peer_ended_ = true;
  const wire::tls::Failure* const failure = secure_ != nullptr ? secure_->failure() : nullptr;
  if (failure != nullptr) upstream_.tls_->note_failure(*failure);
  if (connecting_) {
    timer_.stop();
    if (failure != nullptr) {
      connect_failed(ResetReason::RefusedConnection, transport_failure_text(*failure, error));
      return;
    }
    const bool refused = error == world::make_error_code(world::TransportError::Refused);
    connect_failed(ResetReason::RefusedConnection,
                   refused ? "delayed connect error: Connection refused"
                           : "immediate connect error: Network is unreachable");
    return;
  }
  ended();
}

void UpstreamConnection::withdraw() {
  if (!std::exchange(ready_, false)) return;
  (previous_ready_ != nullptr ? previous_ready_->next_ready_ : host_.ready_) = next_ready_;
  if (next_ready_ != nullptr) next_ready_->previous_ready_ = previous_ready_;
  previous_ready_ = next_ready_ = nullptr;
}

void UpstreamConnection::close() {
  if (std::exchange(gone_, true)) return;
  timer_.stop();
  cork().flush();
  transport_->close();
  upstream_.lose(*this, peer_ended_);
}

}  // namespace proxy
