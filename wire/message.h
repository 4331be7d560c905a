#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "wire/headers.h"

namespace wire {

/// How long a message's body is.
enum class Framing : std::uint8_t {
  None,           ///< No body.
  ContentLength,  ///< `content_length` bytes, more than 0.
  Chunked,        ///< As long as its sender says, part by part: also every HTTP/2 body.
  UntilClose,     ///< Responses only.
  Tunnel,         ///< Every further byte of the connection: upgrade and CONNECT.
};

/// A request head that a codec accepted. Paths are not normalised.
///
/// `headers` holds Host first, then the other header lines in order: names in lower case, values
/// trimmed, folded lines joined, repeated single-slot headers joined with ",". What the codec
/// itself changes is done: an absolute target replaced Host, headers that Connection names are gone
/// (except for upgrades), an upgrade to h2c is forgotten. Connection, Transfer-Encoding and the
/// like are still there. Source: ENV-HTTP-18, -22, -40, -45.
struct RequestHead {
  std::string method;
  std::string target;  ///< What comes after the authority, or "*"; empty for CONNECT.
  /// As the client gave it: in an absolute target ("http" or "https") or in HTTP/2; else empty.
  std::string scheme;
  HeaderMap headers;
  Framing framing = Framing::None;
  std::uint64_t content_length = 0;  ///< As framing says; the header may have been taken away.
  bool upgrade = false;  ///< Asks for another protocol: `Connection: upgrade` and `Upgrade`.
  /// The order in which HTTP/2 sends what the first line and Host say; Other for what is missing.
  /// Source: ENV-HTTP-46.
  std::array<HeaderName, 4> pseudo_order = kPseudoOrder;

  /// The scheme, be it said or not.
  std::string_view scheme_or_http() const {
    return scheme.empty() ? std::string_view("http") : std::string_view(scheme);
  }

  static constexpr std::array<HeaderName, 4> kPseudoOrder = {
      HeaderName::PseudoAuthority, HeaderName::PseudoPath, HeaderName::PseudoMethod,
      HeaderName::PseudoScheme};

  void clear() {
    method.clear();
    target.clear();
    scheme.clear();
    pseudo_order = kPseudoOrder;
    headers.clear();
    framing = Framing::None;
    content_length = 0;
    upgrade = false;
  }
};

/// A response head that the codec accepted, its header lines as in a request.
struct ResponseHead {
  std::uint16_t status = 0;
  std::string reason;
  bool http_1_0 = false;  ///< Any version other than 1.1.
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

/// Bounds of one head. Joined lines count once; trailers may be as long as a head.
struct Limits {
  std::uint32_t max_head_bytes = 60 * 1024;
  std::uint32_t max_headers = 100;
};

}  // namespace wire
