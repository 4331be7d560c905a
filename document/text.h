#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "document/value.h"
#include "world/result.h"

namespace document {

/// Looks for what no YAML text may have: bytes that are not UTF-8, control characters.
/// The first of them, if any, with its place.
world::Errors check_characters(std::string_view text, const std::string& file);

/// Turns byte columns into character columns.
class Columns {
 public:
  explicit Columns(std::string_view text);
  /// Line and byte offset in the line, both from 0, as yaml-cpp counts them.
  Mark mark(int line, int byte_column) const;

 private:
  std::string_view text_;
  std::vector<std::size_t> line_starts_;  ///< Empty: all characters are single bytes.
};

/// JSON may write one character as two \uXXXX surrogates, which YAML does not know. In a text that
/// is JSON each such pair becomes YAML's one \UXXXXXXXX; any other text is returned as it is.
/// Columns after a pair are two less than in the file, on that line alone.
std::string join_surrogates(std::string_view text);

}  // namespace document
