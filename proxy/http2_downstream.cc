#include "proxy/http2_downstream.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "proxy/extended_connect.h"
#include "proxy/responder.h"
#include "proxy/stream.h"

namespace proxy {
namespace {

using wire::http2::ErrorCode;

// A reset is premature within that time, without an answer; from that many requests on, no more
// than half of them may be.
constexpr Duration kPrematureWithin = std::chrono::seconds(1);
constexpr std::uint64_t kPrematureFrom = 500;
constexpr std::string_view kTooManyResets = "too_many_premature_resets";

}  // namespace

/// One request on the connection, and its answer.
class Http2Downstream::Exchange final : public Responder, public wire::http2::Stream {
 public:
  explicit Exchange(Http2Downstream& connection)
      : connection_(connection),
        begun_at_(connection.hop_.world().now()),
        head_(connection.hop_.take_request_head()) {}

  world::Transport& transport() override { return *connection_.transport_; }
  std::uint64_t flow() override { return world::stream_flow(connection_.transport_->flow(), id()); }
  Protocol protocol() const override { return Protocol::Http2; }
  OriginPtr& origin() override { return connection_.origin_; }
  void send_continue() override { connection_.session_.send_interim(*this, 100); }
  void send_head(wire::ResponseHead& head, const AnswerFacts& facts) override {
    if (facts.tunnel) answer_connect(head);
    if (connection_.hop_.drain_closes()) connection_.start_drain();
    connection_.session_.send_response(*this, head.status, head.headers, facts.ends);
  }
  void send_body(std::string_view bytes, bool ends) override { send_data(bytes, ends); }
  void send_trailers(const wire::HeaderMap& trailers) override { Stream::send_trailers(trailers); }
  std::size_t unsent() const override { return Stream::unsent(); }
  void pause() override { pause_reading(); }
  void resume() override { resume_reading(); }
  // Other streams go on: neither ends the connection.
  void set_closing() override {}
  void set_client_closes() override {}

  void stream_ended(bool request_complete, bool cut_short) override {
    connection_.hop_.give_back(std::move(stream_));
    if (over_) return;
    if (cut_short) reset(ErrorCode::InternalError);
    if (cut_short || closed_) {
      over_ = true;
      connection_.remove(*this);
      connection_.rest();
    } else if (!request_complete) {
      reset_when_sent();
    }
  }

  /// Ends the request without an answer.
  void codec_error(std::string_view details) {
    over_ = true;
    if (stream_ == nullptr) {
      if (head_ == nullptr) return;  // it has been answered
      stream_ = connection_.hop_.take_stream();
    }
    stream_->on_codec_error(*this,
                            {0, {}, Stream::details().empty() ? details : Stream::details()});
  }
  /// The same, with nobody at fault.
  void cut_off(std::string_view details) {
    over_ = true;
    if (stream_ != nullptr) stream_->on_cut_off(details);
  }
  void client_gone() {
    over_ = true;
    if (stream_ != nullptr) {
      stream_->on_client_gone();
    } else if (head_ != nullptr) {
      stream_ = connection_.hop_.take_stream();
      stream_->on_client_gone_early(*this);
    }
  }

 private:
  wire::RequestHead& request_head() override { return *head_; }
  void on_head(bool ends) override {
    become_upgrade(*head_);
    stream_ = connection_.hop_.take_stream();
    stream_->begin(*this, std::move(head_), ends);
  }
  void on_data(std::string_view bytes, bool ends) override {
    if (stream_ != nullptr) stream_->on_body(bytes, ends);
  }
  void on_trailers(wire::HeaderMap& trailers) override {
    if (stream_ != nullptr) stream_->on_request_trailers(trailers);
  }
  void on_closed(const wire::http2::StreamEnd& end) override {
    if (!end.reset && stream_ != nullptr && !over_) {
      closed_ = true;  // the last bytes of the answer have left: it is about to end
      return;
    }
    const bool heard = !over_ && (stream_ != nullptr || head_ != nullptr);
    over_ = true;
    const bool young = connection_.hop_.world().now() - begun_at_ < kPrematureWithin;
    connection_.count_closed(heard && young);
    if (heard) {
      if (stream_ == nullptr) stream_ = connection_.hop_.take_stream();
      stream_->on_client_reset(*this, end.code == ErrorCode::ProtocolError, details_of(end));
    }
    connection_.remove(*this);
    connection_.rest();
  }
  void on_drained() override {
    const Cork::Event event(connection_.hop_.cork());
    if (stream_ != nullptr) stream_->on_downstream_drained();
  }

  static std::string_view details_of(const wire::http2::StreamEnd& end) {
    if (!end.details.empty() || end.code == ErrorCode::NoError) return end.details;
    return end.code == ErrorCode::RefusedStream ? "http2.remote_refuse" : "http2.remote_reset";
  }

  friend class Http2Downstream;

