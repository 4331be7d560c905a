#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "wire/http1/message.h"

namespace wire::http1 {

/// Finds the bytes of a body in the bytes of a connection. Keeps no bytes but those of trailers.
///
/// Source: ENV-HTTP-47, -75, -76.
class BodyReader {
 public:
  enum class Outcome : std::uint8_t {
    More,
    Piece,
    LastChunk,  ///< Only trailers follow.
    Complete,
    Error,
  };
  struct Step {
    Outcome outcome = Outcome::More;
    std::size_t used = 0;    ///< Bytes of the input that are done with.
    std::string_view piece;  ///< Of outcome Piece: bytes of the body.
  };

  /// Requires: there is a body.
  void start(Framing framing, std::uint64_t content_length);
  Framing framing() const { return framing_; }

  /// Reads on until there is something to say; More means that all bytes are used. Of outcome
  /// Error, `error` is set. `trailers` is kept by the caller between calls, empty at first.
  Step step(std::string_view bytes, std::uint32_t max_trailer_bytes, std::string& trailers,
            const CodecError*& error);

 private:
  enum class State : std::uint8_t { Data, Size, Extension, AfterData, AfterLast, Trailers };

  Step step_chunked(std::string_view bytes, std::uint32_t max_trailer_bytes, std::string& trailers,
                    const CodecError*& error);
  bool read_size(const char*& at, const char* end);
  bool read_extension(const char*& at, const char* end);
  /// Whether the blank line behind the last chunk is complete. Stops before a trailer.
  bool read_last_line_end(const char*& at, const char* end);

  std::uint64_t left_ = 0;       ///< Of the body, or of the chunk.
  std::uint32_t line_ends_ = 0;  ///< The last CRs and LFs behind the last chunk, newest lowest.
  Framing framing_ = Framing::None;
  State state_ = State::Data;
  bool has_digit_ = false;
  bool after_cr_ = false;
};

}  // namespace wire::http1
