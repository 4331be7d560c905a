#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "wire/http1/message.h"

namespace wire::http1 {

/// What a parser finds, in order: head, body pieces, complete.
///
/// `Head` is RequestHead or ResponseHead.
template <class Head>
class ParserEvents {
 public:
  /// The head is the parser's own: move out or copy what outlives the message. Its headers may
  /// be changed in place.
  virtual void on_head(Head& head) = 0;
  virtual void on_body(std::string_view bytes) = 0;
  /// The message has ended. Trailers were dropped (ENV-HTTP-47, -55).
  virtual void on_complete() = 0;

 protected:
  ~ParserEvents() = default;
};

/// Turns bytes into requests, exactly as strict and as lax as the real proxy's codec.
///
/// Feed it bytes as they come, in any pieces: the outcome does not depend on the pieces. It stops
/// after each message, so that the owner decides when the next one is read.
/// Source: ENV-HTTP-13, -14, -70, -72 to -77.
class RequestParser {
 public:
  using Events = ParserEvents<RequestHead>;

  explicit RequestParser(Limits limits = {}) : limits_(limits) {}

  /// Reads up to the end of one message. Returns how many bytes were used: fewer than given when a
  /// message is complete (call again with the rest) or on error() (then nothing more is used).
  /// `events` may destroy neither the parser nor itself.
  std::size_t feed(std::string_view bytes, Events& events);

  const CodecError& error() const { return error_; }
  /// Whether part of a message has been read: bytes are missing until it is complete.
  bool in_message() const { return state_ != State::Start; }
  /// Whether the head of the current message has been handed over.
  bool after_head() const { return state_ >= State::Body; }
  /// From now on every byte is handed to on_body: the connection became a tunnel.
  void become_tunnel() { state_ = State::Tunnel; }
  /// Gives back memory while the connection is idle. Requires: !in_message().
  void release();

 private:
  enum class State : std::uint8_t { Start, Head, Body, ChunkSize, ChunkData, ChunkEnd, Trailers, Tunnel };

  Limits limits_;
  State state_ = State::Start;
  CodecError error_;
};

}  // namespace wire::http1
