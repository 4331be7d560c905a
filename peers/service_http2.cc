#include "peers/service_http2.h"

#include <algorithm>
#include <utility>

#include "peers/echo.h"
#include "peers/http2_parts.h"

namespace peers {

using ConnectionEvent = ServiceObserver::ConnectionEvent;
using wire::http2::ErrorCode;

/// While one of these is on the stack, neither connection nor streams are destroyed.
struct Service::Http2Connection::Entered {
  explicit Entered(Http2Connection& entered) : connection(entered) { ++connection.depth_; }
  ~Entered() {
    if (--connection.depth_ != 0) return;
    connection.remove_ended();
    if (connection.closed_) connection.service_.remove(connection);
  }
  Entered(const Entered&) = delete;
  Entered& operator=(const Entered&) = delete;

  Http2Connection& connection;
};

/// One request and what is answered to it.
class Service::Http2Connection::Stream final : public wire::http2::Stream {
 public:
  explicit Stream(Http2Connection& connection)
      : connection_(connection),
        service_(connection.service_),
        timer_(service_.world_.timer(world::bind<&Stream::due>(this))) {}

  bool over() const { return over_; }

 private:
  const Answer& answer() const { return script_->answer(index_); }
  wire::RequestHead& request_head() override { return head_; }

  void on_head(bool ends) override {
    script_ = service_.script_;
    const Choice choice = service_.choose(head_);
    index_ = choice.answer;
    check_ = choice.check;
    number_ = choice.number;
    if (connection_.idle_timer_ != nullptr) connection_.idle_timer_->stop();
    if (ends) {
      begin();
    } else if (answer().trigger == Answer::Trigger::Head || answer().mirror) {
      begin();
    } else if (answer().trigger == Answer::Trigger::Continue &&
               head_.headers.has(wire::HeaderName::Expect)) {
      connection_.session_.send_interim(*this, 100);
    }
  }

  void on_data(std::string_view bytes, bool ends) override {
    if (answer().mirror) {
      if (sending_) {
        send_data(bytes, false);
      } else {
        body_.append(bytes);
      }
    } else if (!begun_) {
      body_.append(bytes);
    }
    if (ends) request_ended();
  }

  void on_trailers(wire::HeaderMap& trailers) override {
    trailers_ = lines_of(trailers);
    request_ended();
  }

  void on_closed(const wire::http2::StreamEnd&) override {
    over_ = true;
    timer_.stop();
  }

  void request_ended() {
    if (!begun_) {
      begin();
    } else if (answer().mirror && sending_) {
      finish();
    }
  }

  void begin() {
    begun_ = true;
    std::string& text = service_.scratch_;
    text.assign(head_.method).append(1, ' ').append(head_.target);
    text.append(" HTTP/2\r\nhost: ").append(head_.headers.get(wire::HeaderName::Host));
    service_.world_.trace(world::TraceKind::RequestSeen, flow(), number_, 0, text);
    if (service_.options_.observer != nullptr) {
      service_.options_.observer->on_request({.id = number_,
                                              .check = check_,
                                              .connection = connection_.number_,
                                              .at = service_.world_.now(),
                                              .head = head_,
                                              .body = body_,
                                              .raw = {},
                                              .flow = connection_.transport_->flow(),
                                              .local = connection_.transport_->local(),
                                              .remote = connection_.transport_->remote(),
                                              .protocol = Protocol::Http2,
                                              .stream = id(),
                                              .trailers = trailers_,
                                              .tls = connection_.secured()});
    }
    if (connection_.closed_) return;  // by the observer
    if (answer().after > world::Duration{}) {
      timer_.start_after(answer().after);
    } else {
      send_answer();
    }
  }

  void due() {
    const Entered entered(connection_);
    if (!sending_) {
      send_answer();
    } else if (reset_due_) {
      end_with_reset();
    } else if (!sent_) {
      send_piece();
      next_piece();
    } else {
      then();
    }
  }

