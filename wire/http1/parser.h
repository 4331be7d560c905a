#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "wire/http1/body_reader.h"
#include "wire/http1/errors.h"
#include "wire/http1/events.h"
#include "wire/http1/message.h"

namespace wire::http1 {

struct FirstLine;
struct HeaderFacts;

/// Turns bytes into requests, exactly as strict and as lax as the real proxy's codec.
///
/// Feed it bytes as they come, in any pieces: the requests found do not depend on the pieces. It
/// stops after each message, so that the owner decides when the next one is read. Once the buffers
/// have grown, a message that lies in one piece costs no allocation.
/// Source: ENV-HTTP-13, -14, -18, -22, -23, -45, -70, -72 to -77.
class RequestParser {
 public:
  using Events = ParserEvents<RequestHead>;

  explicit RequestParser(Limits limits = {}) : limits_(limits) {}

  /// Reads up to the end of one message. Returns how many bytes were used: fewer than given when a
  /// message is complete (call again with the rest) or on error() (then nothing more is used).
  /// `events` may destroy neither the parser nor itself.
  std::size_t feed(std::string_view bytes, Events& events);

  /// What is wrong with the bytes. Errors of the body come after on_head (ENV-HTTP-76).
  const CodecError& error() const { return *error_; }
  /// Whether part of a message has been read: bytes are missing until it is complete.
  bool in_message() const { return state_ != State::Start; }
  /// Whether the head of the current message has been handed over and the message goes on.
  bool after_head() const { return state_ >= State::Body; }
  /// From now on every byte is handed to on_body: the connection became a tunnel. After a head of
  /// Framing::Tunnel this is so by itself.
  void become_tunnel() { state_ = State::Tunnel; }
  /// Leaves an unfinished message or a tunnel: the next byte begins a new message.
  void reset();

  /// Gives the parser a head to fill, so that heads are reused over many connections.
  void lend(std::unique_ptr<RequestHead> head) { head_ = std::move(head); }
  /// Takes over the head that on_head was given, at any time from then on: the reference stays
  /// valid.
  std::unique_ptr<RequestHead> take_head() { return std::move(head_); }
  /// Gives back all memory while the connection is idle. Requires: !in_message().
  void release();

 private:
  enum class State : std::uint8_t { Start, Head, Body, Tunnel };

  /// Both return how many bytes were used; a head was read if the state is beyond Head.
  std::size_t feed_head(std::string_view bytes, Events& events);
  std::size_t feed_body(std::string_view bytes, Events& events);
  /// Fills head_ from a whole head. Leaves in `block` what belongs to it.
  const CodecError* read_head(std::string_view& block);
  /// Fills in what follows from the first line and the header lines, which are in head_.
  const CodecError* judge(const FirstLine& line, HeaderFacts& facts);
  void hand_over(Events& events);

  const CodecError* error_ = &kNoError;
  std::unique_ptr<RequestHead> head_;
  std::string partial_;  ///< An unfinished head, or unfinished trailers.
  BodyReader body_;
  Limits limits_;
  State state_ = State::Start;
  bool first_line_seen_ = false;  ///< Of an unfinished head, and found to be right.
};

}  // namespace wire::http1