  Http2Downstream& connection_;
  world::TimePoint begun_at_;
  std::list<std::unique_ptr<Exchange>>::iterator place_;
  bool removed_ = false;
  std::unique_ptr<wire::RequestHead> head_;  // until the request begins
  std::unique_ptr<proxy::Stream> stream_;    // until it is answered
  bool over_ = false;
  bool closed_ = false;
};

Http2Downstream::Http2Downstream(Hop& hop, std::unique_ptr<world::Transport> transport)
    : Downstream(hop, std::move(transport)),
      session_(wire::http2::Session::Role::Server, {.connect_protocol = hop.plan().allow_connect},
               *this) {
  const HopTimers& timers = hop.plan().timers;
  const bool inspected = timers.tls_inspector > Duration::zero();
  start_timer(inspected ? timers.tls_inspector : timers.connection_idle);
  limit_age();
}

Http2Downstream::~Http2Downstream() = default;

void Http2Downstream::on_data(std::string_view bytes) {
  const Cork::Event event(hop_.cork());
  if (closing()) {
    note_unread();
    return;
  }
  graveyard_.clear();
  if (std::exchange(inspecting_, false)) start_timer(hop_.plan().timers.connection_idle);
  session_.feed(bytes, hop_.world().now());
  if (closing()) return;
  if (too_many_resets_) {  // nothing more is said to it
    for_all([](Exchange& exchange) { exchange.cut_off(kTooManyResets); });
    close_now();
    return;
  }
  if (!session_.failed()) on_output();
  if (session_.failed()) codec_failed();
}

void Http2Downstream::count_closed(bool premature) {
  ++closed_;
  if (premature) ++premature_resets_;
  // Most of a batch may be such: they are counted until it has been read.
  if (premature_resets_ * 2 >= std::max(closed_, kPrematureFrom)) too_many_resets_ = true;
}

void Http2Downstream::on_output() {
  if (takes_output()) session_.take_output(out());
}

/// What the transport does not take stays where the windows of the streams see it.
bool Http2Downstream::takes_output() const {
  return !closing() && unsent_bytes() <= kBufferBytes;
}

wire::http2::Stream& Http2Downstream::on_stream() {
  if (drain_ == Drain::No) stop_timer();
  exchanges_.push_back(std::make_unique<Exchange>(*this));
  exchanges_.back()->place_ = std::prev(exchanges_.end());
  const std::uint32_t most = hop_.plan().timers.max_requests_per_connection;
  if (++requests_ == most) start_drain();
  return *exchanges_.back();
}

void Http2Downstream::start_drain() {
  if (drain_ != Drain::No) return;
  drain_ = Drain::Announced;
  session_.announce_shutdown();
  const Duration drain = hop_.plan().timers.drain;
  start_timer(drain);
}

void Http2Downstream::on_timer() {
  if (inspecting_) {
    close_now();
  } else if (drain_ == Drain::No) {
    start_drain();
  } else {
    drain_ = Drain::Final;
    session_.send_goaway(ErrorCode::NoError);
    rest();
  }
}

void Http2Downstream::on_old() {
  if (inspecting_) {
    close_now();
  } else {
    start_drain();
  }
}

void Http2Downstream::remove(Exchange& exchange) {
  if (std::exchange(exchange.removed_, true)) return;
  graveyard_.splice(graveyard_.end(), exchanges_, exchange.place_);
}

/// Takes leave of every exchange.
template <class F>
void Http2Downstream::for_all(F tell) {
  auto all = std::exchange(exchanges_, {});
  for (const auto& exchange : all) exchange->removed_ = true;
  for (const auto& exchange : all) tell(*exchange);
  graveyard_.splice(graveyard_.end(), all);
}

void Http2Downstream::rest() {
  if (closing() || !exchanges_.empty()) return;
  if (drain_ == Drain::Final) {
    close_later();
  } else if (drain_ == Drain::No) {
    start_timer(hop_.plan().timers.connection_idle);
  }
}

void Http2Downstream::codec_failed() {
  const std::string details = session_.error();
  // Whoever broke the rules comes first.
  const auto guilty = [](const auto& exchange) {
    return !exchange->wire::http2::Stream::details().empty();
  };
  exchanges_.sort([&](const auto& a, const auto& b) { return guilty(a) && !guilty(b); });
  for_all([&](Exchange& exchange) { exchange.codec_error(details); });
  close_later();
}

void Http2Downstream::client_gone() {
  const bool tell = !closing();
  expect_nothing();
  for_all([tell](Exchange& exchange) {
    if (tell) exchange.client_gone();
  });
  close_now();
}

void Http2Downstream::on_end() {
  const Cork::Event event(hop_.cork());
  if (!gone()) client_gone();
}

void Http2Downstream::on_error(std::error_code) {
  const Cork::Event event(hop_.cork());
  // Whoever waits for the client to go sees its FIN, and no reset (ENV-LIFE-02).
  if (!closing()) client_gone();
}

void Http2Downstream::on_drained() {
  const Cork::Event event(hop_.cork());
  on_output();
}

}  // namespace proxy
