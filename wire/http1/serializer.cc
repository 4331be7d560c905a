#include "wire/http1/serializer.h"

#include <charconv>
#include <cstring>

namespace wire::http1 {
namespace {

/// The name under which a field is written; empty for one that is not.
std::string_view written_name(const HeaderMap& headers, std::size_t i) {
  const std::string_view name = headers.name(i);
  if (name[0] != ':') return name;
  return headers.known(i) == HeaderName::PseudoAuthority ? "host" : std::string_view{};
}

char* put(char* at, std::string_view text) {
  std::memcpy(at, text.data(), text.size());
  return at + text.size();
}

/// Appends all header lines and the blank line, in one piece.
void append_headers(std::string& out, const HeaderMap& headers) {
  constexpr std::size_t kAround = 4;  // ": " and CRLF
  std::size_t size = 2;
  for (std::size_t i = 0; i < headers.size(); ++i) {
    const std::string_view name = written_name(headers, i);
    if (!name.empty()) size += name.size() + headers.value(i).size() + kAround;
  }
  const std::size_t before = out.size();
  out.resize(before + size);
  char* at = out.data() + before;
  for (std::size_t i = 0; i < headers.size(); ++i) {
    const std::string_view name = written_name(headers, i);
    if (name.empty()) continue;
    at = put(at, name);
    at = put(at, ": ");
    at = put(at, headers.value(i));
    at = put(at, "\r\n");
  }
  put(at, "\r\n");
}

}  // namespace

void append_request_head(std::string& out, std::string_view method, std::string_view target,
                         const HeaderMap& headers) {
  out.append(method).append(1, ' ').append(target).append(" HTTP/1.1\r\n");
  append_headers(out, headers);
}

void append_response_head(std::string& out, std::uint16_t status, const HeaderMap& headers) {
  if (status == 200) {
    out.append("HTTP/1.1 200 OK\r\n");
  } else {
    char digits[8];
    const auto end = std::to_chars(digits, digits + sizeof digits, status).ptr;
    out.append("HTTP/1.1 ").append(digits, end).append(1, ' ');
    out.append(reason_phrase(status)).append("\r\n");
  }
  append_headers(out, headers);
}

void append_chunk(std::string& out, std::string_view bytes) {
  if (bytes.empty()) return;
  char digits[16];
  const auto end = std::to_chars(digits, digits + sizeof digits, bytes.size(), 16).ptr;
  out.append(digits, end).append("\r\n").append(bytes).append("\r\n");
}

void append_last_chunk(std::string& out) {
  out.append("0\r\n\r\n");
}

}  // namespace wire::http1
