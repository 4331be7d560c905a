#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "wire/headers.h"
#include "wire/http1/message.h"

namespace wire::http1 {

/// Where the head that begins `text` ends: the offset behind its blank line, or npos. Looks only
/// for line ends at or after `from`. Lines end with LF or CRLF.
/// Requires: `text` begins with neither.
std::size_t find_head_end(std::string_view text, std::size_t from = 0);

/// The three parts of a first line, split at blanks. Missing parts are empty.
struct FirstLine {
  std::string_view line;  ///< All of it, blanks at its end removed.
  std::string_view first;
  std::string_view second;
  std::string_view third;         ///< All the rest, blanks at its end removed.
  std::string_view after_second;  ///< From the second part on, with the blanks behind it.
};
FirstLine split_first_line(std::string_view line);

/// "HTTP/d.d", or nothing at all.
bool is_version(std::string_view version);

/// What header lines say of the message's framing and its connection.
struct HeaderFacts {
  bool has_connection = false;
  bool has_transfer_encoding = false;
  bool chunked = false;  ///< Of the last transfer-encoding line, before CRs within it are dropped.
  bool has_content_length = false;
  std::uint64_t content_length = 0;
};

struct HeaderRules {
  bool request = true;
  bool has_lone_cr = false;    ///< What scan_head() saw.
  bool length_matters = true;  ///< Whether a content-length that is no number is a fault.
  std::uint32_t max_headers = 100;
};

/// Reads header lines up to and with their blank line into `headers`.
///
/// Faults are found in the real parser's order: those of any line's form come before too many
/// headers. Control characters have been looked for before.
/// Errors: as returned; null is success. Source: ENV-HTTP-75, -77.
const CodecError* read_headers(std::string_view lines, const HeaderRules& rules, HeaderMap& headers,
                               HeaderFacts& facts);

/// Checks trailer lines up to and with their blank line, and spoils them. Null is success.
const CodecError* check_trailers(std::string& lines);

}  // namespace wire::http1
