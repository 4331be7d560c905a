#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "wire/http1/body_reader.h"
#include "wire/http1/events.h"
#include "wire/http1/head_reader.h"
#include "wire/http1/message.h"

namespace wire::http1 {

/// Turns bytes into responses, exactly as strict and as lax as the real proxy's upstream codec.
///
/// Say what is awaited, then feed. 1xx responses other than 101 are swallowed. It stops after each
/// final response: bytes left then belong to nobody.
/// Source: ENV-HTTP-51, -54, -55, -63, -64.
class ResponseParser {
 public:
  using Events = ParserEvents<ResponseHead>;

  explicit ResponseParser(Limits limits = {});
  ~ResponseParser();

  /// What the next response answers: a HEAD request has no body in its answer; the answer to an
  /// upgrade may be a tunnel.
  void expect(bool head_request, bool upgrade);

  /// Reads up to the end of one response. Returns how many bytes were used: fewer than given when
  /// it is complete or on error(). Without a call of expect() since the last one, any byte is an
  /// error. `events` may destroy neither the parser nor itself.
  std::size_t feed(std::string_view bytes, Events& events);

  /// The peer will send nothing more: completes a body that lasts until then, is an error() within
  /// any other message.
  void on_end_of_stream(Events& events);

  const CodecError& error() const { return *error_; }
  /// Whether part of a response has been read: bytes are missing until it is complete.
  bool in_message() const { return state_ == State::Head || state_ >= State::Body; }
  /// Whether the head of the current response has been handed over and the response goes on.
  bool after_head() const { return state_ >= State::Body; }
  /// Whether the connection can carry another request after this response. Asked after on_head.
  bool keep_alive() const { return keep_alive_; }
  /// From now on every byte is handed to on_body.
  void become_tunnel() { state_ = State::Tunnel; }

  /// Gives the parser a head to fill; takes over the head that on_head was given.
  void lend(std::unique_ptr<ResponseHead> head) { head_ = std::move(head); }
  std::unique_ptr<ResponseHead> take_head() { return std::move(head_); }
  /// Gives back memory while the connection is idle. Requires: !in_message().
  void release();

 private:
  enum class State : std::uint8_t { Idle, Start, Head, Body, Tunnel };

  void finish_head(Events& events);

  Limits limits_;
  State state_ = State::Idle;
  bool head_request_ = false;
  bool upgrade_ = false;
  bool keep_alive_ = true;
  BodyReader body_;
  const CodecError* error_;
  std::unique_ptr<ResponseHead> head_;
  HeadReader reader_;
};

}  // namespace wire::http1
