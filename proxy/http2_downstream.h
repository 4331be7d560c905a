#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string_view>

#include "proxy/downstream.h"
#include "wire/http2/session.h"

namespace proxy {

/// One HTTP/2 connection from a client (or from the first hop), with a stream for each request.
///
/// Source: ENV-HTTP-110 to -117, ENV-LIFE-03.
class Http2Downstream final : public Downstream, private wire::http2::SessionEvents {
 public:
  Http2Downstream(Hop& hop, std::unique_ptr<world::Transport> transport);
  ~Http2Downstream() override;

  /// The first bytes, if they were read before it was known what they are.
  void begin(std::string_view bytes) { on_data(bytes); }

 private:
  class Exchange;

  /// How far its end has been announced.
  enum class Drain : std::uint8_t { No, Announced, Final };

  void on_data(std::string_view bytes) override;
  void on_end() override;
  void on_error(std::error_code error) override;
  void on_drained() override;
  void on_timer() override;
  void on_old() override;

  wire::http2::Stream& on_stream() override;
  void on_output() override;
  bool takes_output() const override;
  void on_goaway(std::int32_t, wire::http2::ErrorCode) override {}

  void start_drain();
  /// A client that resets most of its requests before they are answered is cut off.
  void count_closed(bool premature);
  /// The codec can't go on: what is under way ends without an answer.
  void codec_failed();
  void client_gone();
  /// Forgets an exchange; it is destroyed after the present event.
  void remove(Exchange& exchange);
  template <class F>
  void for_all(F tell);
  /// After an exchange has gone.
  void rest();

  wire::http2::Session session_;
  std::list<std::unique_ptr<Exchange>> exchanges_;
  std::list<std::unique_ptr<Exchange>> graveyard_;
  std::uint32_t requests_ = 0;
  std::uint64_t closed_ = 0;
  std::uint64_t premature_resets_ = 0;
  bool too_many_resets_ = false;
  Drain drain_ = Drain::No;
  bool inspecting_ = true;  // no byte has come
};

}  // namespace proxy
