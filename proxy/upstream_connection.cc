#include "proxy/upstream_connection.h"

#include <algorithm>
#include <utility>

namespace proxy {

UpstreamConnection::UpstreamConnection(Upstream& upstream, UpstreamHost& host)
    : transport_(upstream.world_.connect(host.endpoint_, *this)),
      upstream_(upstream),
      host_(host),
      connect_timer_(upstream.world_.loop(), upstream.world_.id(),
                     world::bind<&UpstreamConnection::on_connect_timeout>(this)) {
  connect_timer_.start_after(upstream.cluster_.connect_timeout);
}

UpstreamConnection::~UpstreamConnection() = default;

void UpstreamConnection::on_connected() {
  const Cork::Event event(cork());
  connect_timer_.stop();
  connecting_ = false;
  --host_.connecting_;
  offer();
}

void UpstreamConnection::on_connect_timeout() {
  const Cork::Event event(cork());
  connect_failed(ResetReason::ConnectTimeout, {});
}

/// A failed attempt fails everything that waits for the host. Source: ENV-POOL-17.
void UpstreamConnection::connect_failed(ResetReason reason, std::string_view transport) {
  ++upstream_.counts_.connect_failures;
  std::vector<UpstreamRequest*> waiting;
  while (host_.first_ != nullptr) {
    UpstreamRequest& request = *host_.first_;
    host_.dequeue(request);
    --upstream_.counts_.pending;
    waiting.push_back(&request);
  }
  close();
  for (UpstreamRequest* request : waiting) request->on_upstream_reset(reason, transport);
}

void UpstreamConnection::on_end() {
  const Cork::Event event(cork());
  ended();
}

void UpstreamConnection::on_error(std::error_code error) {
  const Cork::Event event(cork());
  if (connecting_) {
    connect_timer_.stop();
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
  auto& list = host_.ready_;
  list.erase(std::find(list.begin(), list.end(), this));
}

void UpstreamConnection::close() {
  if (std::exchange(gone_, true)) return;
  connect_timer_.stop();
  cork().flush();
  transport_->close();
  upstream_.lose(*this);
}

}  // namespace proxy
