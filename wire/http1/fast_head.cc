#include "wire/http1/fast_head.h"

#include <bit>
#include <cstring>

#include "wire/http1/chars.h"
#include "wire/http1/target.h"

namespace wire::http1 {
namespace {

/// Longer heads are rare and may take the long way.
constexpr std::size_t kWindow = 4096;
/// Zeros behind the text end every scan, so that none has to look where the text ends.
constexpr std::size_t kPadding = 16;
constexpr std::size_t kMostDigits = 18;

/// The first control character (but TAB) or DEL at or after `at`, eight bytes at a time.
char* skip_text(char* at) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kTops = kOnes * 0x80;
  while (true) {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof word);
    // Without its top bit a byte is text if it reaches that bit with 0x60 added but not with 1.
    const std::uint64_t low = word & ~kTops;
    const std::uint64_t text = ((low + kOnes * 0x60) & ~(low + kOnes)) | word;
    const std::uint64_t stops = ~text & kTops;
    if (stops == 0) {
      at += sizeof word;
      continue;
    }
    at += (std::endian::native == std::endian::little ? std::countr_zero(stops)
                                                      : std::countl_zero(stops)) /
          8;
    if (*at != '\t') return at;
    ++at;
  }
}

/// The first byte at or after `at` that is neither a small letter nor '-'.
char* skip_plain_name(char* at) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kTops = kOnes * 0x80;
  while (true) {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof word);
    const std::uint64_t low = word & ~kTops;
    const std::uint64_t letter = (low + kOnes * (0x80 - 'a')) & ~(low + kOnes * (0x7f - 'z'));
    const std::uint64_t not_dash = (low ^ kOnes * '-') + ~kTops;
    const std::uint64_t stops = ((~letter & not_dash) | word) & kTops;
    if (stops == 0) {
      at += sizeof word;
      continue;
    }
    return at + (std::endian::native == std::endian::little ? std::countr_zero(stops)
                                                            : std::countl_zero(stops)) /
                    8;
  }
}

std::string_view view(const char* from, const char* to) {
  return {from, static_cast<std::size_t>(to - from)};
}

/// The line end at `at`, if there is one; where the next line begins.
char* after_line_end(char* at) {
  if (*at == '\r') ++at;
  return *at == '\n' ? at + 1 : nullptr;
}

/// Reads header lines from `at` within `text`. Returns where the head ends, or null.
char* read_lines(char* text, char* at, bool request, std::uint32_t max_headers, HeaderMap& headers,
                 HeaderFacts& facts) {
  std::uint64_t slots = 0;
  while (*at != '\r' && *at != '\n') {
    char* const name = at;
    at = skip_plain_name(at);
    for (char small = token_lower(*at); small != 0; small = token_lower(*at)) *at++ = small;
    const std::string_view name_text = view(name, at);
    if (*at != ':' || name_text.empty()) return nullptr;
    ++at;
    while (*at == ' ' || *at == '\t') ++at;
    char* const value = at;
    at = skip_text(at);
    char* value_end = at;
    while (value_end > value && is_blank(value_end[-1])) --value_end;
    at = after_line_end(at);
    if (at == nullptr || *at == ' ' || *at == '\t') return nullptr;

    const HeaderTraits& traits = lookup_header_traits(name_text);
    const int slot = request ? traits.request_slot : traits.response_slot;
    if (slot >= 0) {
      const std::uint64_t bit = std::uint64_t{1} << slot;
      if ((slots & bit) != 0) return nullptr;
      slots |= bit;
    }
    switch (traits.name) {
      case HeaderName::ContentLength:
        if (value == value_end || value_end - value > static_cast<std::ptrdiff_t>(kMostDigits)) {
          return nullptr;
        }
        facts.has_content_length = true;
        for (const char* digit = value; digit < value_end; ++digit) {
          if (!is_digit(*digit)) return nullptr;
          facts.content_length =
              facts.content_length * 10 + static_cast<std::uint64_t>(*digit - '0');
        }
        break;
      case HeaderName::TransferEncoding:
        facts.has_transfer_encoding = true;
        facts.chunked = equals_ignoring_case(view(value, value_end), "chunked");
        break;
      case HeaderName::Connection:
        facts.has_connection = true;
        break;
      default:
        break;
    }
    if (headers.size() == max_headers) return nullptr;
    headers.place({.name_at = static_cast<std::uint32_t>(name - text),
                   .value_at = static_cast<std::uint32_t>(value - text),
                   .value_size = static_cast<std::uint32_t>(value_end - value),
                   .name_size = static_cast<std::uint16_t>(name_text.size()),
                   .known = traits.name});
  }
  return after_line_end(at);
}

}  // namespace

std::size_t read_fast_request(std::string_view bytes, std::uint32_t max_headers, FirstLine& line,
                              HeaderMap& headers, HeaderFacts& facts) {
  constexpr std::string_view kVersion = " HTTP/1.1";
  char* const text = headers.assign_text(bytes.substr(0, kWindow), kPadding);
  char* at = text;
  while (*at >= 'A' && *at <= 'Z') ++at;
  line.first = view(text, at);
  if (*at != ' ' || !is_method(line.first) || line.first == "CONNECT" || at[1] != '/') {
    return 0;
  }
  char* const target = ++at;
  while (is_path_char(*at)) ++at;
  line.second = view(target, at);
  if (std::memcmp(at, kVersion.data(), kVersion.size()) != 0) return 0;
  line.third = view(at + 1, at + kVersion.size());
  line.line = view(text, at + kVersion.size());
  at = after_line_end(at + kVersion.size());
  if (at == nullptr || *at == ' ' || *at == '\t') return 0;
  at = read_lines(text, at, /*request=*/true, max_headers, headers, facts);
  return at == nullptr ? 0 : static_cast<std::size_t>(at - text);
}

std::size_t read_fast_response(std::string_view bytes, std::uint32_t max_headers, FirstLine& line,
                               HeaderMap& headers, HeaderFacts& facts) {
  constexpr std::string_view kVersion = "HTTP/1.1 ";
  char* const text = headers.assign_text(bytes.substr(0, kWindow), kPadding);
  char* at = text + kVersion.size();
  if (std::memcmp(text, kVersion.data(), kVersion.size()) != 0 || !is_digit(at[0]) ||
      !is_digit(at[1]) || !is_digit(at[2]) || at[3] != ' ' || is_blank(at[4])) {
    return 0;
  }
  line.first = view(text, at - 1);
  line.second = view(at, at + 3);
  line.after_second = view(at, at + 4);
  char* const reason = at + 4;
  at = skip_text(reason);
  char* reason_end = at;
  while (reason_end > reason && is_blank(reason_end[-1])) --reason_end;
  line.third = view(reason, reason_end);
  line.line = view(text, reason_end);
  at = after_line_end(at);
  if (at == nullptr || *at == ' ' || *at == '\t') return 0;
  at = read_lines(text, at, /*request=*/false, max_headers, headers, facts);
  return at == nullptr ? 0 : static_cast<std::size_t>(at - text);
}

}  // namespace wire::http1
