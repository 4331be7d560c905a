#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "proxy/downstream.h"
#include "proxy/gathered_body.h"
#include "proxy/responder.h"
#include "wire/http1/parser.h"

namespace proxy {

/// One HTTP/1.1 connection from a client (or from the first hop): reads requests one after another
/// and writes their answers. One that begins with HTTP/2's preface becomes an Http2Downstream.
///
/// Source: ENV-HTTP-56, -67, -68, -70, -78, -79, -117.
class Http1Downstream final : public Downstream,
                              private Responder,
                              private wire::http1::RequestParser::Events {
 public:
  Http1Downstream(Hop& hop, std::unique_ptr<world::Transport> transport);
  ~Http1Downstream() override;

  /// The first bytes, if they were read before it was known what they are.
  void begin(std::string_view bytes) { on_data(bytes); }

 private:
  enum class Phase : std::uint8_t {
    Inspecting,  // no byte has come
    Idle,
    Busy,  // a request is being read or answered
  };

  void on_data(std::string_view bytes) override;
  void on_end() override;
  void on_error(std::error_code error) override;
  void on_drained() override;
  void on_timer() override;
  void on_old() override;

  void on_head(wire::RequestHead& head) override;
  void on_body(std::string_view bytes) override;
  void on_last_chunk() override { hand_over_body(); }
  void on_complete() override;

  world::Transport& transport() override { return *transport_; }
  std::uint64_t flow() override { return transport_->flow(); }
  Protocol protocol() const override { return Protocol::Http1; }
  OriginPtr& origin() override { return origin_; }
  void send_continue() override { out() += "HTTP/1.1 100 Continue\r\n\r\n"; }
  void send_head(wire::ResponseHead& head, const AnswerFacts& facts) override;
  void send_body(std::string_view bytes, bool ends) override;
  void send_trailers(const wire::HeaderMap&) override { send_body({}, true); }
  std::size_t unsent() const override { return unsent_bytes(); }
  void pause() override;
  void resume() override;
  void set_closing() override { closing_ = true; }
  void set_client_closes() override { client_closes_ = true; }
  void stream_ended(bool request_complete, bool reset) override;

  void read(std::string_view bytes);
  void hand_over_body();
  void codec_error(const wire::CodecError& error);
  void client_gone();
  void become_idle();
  void await_head();
  std::pair<Duration, HeadTimeout> head_timeout() const;
  void start_drain();
  void await_drain();

  wire::http1::RequestParser parser_;
  std::unique_ptr<Stream> stream_;
  GatheredBody body_;    // of the present read
  std::string waiting_;  // bytes of the next request, while an answer is under way
  Phase phase_ = Phase::Inspecting;
  bool reading_ = false;  // bytes are being parsed
  bool closing_ = false;  // the next answer says `connection: close`, and is the last
  bool client_closes_ = false;
  bool request_complete_ = true;  // of the stream
  bool chunked_answer_ = false;
  bool paused_ = false;
  world::TimePoint begun_at_{};         // when the first bytes came
  world::TimePoint drained_at_{};       // when it may close, where it drains
  bool draining_ = false;               // the next answers say `connection: close`
  std::uint32_t requests_ = 0;          // where their number is limited
  std::uint8_t unflushed_answers_ = 0;  // since `flush_event_`
  std::uint64_t flush_event_ = 0;
};

}  // namespace proxy
