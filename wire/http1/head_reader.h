#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "wire/http1/message.h"

namespace wire::http1 {

/// Collects the bytes of a head until it is whole. Holds no memory when a head comes in one piece.
class HeadReader {
 public:
  /// Drops line ends before the head. Returns how many bytes.
  static std::size_t skip_line_ends(std::string_view bytes);

  /// Takes bytes of a head. When its end is among them, `block()` is the head with its blank line
  /// until the next call, and the result says how many bytes belong to it; npos when bytes are
  /// missing (all were kept).
  std::size_t take(std::string_view bytes);
  static constexpr std::size_t npos = static_cast<std::size_t>(-1);
  std::string_view block() const { return block_; }
  /// What is known of an unfinished head.
  std::string_view partial() const { return partial_; }

  void clear() { partial_.clear(); }
  void release() { partial_ = {}; }

 private:
  std::string partial_;
  std::string_view block_;
};

}  // namespace wire::http1
