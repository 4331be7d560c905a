#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "document/value.h"
#include "world/result.h"

namespace document {

/// A parsed text: its value and the name of the file it came from.
struct Document {
  std::string file;
  Value root;

  world::Place place(Mark at) const { return {file, at.line, at.column}; }
};

/// What a text may cost. Whoever goes beyond gets an error that names the limit.
struct Limits {
  std::size_t text_bytes = 16 << 20;
  std::size_t depth = 100;              ///< Lists and objects inside each other.
  std::size_t nodes = 1'000'000;        ///< Values, counted after aliases are expanded.
  std::size_t string_bytes = 64 << 20;  ///< Keys and strings, after aliases are expanded.
};

/// Parses YAML, and with it JSON, that holds exactly one document.
///
/// Plain scalars are typed as YAML 1.2's core schema says: null, true, false, integers (decimal,
/// 0x, 0o), floats; all else is a string, also yes, no, on, off, dates, .inf and .nan. A decimal
/// integer with leading zeros stays a string, as two YAML versions read it differently and an
/// account id would lose its zeros. Numbers beyond 64 bits are errors, and so are duplicate
/// keys, merge keys, unknown tags, control characters and bytes that are not UTF-8.
///
/// Errors: each has file, line and column. All duplicate keys and bad scalars come at once; a
/// syntax error ends the list.
world::Result<Document, world::Errors> parse(std::string_view text, std::string file_name,
                                             const Limits& limits = {});

/// The same for any number of documents in one text, "---" between them. None is an empty list.
world::Result<std::vector<Document>, world::Errors> parse_all(std::string_view text,
                                                              std::string file_name,
                                                              const Limits& limits = {});

}  // namespace document
