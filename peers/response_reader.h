#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace peers {

/// Reads answers as a client does, and keeps each head exactly as it came.
///
/// It is apart from the gateway's codec on purpose: a client that read with that codec could not
/// see its mistakes. It is lax (line ends may be bare LF, names may be in any case) and copies
/// nothing when a head arrives whole. Source: RFC 9112, sections 2.2, 6.3 and 7.1.
class ResponseReader {
 public:
  enum class Found : std::uint8_t {
    NeedMore,  ///< All bytes are used.
    Head,      ///< See status() and head(). 1xx heads are followed by another head.
    Body,      ///< See piece().
    Complete,  ///< The answer has ended. The next bytes belong to the next one.
    Bad,       ///< This is not HTTP/1. Nothing more is read.
  };

  /// Reads on, and takes what was used off the front of `bytes`. Views of the last step are valid
  /// until the next one. Call again until NeedMore or Bad.
  Found next(std::string_view& bytes);
  /// Says, after a Head, that this answer has no body whatever it claims (HEAD, CONNECT).
  void skip_body();
  /// The peer will send nothing more. True if that completes the answer.
  bool end() const { return state_ == State::UntilClose; }

  std::uint16_t status() const { return status_; }
  /// Status line to empty line, as received.
  std::string_view head() const { return head_; }
  std::string_view piece() const { return piece_; }
  /// Whether another answer may follow on this connection, by what this answer's head says.
  bool keeps_alive() const { return keeps_alive_; }
  /// Whether part of an answer has been read.
  bool in_answer() const { return state_ != State::Head || !buffer_.empty(); }
  bool after_head() const { return state_ != State::Head; }

 private:
  enum class State : std::uint8_t {
    Head,
    Body,
    ChunkSize,
    ChunkData,
    ChunkEnd,
    Trailers,
    UntilClose,
    Complete,
    Broken
  };

  static constexpr std::size_t kMostHeadBytes = 1024 * 1024;

  Found read_head(std::string_view& bytes);
  bool parse_head();
  /// A line without its end, or false while it is incomplete (its start is kept).
  bool read_line(std::string_view& bytes, std::string_view& line);
  Found fail();

  State state_ = State::Head;
  bool keeps_alive_ = true;
  bool buffer_used_ = false;  // `head_` or a line views the buffer: it goes before the next step
  std::uint16_t status_ = 0;
  std::uint64_t left_ = 0;  // of the body, or of the chunk
  std::string_view head_;
  std::string_view piece_;
  std::string buffer_;  // the start of a head or line whose end has not come
};

}  // namespace peers
