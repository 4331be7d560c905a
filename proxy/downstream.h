#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/gathered_body.h"
#include "proxy/hop.h"
#include "wire/http1/parser.h"

namespace proxy {

/// One HTTP/1.1 connection from a client (or from the first hop): reads requests one after another
/// and writes their answers.
///
/// Source: ENV-HTTP-56, -67, -68, -70, -78, -79.
class Downstream final : private world::TransportEvents,
                         private wire::http1::RequestParser::Events {
 public:
  Downstream(Hop& hop, std::unique_ptr<world::Transport> transport);
  ~Downstream() override;

  world::Transport& transport() { return *transport_; }
  std::string& out() { return hop_.cork().to(*transport_); }
  std::size_t unsent() const { return transport_->unsent() + hop_.cork().held(*transport_); }

  /// The next answer says `connection: close`, and the connection ends after it.
  void set_closing() { closing_ = true; }
  bool closing() const { return closing_; }
  void set_client_closes() { client_closes_ = true; }
  /// An answer is about to be written: honours a close that the client asked for.
  void close_if_asked() { closing_ = closing_ || client_closes_; }
  /// Request bytes are kept back while the upstream is slow.
  void pause();
  void resume();

  /// The stream has ended. `reset`: its answer was cut short, and the connection with it.
  void stream_ended(bool request_complete, bool reset);

 private:
  friend class Hop;

  enum class Phase : std::uint8_t {
    Inspecting,  // no byte has come
    Idle,
    Busy,     // a request is being read or answered
    Closing,  // the last answer was written: the rest is waiting for the client to go
    Gone,
  };

  void on_data(std::string_view bytes) override;
  void on_end() override;
  void on_error(std::error_code error) override;
  void on_drained() override;
  void on_head(wire::http1::RequestHead& head) override;
  void on_body(std::string_view bytes) override;
  void on_last_chunk() override { hand_over_body(); }
  void on_complete() override;

  void read(std::string_view bytes);
  void hand_over_body();
  void codec_error(const wire::http1::CodecError& error);
  void on_timer();
  void client_gone();
  void become_idle();
  void close_now();
  void close_later();

  Hop& hop_;
  std::unique_ptr<world::Transport> transport_;
  wire::http1::RequestParser parser_;
  std::unique_ptr<Stream> stream_;
  GatheredBody body_;    // of the present read
  std::string waiting_;  // bytes of the next request, while an answer is under way
  world::Timer timer_;   // of the present phase
  std::size_t index_ = 0;
  Phase phase_ = Phase::Inspecting;
  bool reading_ = false;  // bytes are being parsed
  bool closing_ = false;
  bool client_closes_ = false;
  bool request_complete_ = true;  // of the stream
  bool paused_ = false;
  world::TimePoint begun_at_{};  // when the first bytes came
  bool draining_ = false;
  bool unread_ = false;                 // bytes came after the last answer
  std::uint8_t unflushed_answers_ = 0;  // since `flush_event_`
  std::uint64_t flush_event_ = 0;
  std::uint32_t requests_ = 0;
};

}  // namespace proxy