  void send_answer() {
    sending_ = true;
    if (answer().never) {
      if (answer().reset_stream) {
        end_with_reset();
      } else {
        answered();
      }
      return;
    }
    send_head();
    if (answer().mirror) {
      if (!body_.empty()) send_data(std::exchange(body_, {}), false);
      if (remote_ended()) finish();
      return;
    }
    next_piece();
  }

  bool bodiless() const {
    return head_.method == "HEAD" || answer().status < 200 || answer().status == 204 ||
           answer().status == 304;
  }

  void send_head() {
    const Answer& told = answer();
    wire::HeaderMap headers = header_map(told.headers);
    const bool composed = told.pieces.empty() && told.chunks.empty() && !told.mirror;
    if (composed) {
      if (told.body) {
        echo_ = *told.body;
      } else {
        echo_ = echo_body(service_.options_.service, service_.options_.endpoint, head_, body_,
                          trailers_);
        if (!headers.has(wire::HeaderName::ContentType) && !bodiless()) {
          headers.add("content-type", "application/json");
        }
      }
      const bool measured = told.status >= 200 && told.status != 204 && told.status != 304 &&
                            told.trailers.empty() && !echo_.empty() &&
                            !headers.has(wire::HeaderName::ContentLength);
      if (measured) headers.add("content-length", std::to_string(echo_.size()));
    }
    ends_with_head_ = bodiless() || (composed && echo_.empty());
    const bool ends = ends_with_head_ && told.trailers.empty() && !told.reset_stream;
    connection_.session_.send_response(*this, told.status, headers, ends);
  }

  /// Sends what comes before the next pause.
  void next_piece() {
    const Answer& told = answer();
    while (!ends_with_head_ && piece_ < told.pieces.size()) {
      if (const world::Duration pause = told.pieces[piece_].pause; pause > world::Duration{}) {
        timer_.start_after(pause);
        return;
      }
      send_piece();
    }
    finish();
  }
  void send_piece() {
    const BodyPiece& piece = answer().pieces[piece_++];
    send_part(piece.bytes, piece_ == answer().pieces.size());
  }

  /// The last part ends the stream if nothing else does.
  void send_part(std::string_view bytes, bool last) {
    const bool ends = last && answer().trailers.empty() && !answer().reset_stream;
    if (ends || !bytes.empty()) send_data(bytes, ends);
  }

  void finish() {
    const Answer& told = answer();
    if (!ends_with_head_ && told.pieces.empty() && !told.mirror) {
      if (told.chunks.empty()) {
        send_part(echo_, true);
      } else {
        for (const std::string& chunk : told.chunks)
          send_part(chunk, &chunk == &told.chunks.back());
      }
    }
    if (told.reset_stream) {
      end_with_reset();
      return;
    }
    if (!told.trailers.empty()) {
      send_trailers(header_map(told.trailers));
    } else if (told.mirror) {
      send_data({}, true);
    }
    answered();
  }

  void end_with_reset() {
    const ErrorCode code = *answer().reset_stream;
    if (!answer().never && !std::exchange(reset_due_, true)) {
      timer_.start_after({});  // a reset goes before what has not left yet
      return;
    }
    if (unsent() > 0) {
      reset_on_drain_ = true;
      return;
    }
    over_ = true;
    reset_due_ = false;
    reset(code);
    answered();
  }
  void on_drained() override {
    if (std::exchange(reset_on_drain_, false)) end_with_reset();
  }

  void answered() {
    sent_ = true;
    if (!answer().never) {
      ++service_.counts_.answers;
      service_.world_.trace(world::TraceKind::ResponseSent, flow(), number_, answer().status, {});
    }
    if (answer().then_after > world::Duration{}) {
      timer_.start_after(answer().then_after);
    } else {
      then();
    }
  }

  void then() {
    if (answer().goaway && !connection_.going_away_) {
      connection_.going_away_ = true;
      connection_.session_.send_goaway(ErrorCode::NoError);
    }
    connection_.then(answer().then);
  }

  std::uint64_t flow() const { return world::stream_flow(connection_.transport_->flow(), id()); }

