#include "proxy/http2_upstream.h"

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <iterator>
#include <string>
#include <utility>

#include "proxy/extended_connect.h"

namespace proxy {
namespace {

using wire::http2::ErrorCode;

/// What the real proxy calls the end of a stream. Source: ENV-HTTP-113.
ResetReason reason_of(const wire::http2::StreamEnd& end) {
  switch (end.code) {
    case ErrorCode::RefusedStream:
      return ResetReason::RemoteRefused;
    case ErrorCode::ProtocolError:
      return ResetReason::ProtocolError;
    case ErrorCode::ConnectError:
      return ResetReason::ConnectError;
    default:
      return ResetReason::RemoteReset;
  }
}

}  // namespace

/// One request on the connection.
class Http2Upstream::Exchange final : public UpstreamStream, public wire::http2::Stream {
 public:
  Exchange(Http2Upstream& connection, UpstreamRequest& request)
      : connection_(connection), request_(&request) {}

  world::Transport& transport() override { return *connection_.transport_; }
  std::uint64_t flow() override { return world::stream_flow(connection_.transport_->flow(), id()); }

  void send_head(wire::RequestHead& head, const RequestFacts& facts) override {
    if (facts.upgrade) {
      tunnel_ = connect_from_upgrade(head);
      connection_.session_.send_request(*this, tunnel_.head, false);
      return;
    }
    connection_.session_.send_request(*this, head, facts.ends);
  }
  void send_body(std::string_view bytes, bool ends) override { send_data(bytes, ends); }
  void send_trailers(const wire::HeaderMap& trailers) override { Stream::send_trailers(trailers); }
  std::size_t unsent() const override { return Stream::unsent(); }
  void pause() override { pause_reading(); }
  void resume() override { resume_reading(); }
  void become_tunnel() override {}
  bool saw_interim() const override { return interim_; }
  std::unique_ptr<wire::ResponseHead> take_head() override { return std::move(head_); }
  void lend(std::unique_ptr<wire::ResponseHead> head) override { head_ = std::move(head); }

  /// Parts from the request, which is told of what comes next.
  UpstreamRequest* release() {
    UpstreamRequest* request = std::exchange(request_, nullptr);
    if (request != nullptr) connection_.detach(*request, interim_);
    connection_.stream_ended_ = true;
    return request;
  }

 private:
  wire::ResponseHead& response_head() override {
    if (head_ == nullptr) head_ = std::make_unique<wire::ResponseHead>();
    return *head_;
  }
  void on_head(bool) override {
    if (head_->status < 200) {
      interim_ = true;
      head_->clear();
      return;
    }
    if (!tunnel_.protocol.empty() && head_->status == 200) answer_upgrade(*head_, tunnel_.protocol);
    const bool ends = remote_ended();
    if (request_ != nullptr) request_->on_response_head(*head_);
    if (ends) complete();
  }
  void on_data(std::string_view bytes, bool ends) override {
    if (request_ != nullptr && (!bytes.empty() || ends)) request_->on_response_body(bytes, ends);
    if (ends) complete();
  }
  void on_trailers(wire::HeaderMap& trailers) override {
    if (request_ != nullptr) request_->on_response_trailers(trailers);
    complete();
  }
  /// The response is whole. What was still to be sent of the request is not wanted.
  void complete() {
    UpstreamRequest* request = release();
    if (!local_ended()) {
      ++connection_.counts().resets_sent;
      reset(ErrorCode::InternalError);
      connection_.remove(*this);
    }
    if (request != nullptr) request->on_response_complete();
  }
  void on_closed(const wire::http2::StreamEnd& end) override {
    UpstreamRequest* request = release();
    connection_.remove(*this);
    const ResetReason reason = reason_of(end);
    if (request != nullptr) {
      connection_.count_reset(reason);
      request->on_upstream_reset(reason, {});
    }
  }
  void on_drained() override {
    const Cork::Event event(connection_.cork());
    if (request_ != nullptr) request_->on_upstream_drained();
  }

  friend class Http2Upstream;

