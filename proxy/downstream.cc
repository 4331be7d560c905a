#include "proxy/downstream.h"

#include <cassert>

#include "proxy/stream.h"

namespace proxy {
namespace {

/// How many answers may wait to be written when the next request begins. Source: ENV-HTTP-78.
constexpr int kMostUnflushedAnswers = 2;

}  // namespace

Downstream::Downstream(Hop& hop, std::unique_ptr<world::Transport> transport)
    : hop_(hop),
      transport_(std::move(transport)),
      timer_(hop.world().loop(), hop.world().id(), world::bind<&Downstream::on_timer>(this)) {
  transport_->set_events(*this);
  const HopTimers& timers = hop.plan().timers;
  if (timers.tls_inspector > Duration::zero()) {
    timer_.start_after(timers.tls_inspector);
  } else {
    become_idle();
  }
}

Downstream::~Downstream() = default;

void Downstream::become_idle() {
  phase_ = Phase::Idle;
  const Duration after = hop_.plan().timers.connection_idle;
  if (after > Duration::zero()) {
    timer_.start_after(after);
  } else {
    timer_.stop();
  }
}

void Downstream::on_data(std::string_view bytes) {
  const Cork::Event event(hop_.cork());
  if (phase_ >= Phase::Closing) {
    unread_ = true;  // nobody reads what comes after the last answer
    return;
  }
  read(bytes);
}

void Downstream::read(std::string_view bytes) {
  reading_ = true;
  while (!bytes.empty() && phase_ < Phase::Closing) {
    if (stream_ != nullptr && request_complete_) {
      // The next request waits for the answer to this one.
      waiting_.append(bytes);
      if (!paused_) pause();
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
      timer_.stop();
      const Duration headers = hop_.plan().timers.request_headers;
      if (headers > Duration::zero()) timer_.start_after(headers);
      parser_.lend(hop_.take_request_head());
    }
    bytes.remove_prefix(parser_.feed(bytes, *this));
    if (parser_.error()) {
      body_.clear();  // a read that breaks brings nothing
      if (phase_ < Phase::Closing) codec_error(parser_.error());
      break;
    }
    hand_over_body();
  }
  reading_ = false;
}

void Downstream::on_head(wire::http1::RequestHead& head) {
  timer_.stop();
  ++requests_;
  request_complete_ = head.framing == wire::http1::Framing::None;
  stream_ = hop_.take_stream();
  // The stream may end, and go, before this returns.
  stream_->begin(*this, parser_.take_head(), request_complete_);
}

void Downstream::on_body(std::string_view bytes) {
  body_.add(bytes);
}

void Downstream::hand_over_body() {
  if (body_.empty()) return;
  if (stream_ != nullptr) stream_->on_body(body_.bytes());
  body_.clear();
}

void Downstream::on_complete() {
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

void Downstream::codec_error(const wire::http1::CodecError& error) {
  timer_.stop();
  if (stream_ == nullptr) {
    stream_ = hop_.take_stream();
    request_complete_ = false;
  }
  stream_->on_codec_error(*this, error);
  if (phase_ < Phase::Closing) close_later();
}

void Downstream::stream_ended(bool request_complete, bool reset) {
  hop_.give_back(std::move(stream_));
  if (phase_ >= Phase::Closing) return;
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

void Downstream::pause() {
  if (std::exchange(paused_, true)) return;
  transport_->pause_reading();
}

void Downstream::resume() {
  if (!std::exchange(paused_, false)) return;
  transport_->resume_reading();
}

void Downstream::on_end() {
  const Cork::Event event(hop_.cork());
  if (phase_ == Phase::Gone) return;
  if (phase_ == Phase::Busy && stream_ == nullptr && begun_at_ == hop_.world().now()) {
    // The first bytes are looked at for TLS: whoever ends with them is not heard (ENV-HTTP-67).
    transport_->reset();
    phase_ = Phase::Closing;
    close_now();
    return;
  }
  client_gone();
}

void Downstream::on_error(std::error_code) {
  const Cork::Event event(hop_.cork());
  if (phase_ != Phase::Gone) client_gone();
}

void Downstream::on_drained() {
  const Cork::Event event(hop_.cork());
  if (stream_ != nullptr) stream_->on_downstream_drained();
}

void Downstream::client_gone() {
  const bool tell = phase_ < Phase::Closing;
  const bool begun = phase_ == Phase::Busy && stream_ == nullptr && parser_.in_message();
  phase_ = Phase::Closing;
  if (tell && stream_ != nullptr) stream_->on_client_gone();
  if (begun) {
    stream_ = hop_.take_stream();
    stream_->on_client_gone_early(*this);
  }
  close_now();
}

void Downstream::on_timer() {
  const Cork::Event event(hop_.cork());
  switch (phase_) {
    case Phase::Inspecting:
    case Phase::Closing:
      close_now();
      break;
    case Phase::Idle:
      // An idle connection is drained first: in HTTP/1 nothing is sent, the next answer would
      // close. Source: ENV-HTTP-67.
      if (!std::exchange(draining_, true)) {
        closing_ = true;
        timer_.start_after(hop_.plan().timers.drain);
      } else {
        close_later();
      }
      break;
    case Phase::Busy:
      stream_ = hop_.take_stream();
      request_complete_ = false;
      stream_->on_headers_timeout(*this);
      break;
    case Phase::Gone:
      break;
  }
}

/// Waits for the client to close, then closes: so that it can read the last answer.
void Downstream::close_later() {
  if (phase_ >= Phase::Closing) return;
  phase_ = Phase::Closing;
  const Duration delay = hop_.plan().timers.delayed_close;
  if (delay > Duration::zero()) {
    timer_.start_after(delay);
  } else {
    close_now();
  }
}

void Downstream::close_now() {
  if (phase_ == Phase::Gone) return;
  phase_ = Phase::Gone;
  timer_.stop();
  hop_.cork().flush();
  // A socket that is closed with unread bytes in it resets the connection.
  if (unread_) {
    transport_->reset();
  } else {
    transport_->close();
  }
  hop_.lose(*this);
}

}  // namespace proxy