  Http2Connection& connection_;
  Service& service_;
  wire::RequestHead head_;
  HeaderLines trailers_;
  std::string body_;
  std::string echo_;  // a composed body
  std::shared_ptr<const ServiceScript> script_;
  std::size_t index_ = 0;
  std::uint64_t number_ = 0;
  bool check_ = false;
  std::size_t piece_ = 0;
  bool begun_ = false;
  bool sending_ = false;
  bool ends_with_head_ = false;
  bool reset_due_ = false;
  bool reset_on_drain_ = false;
  bool sent_ = false;
  bool over_ = false;
  world::Timer timer_;
};

Service::Http2Connection::Http2Connection(Service& service,
                                          std::unique_ptr<world::Transport> transport,
                                          std::uint64_t number)
    : service_(service),
      number_(number),
      transport_(std::move(transport)),
      session_(wire::http2::Session::Role::Server, peer_session_options(), *this) {
  transport_->set_events(*this);
  flush();
  wait_for_request();
}

Service::Http2Connection::~Http2Connection() = default;

wire::http2::Stream& Service::Http2Connection::on_stream() {
  streams_.push_back(std::make_unique<Stream>(*this));
  return *streams_.back();
}

void Service::Http2Connection::on_output() {
  flush();
}

void Service::Http2Connection::flush() {
  if (closed_) return;
  out_.clear();
  session_.take_output(out_);
  if (!out_.empty()) transport_->write(out_);
}

void Service::Http2Connection::on_data(std::string_view bytes) {
  const Entered entered(*this);
  const bool good = session_.feed(bytes);
  flush();
  if (!good && !closed_) close(false, ConnectionEvent::BadRequest);
}

void Service::Http2Connection::on_end() {
  const Entered entered(*this);
  peer_ended_ = true;
  if (service_.options_.observer != nullptr) {
    service_.options_.observer->on_connection(number_, ConnectionEvent::End);
  }
  if (!closed_) close(false, ConnectionEvent::Closed);
}

void Service::Http2Connection::on_error(std::error_code) {
  const Entered entered(*this);
  closed_ = true;
  if (service_.options_.observer != nullptr) {
    service_.options_.observer->on_connection(number_, ConnectionEvent::Reset);
  }
}

void Service::Http2Connection::drop(bool reset) {
  const Entered entered(*this);
  if (!closed_) close(reset, ConnectionEvent::Closed);
}

void Service::Http2Connection::then(Answer::Then what) {
  switch (what) {
    case Answer::Then::Keep:
      if (going_away_ && session_.open_streams() == 0) close(false, ConnectionEvent::Closed);
      break;
    case Answer::Then::Hang:
      break;
    case Answer::Then::Close:
      close(false, ConnectionEvent::Closed);
      break;
    case Answer::Then::Reset:
      close(true, ConnectionEvent::Closed);
      break;
    case Answer::Then::Finish:
      flush();
      if (!closed_) transport_->finish();
      closed_ = true;  // nothing can be said any more, and what comes is of no use
      break;
  }
}

void Service::Http2Connection::close(bool reset, ConnectionEvent event) {
  if (closed_) return;
  flush();
  closed_ = true;
  if (reset) {
    transport_->reset();
  } else {
    transport_->close();
  }
  if (service_.options_.observer != nullptr) {
    service_.options_.observer->on_connection(number_, event);
  }
}

void Service::Http2Connection::remove_ended() {
  const std::size_t before = streams_.size();
  std::erase_if(streams_, [](const auto& stream) { return stream->over(); });
  if (before != 0 && streams_.empty() && !closed_) {
    if (going_away_) {
      close(false, ConnectionEvent::Closed);
    } else {
      wait_for_request();
    }
  }
}

void Service::Http2Connection::wait_for_request() {
  const world::Duration timeout = service_.script_->behaviour.idle_timeout;
  if (timeout == world::Duration{}) return;
  if (idle_timer_ == nullptr) {
    idle_timer_ =
        std::make_unique<world::Timer>(service_.world_.loop(), service_.world_.id(),
                                       world::bind<&Http2Connection::idle_too_long>(this));
  }
  idle_timer_->start_after(timeout);
}

void Service::Http2Connection::idle_too_long() {
  const Entered entered(*this);
  close(false, ConnectionEvent::Closed);
}

}  // namespace peers