  Http2Upstream& connection_;
  UpstreamRequest* request_;
  std::list<std::unique_ptr<Exchange>>::iterator place_;
  bool removed_ = false;
  std::unique_ptr<wire::ResponseHead> head_;
  ExtendedConnect tunnel_;  // if it asks for another protocol
  bool interim_ = false;
};

Http2Upstream::Http2Upstream(Upstream& upstream, UpstreamHost& host)
    : UpstreamConnection(upstream, host),
      session_(wire::http2::Session::Role::Client, {}, *this),
      burial_(timer(world::bind<&Http2Upstream::bury>(this))) {}

Http2Upstream::~Http2Upstream() = default;

std::size_t Http2Upstream::room() const {
  if (gone() || leaving_ || used_up() || !session_.takes_requests()) return 0;
  const std::size_t most = std::min<std::size_t>(session_.peer_max_streams(), kMostStreams);
  const std::size_t open = exchanges_.size();
  return most > open ? most - open : 0;
}

UpstreamStream& Http2Upstream::open(UpstreamRequest& request) {
  exchanges_.push_back(std::make_unique<Exchange>(*this, request));
  exchanges_.back()->place_ = std::prev(exchanges_.end());
  return *exchanges_.back();
}

void Http2Upstream::remove(Exchange& exchange) {
  if (std::exchange(exchange.removed_, true)) return;
  graveyard_.splice(graveyard_.end(), exchanges_, exchange.place_);
}

void Http2Upstream::bury() {
  graveyard_.clear();
}

Http2Upstream::Exchange& Http2Upstream::exchange_of(UpstreamRequest& request) {
  return static_cast<Exchange&>(*request.upstream_stream());
}

void Http2Upstream::cancel(UpstreamRequest& request) {
  Exchange& exchange = exchange_of(request);
  exchange.release();
  ++counts().resets_sent;
  exchange.reset(ErrorCode::InternalError);
  remove(exchange);
  burial_.start_after({});
  close_if_done();
  if (gone()) return;
  stream_ended_ = false;  // who waits comes now, not with whatever the endpoint sends next
  offer();
}

void Http2Upstream::leave(UpstreamRequest& request) {
  exchange_of(request).release();
}

void Http2Upstream::retire() {
  leaving_ = true;
  withdraw();
  close_if_done();
}

void Http2Upstream::on_data(std::string_view bytes) {
  const Cork::Event event(cork());
  bury();
  session_.feed(bytes);
  if (gone()) return;
  if (!session_.failed()) on_output();
  if (gone()) return;
  if (session_.failed()) {
    fail_all(ResetReason::ProtocolError);
    return;
  }
  close_if_done();
  if (gone()) return;
  // A higher limit alone does not wake who waits (ENV-POOL-27).
  if (std::exchange(stream_ended_, false)) {
    offer();
  } else {
    make_ready();
  }
}

/// Source: ENV-POOL-16; which statistic the real proxy counts an end in.
void Http2Upstream::count_reset(ResetReason reason) {
  switch (reason) {
    case ResetReason::ConnectionTermination:
      ++counts().pending_failures;
      break;
    case ResetReason::ProtocolError:
      ++counts().resets_sent;
      break;
    case ResetReason::RemoteReset:
      ++counts().resets_received;
      break;
    default:
      break;
  }
}

void Http2Upstream::on_drained() {
  const Cork::Event event(cork());
  on_output();
}

void Http2Upstream::on_output() {
  if (takes_output()) session_.take_output(out());
}

/// What the transport does not take stays where the windows of the streams see it.
bool Http2Upstream::takes_output() const {
  return !gone() && unsent_bytes() <= kBufferBytes;
}

wire::http2::Stream& Http2Upstream::on_stream() {
  assert(false && "an endpoint opens no streams");
  std::abort();
}

void Http2Upstream::on_goaway(std::int32_t, ErrorCode) {
  if (!std::exchange(leaving_, true)) ++counts().close_notifies;
  withdraw();
}

void Http2Upstream::on_max_streams(std::uint32_t) {
  if (room() == 0) withdraw();
}

void Http2Upstream::close_if_done() {
  if ((leaving_ || used_up()) && !gone() && exchanges_.empty()) close();
}

void Http2Upstream::fail_all(ResetReason reason) {
  auto failed = std::exchange(exchanges_, {});
  for (const auto& exchange : failed) exchange->removed_ = true;
  close();
  for (const auto& exchange : failed) {
    if (UpstreamRequest* request = exchange->release()) {
      count_reset(reason);
      request->on_upstream_reset(reason, {});
    }
  }
  graveyard_.splice(graveyard_.end(), failed);
}

}  // namespace proxy
