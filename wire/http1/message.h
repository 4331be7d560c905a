#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "wire/headers.h"

namespace wire::http1 {

/// How long a message's body is.
enum class Framing : std::uint8_t {
  None,           ///< No body.
  ContentLength,  ///< `content_length` bytes, more than 0.
  Chunked,
  UntilClose,  ///< Responses only.
  Tunnel,      ///< Every further byte of the connection: upgrade and CONNECT.
};

/// A request head as read, before anything was normalised or judged beyond the codec's own rules.
///
/// `headers` holds the header lines in order (names in lower case, Host among them, values trimmed,
/// folded lines joined, repeated single-slot headers joined with ","); request line and framing
/// stand beside it. The codec removes nothing: connection, transfer-encoding and the like are still
/// there.
struct RequestHead {
  std::string method;
  std::string target;  ///< As sent: origin form, absolute form, authority form or "*".
  HeaderMap headers;
  Framing framing = Framing::None;
  std::uint64_t content_length = 0;
  bool upgrade = false;  ///< Asks for another protocol: `Connection: upgrade` and `Upgrade`.

  void clear() {
    method.clear();
    target.clear();
    headers.clear();
    framing = Framing::None;
    content_length = 0;
    upgrade = false;
  }
};

struct ResponseHead {
  std::uint16_t status = 0;
  std::string reason;
  bool http_1_0 = false;
  HeaderMap headers;
  Framing framing = Framing::None;
  std::uint64_t content_length = 0;

  void clear() {
    status = 0;
    reason.clear();
    http_1_0 = false;
    headers.clear();
    framing = Framing::None;
    content_length = 0;
  }
};

/// Why bytes are not a message, in the real proxy's own terms.
///
/// Source: ENV-HTTP-14, -70 to -77.
struct CodecError {
  std::uint16_t status = 0;  ///< What the gateway answers to a request; 0 for a response.
  std::string_view reason;   ///< The answer's body, e.g. "Bad Request".
  std::string_view details;  ///< Response code details, e.g. "http1.codec_error".

  explicit operator bool() const { return !details.empty(); }
};

struct Limits {
  std::uint32_t max_head_bytes = 60 * 1024;
  std::uint32_t max_headers = 100;
};

}  // namespace wire::http1
