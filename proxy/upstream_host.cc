#include "proxy/upstream_host.h"

#include "proxy/upstream_connection.h"

namespace proxy {

UpstreamHost::UpstreamHost(const world::Endpoint& endpoint)
    : first_address_{endpoint, endpoint.text()} {}

UpstreamHost::~UpstreamHost() = default;

void UpstreamHost::move_to(const world::Endpoint& endpoint) {
  moves_.push_front({endpoint, endpoint.text()});
  if (checker != nullptr) checker->move_to(endpoint);
}

void UpstreamHost::enqueue(UpstreamRequest& request) {
  request.waiting_ = true;
  request.next_ = nullptr;
  request.previous_ = last_;
  (last_ != nullptr ? last_->next_ : first_) = &request;
  last_ = &request;
  ++queued_;
}

void UpstreamHost::dequeue(UpstreamRequest& request) {
  request.waiting_ = false;
  (request.previous_ != nullptr ? request.previous_->next_ : first_) = request.next_;
  (request.next_ != nullptr ? request.next_->previous_ : last_) = request.previous_;
  --queued_;
}

}  // namespace proxy
