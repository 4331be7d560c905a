#include "wire/http1/head_parser.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "wire/http1/chars.h"
#include "wire/http1/errors.h"

namespace wire::http1 {
namespace {

/// One header line, with the lines folded into it.
struct Line {
  char* name = nullptr;
  char* name_end = nullptr;
  char* value = nullptr;  ///< Trimmed at both ends; may hold line ends when folded.
  char* value_end = nullptr;
  char* next = nullptr;
  bool folded = false;
  bool odd_name = false;  ///< Has bytes that are refused only after all lines were read.
};

bool at_blank_line(const char* at) {
  return *at == '\n' || (*at == '\r' && at[1] == '\n');
}

/// Finds the parts of the line at `at`, puts its name into lower case.
/// Requires: there is a line end before `end`, and it is not the blank line.
bool read_line(char* at, const char* end, Line& line) {
  const auto line_end = [end](char* from) {
    return static_cast<char*>(std::memchr(from, '\n', static_cast<std::size_t>(end - from))) + 1;
  };
  line.folded = false;
  line.next = line_end(at);
  while (is_blank(*line.next) && !at_blank_line(line.next)) {
    if (*line.next != ' ' && *line.next != '\t') return false;
    line.folded = true;
    line.next = line_end(line.next);
  }
  char* last = line.next - 1;
  while (last > at && is_blank(last[-1])) --last;

  line.name = at;
  line.odd_name = false;
  char* c = at;
  for (char small = token_lower(*c); small != 0; small = token_lower(*c)) *c++ = small;
  if (static_cast<unsigned char>(*c) >= 0x80) {
    line.odd_name = true;
    while (static_cast<unsigned char>(*c) >= 0x80 || token_lower(*c) != 0) ++c;
  }
  if (c >= last || *c != ':' || c == at) return false;
  line.name_end = c++;
  while (c < last && is_blank(*c)) ++c;
  line.value = c;
  line.value_end = last;
  return true;
}

/// Removes line ends from a value, in place. Returns its new end.
char* drop_line_ends(char* value, char* value_end) {
  return std::remove_if(value, value_end, [](char c) { return c == '\r' || c == '\n'; });
}

enum class LengthStatus : std::uint8_t { Valid, Invalid, Overflow };

/// Reads digits up to the first character that is none.
LengthStatus parse_content_length(std::string_view text, std::uint64_t& length) {
  length = 0;
  if (text.empty()) return LengthStatus::Invalid;
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  for (const char c : text) {
    if (!is_digit(c)) return LengthStatus::Invalid;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (length > kMost / 10 || kMost - length * 10 < digit) return LengthStatus::Overflow;
    length = length * 10 + digit;
  }
  return LengthStatus::Valid;
}

/// Makes one field of each single-slot header that has several.
void join_repeated(HeaderMap& headers, bool request) {
  for (std::size_t i = 1; i < headers.size();) {
    const HeaderTraits& traits = lookup_header_traits(headers.name(i));
    const bool single = (request ? traits.request_slot : traits.response_slot) >= 0;
    const std::size_t first = single ? headers.find(headers.name(i)) : i;
    if (first == i) {
      ++i;
      continue;
    }
    // As the real header map does: an empty value leaves no separator.
    if (headers.value(i).size() > 0) {
      headers.join_value(first, headers.value(first).empty() ? "" : ",", headers.value(i));
    }
    headers.remove_at(i);
  }
}

}  // namespace

std::size_t find_head_end(std::string_view text, std::size_t from) {
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const char* at = begin + from;
  while (at < end) {
    at = static_cast<const char*>(std::memchr(at, '\n', static_cast<std::size_t>(end - at)));
    if (at == nullptr) break;
    ++at;
    if (at < end && *at == '\n') return static_cast<std::size_t>(at + 1 - begin);
    if (at + 1 < end && *at == '\r' && at[1] == '\n') {
      return static_cast<std::size_t>(at + 2 - begin);
    }
  }
  return std::string_view::npos;
}

FirstLine split_first_line(std::string_view line) {
  const char* const begin = line.data();
  const char* end = begin + line.size();
  while (end > begin && is_blank(end[-1])) --end;
  const auto skip = [end](const char* at, bool blanks) {
    while (at < end && is_blank(*at) == blanks) ++at;
    return at;
  };
  const auto view = [](const char* from, const char* to) {
    return std::string_view(from, static_cast<std::size_t>(to - from));
  };
  const char* const first_end = skip(begin, false);
  const char* const second = skip(first_end, true);
  const char* const second_end = skip(second, false);
  const char* const third = skip(second_end, true);
  return {view(begin, end), view(begin, first_end), view(second, second_end), view(third, end),
          view(second, third)};
}

bool is_version(std::string_view version) {
  constexpr std::string_view kPrefix = "HTTP/";
  if (version.empty()) return true;
  return version.size() == kPrefix.size() + 3 && version.substr(0, kPrefix.size()) == kPrefix &&
         is_digit(version[5]) && version[6] == '.' && is_digit(version[7]);
}

const CodecError* read_headers(std::string_view lines, const HeaderRules& rules, HeaderMap& headers,
                               HeaderFacts& facts) {
  char* const text = headers.assign_text(lines);
  const char* const end = text + lines.size();
  const auto view = [](const char* from, const char* to) {
    return std::string_view(from, static_cast<std::size_t>(to - from));
  };
  std::uint64_t slots = 0;   // that are taken
  std::size_t repeated = 0;  // lines that will be joined to another
  LengthStatus length_status = LengthStatus::Valid;
  // What the real codec finds only when it looks at headers one by one, after all lines.
  const CodecError* late = nullptr;
  Line line;
  for (char* at = text; !at_blank_line(at); at = line.next) {
    if (!read_line(at, end, line)) return &kCodecError;
    const std::string_view name = view(line.name, line.name_end);
    const HeaderTraits& traits = lookup_header_traits(name);
    if (traits.name == HeaderName::ContentLength) {
      std::uint64_t length = 0;
      const LengthStatus status = parse_content_length(view(line.value, line.value_end), length);
      if (facts.has_content_length && (status == LengthStatus::Valid || status != length_status ||
                                       length != facts.content_length)) {
        return &kCodecError;
      }
      facts.has_content_length = true;
      facts.content_length = length;
      length_status = status;
    } else if (traits.name == HeaderName::TransferEncoding) {
      facts.has_transfer_encoding = true;
      facts.chunked = equals_ignoring_case(view(line.value, line.value_end), "chunked");
    } else if (traits.name == HeaderName::Connection) {
      facts.has_connection = true;
    }

    if (late != nullptr) continue;
    if (line.odd_name) {
      late = &kCodecError;
      continue;
    }
    if (headers.size() - repeated > rules.max_headers) {
      late = &kTooManyHeaders;
      continue;
    }
    if (line.folded || rules.has_lone_cr)
      line.value_end = drop_line_ends(line.value, line.value_end);
    const int slot = rules.request ? traits.request_slot : traits.response_slot;
    if (slot >= 0) {
      const std::uint64_t bit = std::uint64_t{1} << slot;
      if ((slots & bit) != 0) ++repeated;
      slots |= bit;
    }
    headers.place({.name_at = static_cast<std::uint32_t>(line.name - text),
                   .value_at = static_cast<std::uint32_t>(line.value - text),
                   .value_size = static_cast<std::uint32_t>(line.value_end - line.value),
                   .name_size = static_cast<std::uint16_t>(name.size()),
                   .known = traits.name});
  }
  if (length_status != LengthStatus::Valid && !facts.chunked && rules.length_matters)
    return &kCodecError;
  if (late != nullptr) return late;
  if (headers.size() - repeated > rules.max_headers) return &kTooManyHeaders;
  if (repeated > 0) join_repeated(headers, rules.request);
  return nullptr;
}

const CodecError* check_trailers(std::string& lines) {
  if (scan_head(lines).invalid) return &kInvalidCharacters;
  char* const text = lines.data();
  Line line;
  for (char* at = text; !at_blank_line(at); at = line.next) {
    if (!read_line(at, text + lines.size(), line) || line.odd_name) return &kCodecError;
  }
  return nullptr;
}

}  // namespace wire::http1
