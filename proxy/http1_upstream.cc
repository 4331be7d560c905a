#include "proxy/http1_upstream.h"

#include <utility>

#include "proxy/request_rules.h"
#include "wire/http1/serializer.h"

namespace proxy {

using wire::HeaderName;

Http1Upstream::~Http1Upstream() = default;

UpstreamStream& Http1Upstream::open(UpstreamRequest& request) {
  request_ = &request;
  request_sent_ = false;
  chunked_request_ = false;
  return *this;
}

UpstreamRequest* Http1Upstream::release() {
  UpstreamRequest* request = std::exchange(request_, nullptr);
  if (request != nullptr) detach(*request, parser_.saw_interim());
  return request;
}

void Http1Upstream::cancel(UpstreamRequest&) {
  release();
  close();
}

void Http1Upstream::leave(UpstreamRequest&) {
  release();
}

// --- The request -----------------------------------------------------------------------------

void Http1Upstream::send_head(wire::RequestHead& head, const RequestFacts& facts) {
  wire::HeaderMap& headers = head.headers;
  parser_.expect(facts.to_head, facts.upgrade);
  chunked_request_ = head.framing == wire::Framing::Chunked;
  if (chunked_request_) {
    headers.set(HeaderName::TransferEncoding, "chunked");
  } else if (head.framing == wire::Framing::None && !headers.has(HeaderName::ContentLength) &&
             may_have_body(head.method)) {
    headers.add(HeaderName::ContentLength, "0");
  }
  wire::http1::append_request_head(out(), head.method, head.target, headers);
  if (facts.ends) request_sent_ = true;
}

void Http1Upstream::send_body(std::string_view bytes, bool ends) {
  if (chunked_request_) {
    wire::http1::append_chunk(out(), bytes);
    if (ends) wire::http1::append_last_chunk(out());
  } else {
    out() += bytes;
  }
  if (ends) request_sent_ = true;
}

void Http1Upstream::on_drained() {
  const Cork::Event event(cork());
  if (request_ != nullptr) request_->on_upstream_drained();
}

// --- The response ----------------------------------------------------------------------------

void Http1Upstream::on_data(std::string_view bytes) {
  const Cork::Event event(cork());
  complete_ = false;
  const std::size_t used = parser_.feed(bytes, *this);
  if (gone()) return;
  if (!parser_.error()) hand_over_body();
  body_.clear();
  if (parser_.error()) {
    fail(ResetReason::ProtocolError);
    return;
  }
  if (!complete_) return;
  // Bytes after a complete response spoil the connection (ENV-HTTP-79).
  const bool reusable = parser_.keep_alive() && request_sent_ && used == bytes.size() && !used_up();
  if (!parser_.keep_alive()) ++counts().close_notifies;
  UpstreamRequest* request = release();
  if (reusable) {
    offer_soon();
  } else {
    close();
  }
  if (request != nullptr) request->on_response_complete();
}

void Http1Upstream::on_head(wire::ResponseHead& head) {
  if (request_ != nullptr) request_->on_response_head(head);
}

void Http1Upstream::on_body(std::string_view bytes) {
  body_.add(bytes);
}

void Http1Upstream::hand_over_body() {
  if (body_.empty()) return;
  if (request_ != nullptr) request_->on_response_body(body_.bytes(), false);
  body_.clear();
}

void Http1Upstream::on_complete() {
  hand_over_body();
  complete_ = true;
}

/// FIN and reset both end an answer that lasts until then.
void Http1Upstream::ended() {
  if (request_ == nullptr) {
    close();
    return;
  }
  if (tunnel_) {
    fail(ResetReason::ConnectionTermination);
    return;
  }
  complete_ = false;
  const bool begun = parser_.in_message();
  parser_.on_end_of_stream(*this);
  if (gone()) return;
  if (complete_) {
    UpstreamRequest* request = release();
    close();
    if (request != nullptr) request->on_response_complete();
    return;
  }
  fail(begun ? ResetReason::ProtocolError : ResetReason::ConnectionTermination);
}

void Http1Upstream::fail(ResetReason reason) {
  UpstreamRequest* request = release();
  close();
  if (request != nullptr) request->on_upstream_reset(reason, {});
}

}  // namespace proxy
