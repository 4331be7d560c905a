#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "world/time.h"

namespace peers {

/// One header line, as it is written: the name keeps its spelling.
struct HeaderLine {
  std::string name;
  std::string value;
  bool operator==(const HeaderLine&) const = default;
};

/// In order; a name may come several times.
using HeaderLines = std::vector<HeaderLine>;

/// A part of a body, sent so long after the one before it.
struct BodyPiece {
  world::Duration pause{};
  std::string bytes{};
};

/// Whether two header names are one: ASCII case does not count.
bool same_name(std::string_view a, std::string_view b);
/// The first line of that name, or nullptr.
const HeaderLine* find_header(const HeaderLines& lines, std::string_view name);
/// "Not Found" for 404; "Unknown" where RFC 9110 names none.
std::string_view reason_phrase(std::uint16_t status);
/// The header lines of a head as it was received, start line left out, values trimmed.
HeaderLines header_lines(std::string_view head);
/// Appends `lines`, each with its line end.
void append_lines(std::string& out, const HeaderLines& lines);
/// Appends one chunk of a chunked body. Requires: `bytes` is not empty.
void append_chunk(std::string& out, std::string_view bytes);

}  // namespace peers
