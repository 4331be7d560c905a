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

/// Bounds of a response head as the real proxy sets them for upstreams.
inline constexpr Limits kResponseLimits{.max_head_bytes = 80 * 1024, .max_headers = 100};

/// Turns bytes into responses, exactly as strict and as lax as the real proxy's upstream codec.
///
/// Say what is awaited, then feed. 1xx responses other than 101 are swallowed. It stops after each
/// final response: bytes left then belong to nobody.
/// Source: ENV-HTTP-51, -54, -55, -63, -64.
class ResponseParser {
 public:
  using Events = ParserEvents<ResponseHead>;

  explicit ResponseParser(Limits limits = kResponseLimits) : limits_(limits) {}

  /// What the next response answers: a HEAD request has no body in its answer; the answer to an
  /// upgrade may become a tunnel. Requires: !in_message().
  void expect(bool head_request, bool upgrade);

  /// Reads up to the end of one response. Returns how many bytes were used: fewer than given when
  /// it is complete or on error(). Without expect() since the last one, any byte is an error.
  /// `events` may destroy neither the parser nor itself.
  std::size_t feed(std::string_view bytes, Events& events);

  /// The peer will send nothing more: completes a body that lasts until then, is an error() within
  /// any other message. Before the first byte of a response it is neither: see in_message().
  void on_end_of_stream(Events& events);

  const CodecError& error() const { return *error_; }
  /// Whether part of a response has been read: bytes are missing until it is complete.
  bool in_message() const { return state_ >= State::Head; }
  /// Whether the head of the current response has been handed over and the response goes on.
  bool after_head() const { return state_ >= State::Body; }
  /// Whether a 1xx response came before the final one.
  bool saw_interim() const { return saw_interim_; }
  /// Whether the connection can carry another request after this response. Asked after on_head.
  bool keep_alive() const { return keep_alive_; }
  /// From now on every byte is handed to on_body.
  void become_tunnel() { state_ = State::Tunnel; }

  /// Gives the parser a head to fill, so that heads are reused over many connections.
  void lend(std::unique_ptr<ResponseHead> head) { head_ = std::move(head); }
  /// Takes over the head that on_head was given, at any time from then on: the reference stays
  /// valid.
  std::unique_ptr<ResponseHead> take_head() { return std::move(head_); }
  /// Gives back all memory while the connection is idle. Requires: !in_message().
  void release();

 private:
  enum class State : std::uint8_t { Idle, Start, Head, Body, Tunnel };

  /// Both return how many bytes were used.
  std::size_t feed_head(std::string_view bytes, Events& events);
  std::size_t feed_body(std::string_view bytes, Events& events);
  /// Fills head_ from a whole head.
  const CodecError* read_head(std::string_view block);
  /// Fills in what follows from the first line and the header lines, which are in head_.
  const CodecError* judge(const FirstLine& line, HeaderFacts& facts);
  void hand_over(Events& events);
  void complete(Events& events);

  const CodecError* error_ = &kNoError;
  std::unique_ptr<ResponseHead> head_;
  std::string partial_;  ///< An unfinished head, or unfinished trailers.
  BodyReader body_;
  Limits limits_;
  State state_ = State::Idle;
  bool head_request_ = false;
  bool upgrade_ = false;
  bool keep_alive_ = true;
  bool saw_interim_ = false;
  bool first_line_seen_ = false;  ///< Of an unfinished head, and found to be right.
};

}  // namespace wire::http1
