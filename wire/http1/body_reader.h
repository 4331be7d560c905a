#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "wire/http1/message.h"

namespace wire::http1 {

/// Finds the bytes of a body in the bytes of a connection. Holds no memory.
///
/// Source: ENV-HTTP-47, -75, -76.
class BodyReader {
 public:
  enum class Outcome : std::uint8_t { More, Piece, Complete, Error };
  struct Step {
    Outcome outcome = Outcome::More;
    std::size_t used = 0;     ///< Bytes of the input that are done with.
    std::string_view piece;   ///< Of outcome Piece: bytes of the body.
  };

  void start(Framing framing, std::uint64_t content_length, std::uint32_t max_trailer_bytes);
  /// Reads on until there is something to say.
  Step step(std::string_view bytes);
  /// The framing that is being read.
  Framing framing() const { return framing_; }
  const CodecError* error() const { return error_; }

 private:
  enum class State : std::uint8_t { Data, ChunkSize, ChunkExtension, ChunkEnd, Trailers };

  std::uint64_t left_ = 0;  ///< Of the body or of the chunk.
  const CodecError* error_ = nullptr;
  std::uint32_t trailer_bytes_ = 0;
  Framing framing_ = Framing::None;
  State state_ = State::Data;
};

}  // namespace wire::http1
