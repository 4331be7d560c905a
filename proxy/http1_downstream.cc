#include "proxy/http1_downstream.h"

#include <cassert>

#include "proxy/stream.h"
#include "wire/http1/serializer.h"
#include "wire/http2/session.h"

namespace proxy {
namespace {

using wire::HeaderName;

/// How many answers may wait to be written when the next request begins. Source: ENV-HTTP-78.
constexpr int kMostUnflushedAnswers = 2;

}  // namespace

Http1Downstream::Http1Downstream(Hop& hop, std::unique_ptr<world::Transport> transport)
    : Downstream(hop, std::move(transport)) {
  const HopTimers& timers = hop.plan().timers;
  const bool inspected = timers.tls_inspector > Duration::zero();
  start_timer(inspected ? timers.tls_inspector : timers.connection_idle);
  limit_age();
}

Http1Downstream::~Http1Downstream() = default;

void Http1Downstream::become_idle() {
  if (closing()) return;
  phase_ = Phase::Idle;
  if (draining_) {
    await_drain();
  } else {
    start_timer(hop_.plan().timers.connection_idle);
  }
}

/// In HTTP/1 nothing is sent: the next answers say that the connection closes, and it does when it
/// has been idle at the end of the drain. Source: ENV-LIFE-03, -04, -07.
void Http1Downstream::start_drain() {
  if (std::exchange(draining_, true)) return;
  drained_at_ = hop_.world().now() + hop_.plan().timers.drain;
  if (phase_ == Phase::Idle) await_drain();
}

void Http1Downstream::await_drain() {
  const Duration left = drained_at_ - hop_.world().now();
  if (left > Duration::zero()) {
    start_timer(left);
  } else {
    close_later();
  }
}

void Http1Downstream::on_data(std::string_view bytes) {
  const Cork::Event event(hop_.cork());
  if (closing()) {
    note_unread();  // nobody reads what comes after the last answer
    return;
  }
  read(bytes);
}

void Http1Downstream::read(std::string_view bytes) {
  reading_ = true;
  while (!bytes.empty() && !closing()) {
    if (stream_ != nullptr && request_complete_) {
      // The next request waits for the answer to this one.
      waiting_.append(bytes);
      if (!paused_) pause();
      break;
    }
    if (phase_ == Phase::Inspecting && wire::http2::is_preface(bytes)) {
      hop_.speak_http2(give_up_transport(), std::move(origin_), bytes);
      break;
    }
    if (stream_ == nullptr && phase_ != Phase::Busy) {
      if (flush_event_ == hop_.world().loop().tasks_run() &&
          unflushed_answers_ >= kMostUnflushedAnswers) {
        codec_error({0, {}, "codec_error:Too_many_responses_queued."});
        break;
      }
      if (phase_ == Phase::Inspecting) begun_at_ = hop_.world().now();
      phase_ = Phase::Busy;
      stop_timer();
      parser_.lend(hop_.take_request_head());
    }
    bytes.remove_prefix(parser_.feed(bytes, *this));
    if (parser_.error()) {
      body_.clear();  // a read that breaks brings nothing
      if (!closing()) codec_error(parser_.error());
      break;
    }
    hand_over_body();
    if (stream_ == nullptr && parser_.in_message() && !parser_.after_head()) await_head();
  }
  reading_ = false;
}

/// A head that is begun has to come whole within any of the times that a stream has.
void Http1Downstream::await_head() {
  if (timing()) return;
  const auto [after, timeout] = head_timeout();
  if (after > Duration::zero()) start_timer(after);
}

/// The first of them, and which it is. Source: ENV-LIFE-05, and measured.
std::pair<Duration, HeadTimeout> Http1Downstream::head_timeout() const {
  const HopTimers& timers = hop_.plan().timers;
  std::pair<Duration, HeadTimeout> first{timers.request_headers, HeadTimeout::Headers};
  for (const auto& [after, timeout] : {std::pair{timers.request, HeadTimeout::Request},
                                       std::pair{timers.stream_idle, HeadTimeout::Idle},
                                       std::pair{timers.max_stream, HeadTimeout::Age}}) {
    const bool sooner = first.first == Duration::zero() || after < first.first;
    if (after > Duration::zero() && sooner) first = {after, timeout};
  }
  return first;
}

void Http1Downstream::on_head(wire::RequestHead& head) {
  stop_timer();
  const std::uint32_t most = hop_.plan().timers.max_requests_per_connection;
  if (most > 0 && ++requests_ >= most) client_closes_ = true;
  request_complete_ = head.framing == wire::Framing::None;
  stream_ = hop_.take_stream();
  // The stream may end, and go, before this returns.
  stream_->begin(*this, parser_.take_head(), request_complete_);
}

void Http1Downstream::on_body(std::string_view bytes) {
  body_.add(bytes);
}

void Http1Downstream::hand_over_body() {
  if (body_.empty()) return;
  if (stream_ != nullptr) stream_->on_body(body_.bytes(), false);
  body_.clear();
}

void Http1Downstream::on_complete() {
  hand_over_body();
  if (request_complete_) {
    // It was known with the head that nothing follows.
    if (stream_ == nullptr && phase_ == Phase::Busy) become_idle();
    return;
  }
  request_complete_ = true;
  if (stream_ != nullptr) {
    stream_->on_request_complete();
  } else if (phase_ == Phase::Busy) {
    become_idle();
  }
}

void Http1Downstream::codec_error(const wire::CodecError& error) {
  stop_timer();
  if (stream_ == nullptr) {
    stream_ = hop_.take_stream();
    request_complete_ = false;
  }
  stream_->on_codec_error(*this, error);
  if (!closing()) close_later();
}

/// Source: ENV-HTTP-50, -53 to -56.
void Http1Downstream::send_head(wire::ResponseHead& head, const AnswerFacts& facts) {
  wire::HeaderMap& headers = head.headers;
  if (!facts.tunnel && !facts.request_complete) closing_ = true;
  closing_ = closing_ || client_closes_;
  if (hop_.drain_closes()) start_drain();
  if ((closing_ || draining_) && !facts.tunnel) headers.add(HeaderName::Connection, "close");
  chunked_answer_ = false;
  if (!headers.has(HeaderName::ContentLength)) {
    const bool bodiless = head.status < 200 || head.status == 204 || head.status == 304;
    if (!bodiless && facts.ends && !facts.to_head) {
      headers.add(HeaderName::ContentLength, "0");
    } else if (!bodiless) {
      headers.add(HeaderName::TransferEncoding, "chunked");
      chunked_answer_ = !facts.to_head;
    }
  }
  wire::http1::append_response_head(out(), head.status, headers);
}

void Http1Downstream::send_body(std::string_view bytes, bool ends) {
  if (!chunked_answer_) {
    out() += bytes;
    return;
  }
  wire::http1::append_chunk(out(), bytes);
  if (ends) wire::http1::append_last_chunk(out());
}

void Http1Downstream::stream_ended(bool request_complete, bool reset) {
  hop_.give_back(std::move(stream_));
  if (closing()) return;
  if (reset) {
    close_later();  // an answer that was cut off as well: what came of it can be read
    return;
  }
  if (closing_) {
    // A client that asked for the close and has sent everything is not waited for; but an answer
    // made while its request was being read does wait. Source: ENV-HTTP-79.
    if (client_closes_ && request_complete && !reading_) {
      close_now();
    } else {
      close_later();
    }
    return;
  }
  // Answers leave when the event ends: those of one event wait together.
  const std::uint64_t now = hop_.world().loop().tasks_run();
  if (std::exchange(flush_event_, now) != now) unflushed_answers_ = 0;
  ++unflushed_answers_;
  if (request_complete_ || !reading_) become_idle();
  if (paused_) resume();
  if (!waiting_.empty() && !reading_) {
    const std::string next = std::exchange(waiting_, {});
    read(next);
  }
}

void Http1Downstream::pause() {
  if (std::exchange(paused_, true)) return;
  transport_->pause_reading();
}

void Http1Downstream::resume() {
  if (!std::exchange(paused_, false)) return;
  transport_->resume_reading();
}

void Http1Downstream::on_end() {
  const Cork::Event event(hop_.cork());
  if (gone()) return;
  if (phase_ == Phase::Busy && stream_ == nullptr && !closing() &&
      hop_.plan().timers.tls_inspector > Duration::zero() && begun_at_ == hop_.world().now()) {
    // The first bytes are looked at for TLS: whoever ends with them is not heard (ENV-HTTP-67).
    note_unread();
    close_now();
    return;
  }
  client_gone();
}

void Http1Downstream::on_error(std::error_code) {
  const Cork::Event event(hop_.cork());
  // Whoever waits for the client to go sees its FIN, and no reset (ENV-LIFE-02).
  if (!closing()) client_gone();
}

void Http1Downstream::on_drained() {
  const Cork::Event event(hop_.cork());
  if (stream_ != nullptr) stream_->on_downstream_drained();
}

void Http1Downstream::client_gone() {
  const bool tell = !closing();
  const bool begun = tell && phase_ == Phase::Busy && stream_ == nullptr && parser_.in_message();
  expect_nothing();
  if (tell && stream_ != nullptr) stream_->on_client_gone();
  if (begun) {
    stream_ = hop_.take_stream();
    stream_->on_client_gone_early(*this);
  }
  close_now();
}

void Http1Downstream::on_timer() {
  switch (phase_) {
    case Phase::Inspecting:
      close_now();
      break;
    case Phase::Idle:
      // An idle connection is drained first. Source: ENV-HTTP-67.
      if (draining_) {
        close_later();
      } else {
        start_drain();
      }
      break;
    case Phase::Busy:
      stream_ = hop_.take_stream();
      request_complete_ = false;
      stream_->on_head_timeout(*this, head_timeout().second);
      break;
  }
}

void Http1Downstream::on_old() {
  if (phase_ == Phase::Inspecting) {
    close_now();
  } else {
    start_drain();
  }
}

}  // namespace proxy
