#include "proxy/upstream_connection.h"

#include <utility>

namespace proxy {

UpstreamConnection::UpstreamConnection(Upstream& upstream, UpstreamHost& host)
    : transport_(upstream.world_.connect(host.address().endpoint, *this)),
      upstream_(upstream),
      host_(host),
      address_(host.address()),
      timer_(upstream.world_.loop(), upstream.world_.id(),
             world::bind<&UpstreamConnection::on_timer>(this)) {
  const Duration timeout = upstream.cluster_.connect_timeout;
  if (timeout > Duration::zero()) timer_.start_after(timeout);
}

UpstreamConnection::~UpstreamConnection() = default;

void UpstreamConnection::on_connected() {
  const Cork::Event event(cork());
  timer_.stop();
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
  if (connecting_) {
    timer_.stop();
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
