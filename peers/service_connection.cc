#include "peers/service_connection.h"

#include <algorithm>
#include <utility>

#include "peers/echo.h"

namespace peers {
namespace {

using ConnectionEvent = ServiceObserver::ConnectionEvent;
using wire::http1::Framing;
using wire::http1::RequestHead;

constexpr std::size_t kMostPendingBytes = 64 * 1024;  // of requests that wait for their turn
constexpr std::size_t kMostKeptBytes = 4096;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr std::string_view kBadRequest =
    "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// The status that raw bytes begin with, or 0.
std::uint16_t status_of(std::string_view bytes) {
  if (bytes.size() < 12 || bytes.substr(0, 7) != "HTTP/1.") return 0;
  std::uint16_t status = 0;
  for (const char c : bytes.substr(9, 3)) {
    if (c < '0' || c > '9') return 0;
    status = static_cast<std::uint16_t>(status * 10 + (c - '0'));
  }
  return status;
}

bool asks_to_close(const RequestHead& head) {
  return same_name(head.headers.get(wire::HeaderName::Connection), "close");
}

void empty(std::string& buffer) {
  if (buffer.capacity() > kMostKeptBytes) {
    buffer = {};
  } else {
    buffer.clear();
  }
}

}  // namespace

// --- Reading -------------------------------------------------------------------------------

void Service::Connection::on_data(std::string_view bytes) {
  const Entered entered(*this);
  if (mode_ == Mode::Reading || (mode_ == Mode::Answering && !complete_)) {
    read(bytes);
  } else if (mode_ == Mode::Answering && takes_bytes() && !wants_websocket()) {
    extra(bytes);
    go_on();
  } else if (mode_ == Mode::Answering) {
    pending_.append(bytes);
    if (pending_.size() > kMostPendingBytes) transport_->pause_reading();
  } else if (mode_ == Mode::Ignoring) {
    extra(bytes);
  } else if (mode_ == Mode::Socket) {
    websocket_->on_data(bytes);
  }
}

void Service::Connection::read(std::string_view bytes) {
  while (!bytes.empty()) {
    if (mode_ != Mode::Reading && (mode_ != Mode::Answering || complete_)) break;
    if (idle_timer_ != nullptr) idle_timer_->stop();
    if (head_ == nullptr && !lent_) {
      parser_.lend(service_.take_spare_head());
      lent_ = true;
    }
    const std::size_t used = parser_.feed(bytes, *this);
    if (service_.options_.keep_raw && !begun_) raw_.append(bytes.substr(0, used));
    bytes.remove_prefix(used);
    if (head_seen_) head_read();
    if (parser_.error()) {
      if (!begun_) transport_->write(kBadRequest);
      close(false, ConnectionEvent::BadRequest);
      return;
    }
    if (complete_ && !begun_) begin();
    if (complete_ && mode_ == Mode::Reading) next_request();
  }
  if (mode_ == Mode::Closed) return;
  if (mode_ == Mode::Socket) {
    websocket_->on_data(std::exchange(pending_, {}).append(bytes));
    return;
  }
  if (mode_ == Mode::Answering && !takes_bytes()) {
    pending_.append(bytes);  // the next request came while this one is answered
    return;
  }
  if (mode_ == Mode::Reading) {
    read_pending();
    return;
  }
  if (wants_websocket()) {
    pending_.append(bytes);  // it comes before the answer
    return;
  }
  if (!pending_.empty()) extra(std::exchange(pending_, {}));
  if (!bytes.empty()) extra(bytes);
  go_on();
}

void Service::Connection::read_pending() {
  if (pending_.empty()) return;
  const std::string bytes = std::exchange(pending_, {});
  transport_->resume_reading();
  read(bytes);
}

void Service::Connection::head_read() {
  head_seen_ = false;
  lent_ = false;
  head_ = parser_.take_head();
  script_ = service_.script_;
  const Choice choice = service_.choose(*head_);
  answer_index_ = choice.answer;
  check_ = choice.check;
  request_ = choice.number;
  close_after_ = asks_to_close(*head_);
  const Answer& answer = script_->answer(answer_index_);
  if (upgrade_) {
    complete_ = true;
  } else if (answer.trigger == Answer::Trigger::Head) {
    begin();
  } else if (answer.trigger == Answer::Trigger::Continue && !complete_ &&
             head_->headers.has(wire::HeaderName::Expect)) {
    transport_->write(kContinue);
  }
}

void Service::Connection::tell(const RequestHead& head) {
  std::string_view raw = raw_;
  std::string_view body = body_;
  if (!complete_ || upgrade_ || script_->answer(answer_index_).trigger == Answer::Trigger::Head) {
    raw = raw.substr(0, raw.find("\r\n\r\n") + 4);
    body = {};
  }
  service_.options_.observer->on_request({.id = request_,
                                          .check = check_,
                                          .connection = number_,
                                          .at = service_.world_.now(),
                                          .head = head,
                                          .body = body,
                                          .raw = raw,
                                          .flow = transport_->flow(),
                                          .local = transport_->local(),
                                          .remote = transport_->remote(),
                                          .tls = secured()});
}

// --- Answering -----------------------------------------------------------------------------

void Service::Connection::begin() {
  begun_ = true;
  std::string& text = service_.scratch_;
  text.assign(head_->method).append(1, ' ').append(head_->target);
  text.append(" HTTP/1.1\r\nhost: ").append(head_->headers.get(wire::HeaderName::Host));
  service_.world_.trace(world::TraceKind::RequestSeen, transport_->flow(), request_, 0, text);
  if (service_.options_.observer != nullptr) tell(*head_);
  if (mode_ == Mode::Closed) return;  // by the observer

  const ServiceScript::Prepared& prepared = script_->prepared[answer_index_];
  const bool to_head = head_->method == "HEAD";
  if (prepared.at_once && complete_ && !to_head && !close_after_ && !upgrade_) {
    transport_->write(prepared.bytes);
    ++service_.counts_.answers;
    service_.world_.trace(world::TraceKind::ResponseSent, transport_->flow(), request_,
                          script_->answer(answer_index_).status, {});
    return;
  }
  exchange_ = std::make_unique<Exchange>(*this, script_, answer_index_);
  const Answer& answer = exchange_->answer();
  if (!answer.never && answer.raw.empty() && !wants_websocket()) {
    if (!prepared.bytes.empty() && !to_head) {
      exchange_->bytes = prepared.bytes;
    } else {
      std::string echo;
      if (!answer.body && answer.chunks.empty()) {
        echo = echo_body(service_.options_.service, service_.options_.endpoint, *head_, body_);
      }
      exchange_->bytes = compose_answer(answer, echo, "application/json", to_head);
    }
  }
  mode_ = Mode::Answering;
  if (answer.after > world::Duration{}) {
    exchange_->timer.start_after(answer.after);
  } else {
    exchange_->started = true;
    go_on();
  }
}

void Service::Connection::due() {
  const Entered entered(*this);
  exchange_->started = true;
  go_on();
  if (mode_ == Mode::Reading) read_pending();
}

/// Does what can be done of the answer now.
void Service::Connection::go_on() {
  if (mode_ != Mode::Answering || !exchange_->started || exchange_->timer.running()) return;
  if (wants_websocket() && !exchange_->answer().never) {
    open_websocket();
    return;
  }
  if (!exchange_->sent) {
    if (!send_answer()) return;
    exchange_->sent = true;
    if (exchange_->answer().then_after > world::Duration{}) {
      exchange_->timer.start_after(exchange_->answer().then_after);
      return;
    }
  }
  finish_exchange();
}

/// False: it goes on later, or the connection is closed.
bool Service::Connection::send_answer() {
  const Answer& answer = exchange_->answer();
  if (answer.never) return true;
  std::uint16_t status = answer.status;
  if (answer.raw.empty()) {
    transport_->write(exchange_->bytes);
  } else {
    status = 0;
    for (const RawStep& step : answer.raw) {
      if (status == 0 && step.kind == RawStep::Kind::Send) status = status_of(step.bytes);
    }
  }
  while (exchange_->step < answer.raw.size()) {
    const RawStep& step = answer.raw[exchange_->step];
    switch (step.kind) {
      case RawStep::Kind::Send:
        transport_->write(step.bytes);
        break;
      case RawStep::Kind::Pause:
        ++exchange_->step;
        exchange_->timer.start_after(step.pause);
        return false;
      case RawStep::Kind::Await:
        if (exchange_->extra_bytes < step.count) {
          if (peer_ended_) close(false, ConnectionEvent::Closed);
          return false;
        }
        exchange_->extra_bytes -= step.count;
        break;
      case RawStep::Kind::Finish:
        then(Answer::Then::Finish);
        return false;
      case RawStep::Kind::Close:
        then(Answer::Then::Close);
        return false;
      case RawStep::Kind::Reset:
        then(Answer::Then::Reset);
        return false;
    }
    ++exchange_->step;
  }
  ++service_.counts_.answers;
  service_.world_.trace(world::TraceKind::ResponseSent, transport_->flow(), request_, status, {});
  return true;
}

void Service::Connection::finish_exchange() {
  const Answer& answer = exchange_->answer();
  Answer::Then what = answer.then;
  if (what == Answer::Then::Keep && (answer.tunnel || answer.status == 101))
    what = Answer::Then::Hang;
  if (what == Answer::Then::Keep && (close_after_ || peer_ended_)) what = Answer::Then::Close;
  then(what);
}

void Service::Connection::then(Answer::Then what) {
  switch (what) {
    case Answer::Then::Keep:
      exchange_.reset();
      mode_ = Mode::Reading;
      if (upgrade_) parser_.reset();  // the upgrade was refused
      if (complete_) next_request();
      return;
    case Answer::Then::Close:
      close(false, ConnectionEvent::Closed);
      return;
    case Answer::Then::Reset:
      close(true, ConnectionEvent::Closed);
      return;
    case Answer::Then::Finish:
      transport_->finish();
      mode_ = Mode::Ignoring;
      break;
    case Answer::Then::Hang:
      mode_ = Mode::Ignoring;
      break;
  }
  exchange_.reset();
  if (peer_ended_) close(false, ConnectionEvent::Closed);
}

/// The request and its answer are over.
void Service::Connection::next_request() {
  if (head_ != nullptr) service_.give_spare_head(std::move(head_));
  script_.reset();
  empty(body_);
  empty(raw_);
  complete_ = begun_ = upgrade_ = false;
  wait_for_request();
}

void Service::Connection::wait_for_request() {
  const world::Duration timeout = service_.script_->behaviour.idle_timeout;
  if (timeout == world::Duration{}) return;
  if (idle_timer_ == nullptr) {
    idle_timer_ = std::make_unique<world::Timer>(service_.world_.loop(), service_.world_.id(),
                                                 world::bind<&Connection::idle_too_long>(this));
  }
  idle_timer_->start_after(timeout);
}

void Service::Connection::idle_too_long() {
  const Entered entered(*this);
  close(false, ConnectionEvent::Closed);
}

/// Bytes that belong to no request.
void Service::Connection::extra(std::string_view bytes) {
  if (exchange_ != nullptr) exchange_->extra_bytes += bytes.size();
  if (service_.options_.observer != nullptr) service_.options_.observer->on_bytes(number_, bytes);
}

// --- WebSockets ----------------------------------------------------------------------------

bool Service::Connection::wants_websocket() const {
  return exchange_ != nullptr && exchange_->answer().websocket != nullptr && upgrade_ &&
         same_name(head_->headers.get(wire::HeaderName::Upgrade), "websocket");
}

void Service::Connection::open_websocket() {
  const Answer& answer = exchange_->answer();
  std::string bytes = "HTTP/1.1 101 Switching Protocols\r\n";
  append_lines(bytes, answer.headers);
  bytes += "connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: ";
  bytes += wire::websocket_accept(head_->headers.get("sec-websocket-key"));
  transport_->write(bytes += "\r\n\r\n");
  ++service_.counts_.answers;
  service_.world_.trace(world::TraceKind::ResponseSent, transport_->flow(), request_, 101, {});
  mode_ = Mode::Socket;
  websocket_ = std::make_unique<WebSocketEnd>(service_.world_, wire::WebSocket::Role::Server,
                                              *answer.websocket, *transport_, [this] {
                                                const Entered entered(*this);
                                                websocket_over(ConnectionEvent::Closed);
                                                mode_ = Mode::Closed;
                                              });
  if (peer_ended_) {
    close(false, ConnectionEvent::Closed);
    return;
  }
  websocket_->start();
  if (mode_ == Mode::Socket && !pending_.empty()) {
    websocket_->on_data(std::exchange(pending_, {}));
  }
}

void Service::Connection::websocket_over(ConnectionEvent event) {
  if (websocket_ != nullptr && service_.options_.observer != nullptr) {
    service_.options_.observer->on_websocket(transport_->flow(), websocket_->frames());
  }
  tell(event);
}

// --- The end -------------------------------------------------------------------------------

void Service::Connection::on_end() {
  const Entered entered(*this);
  peer_ended_ = true;
  tell(ConnectionEvent::End);
  if (mode_ == Mode::Answering && complete_) {
    go_on();  // a client may close its half and still want the answer
    return;
  }
  if (mode_ != Mode::Closed) close(false, ConnectionEvent::Closed);
}

void Service::Connection::on_error(std::error_code) {
  const Entered entered(*this);
  mode_ = Mode::Closed;
  websocket_over(ConnectionEvent::Reset);
}

void Service::Connection::drop(bool reset) {
  const Entered entered(*this);
  if (mode_ != Mode::Closed) close(reset, ConnectionEvent::Closed);
}

void Service::Connection::close(bool reset, ConnectionEvent event) {
  if (reset) {
    transport_->reset();
  } else {
    transport_->close();
  }
  mode_ = Mode::Closed;
  websocket_over(event);
}

}  // namespace peers
