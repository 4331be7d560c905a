#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "peers/http_text.h"
#include "peers/websocket_end.h"
#include "wire/message.h"
#include "world/result.h"
#include "world/time.h"
#include "world/transport.h"

namespace peers {

/// What is spoken on a connection.
enum class Protocol : std::uint8_t {
  Http1,
  Http2,  ///< With prior knowledge: the preface comes first.
};

/// A request as a user means it. Nothing in it is normalised: what is written here is sent.
struct RequestSpec {
  std::string method = "GET";
  std::string scheme = "http";
  std::string host;  ///< A name, or an IPv4 address.
  std::uint16_t port = 80;
  std::string target = "/";  ///< Sent verbatim: path and query, or any other form.
  HeaderLines headers;       ///< Sent in this order. `host` is put first if it is not among them.
  std::optional<std::string> body{};  ///< Sent with a content-length, unless a header says one.
  std::vector<std::string> chunks{};  ///< If not empty: sent chunked, one chunk for each.
  /// HTTP/2 alone: if not empty, sent instead of `body`, each after its pause.
  std::vector<BodyPiece> pieces{};
  HeaderLines trailers{};  ///< HTTP/2 alone: sent after the body.
  Protocol protocol = Protocol::Http1;
  /// Asks for a WebSocket, on a connection of its own, and does this once it has it.
  std::shared_ptr<const WebSocketScript> websocket{};
  /// Sends the head alone and the body after "100 Continue"; any final answer ends the wait.
  bool await_continue = false;
  bool omit_host = false;  ///< Sends no Host line of its own making.
  /// From being handed to the client to the end of the answer; then the client gives up.
  std::optional<world::Duration> timeout{};
  /// From being handed to the client until it gives up, if that comes first: "cancelled".
  std::optional<world::Duration> cancel_after{};
  /// Connects here and asks for no name; Host and target stay as they are.
  std::optional<world::Endpoint> address{};

  bool secure() const { return scheme == "https"; }
  /// What goes into Host: the port only if it is not the scheme's own.
  std::string authority() const;
};

/// Takes "http://host:port/path?query" apart, or, `with_tls`, one of https; what follows the
/// authority stays as it is, and is
/// "/" if there is nothing. Errors: no scheme, an unknown one, no host, a port out of range.
world::Result<RequestSpec> parse_url(std::string_view method, std::string_view url,
                                     bool with_tls = false);

/// A request in the form in which it is sent. Made once, sent as often as wanted.
struct PreparedRequest {
  explicit PreparedRequest(RequestSpec request);

  /// Request line to empty line.
  std::string_view head() const { return std::string_view(bytes).substr(0, head_bytes); }
  /// As framed.
  std::string_view body() const { return std::string_view(bytes).substr(head_bytes); }

  RequestSpec spec;
  std::string bytes;  ///< Head and body.
  std::size_t head_bytes = 0;
  wire::RequestHead http2;   ///< The same head for HTTP/2; empty for HTTP/1.
  bool is_head = false;      ///< The answer has no body.
  bool wants_close = false;  ///< "Connection: close" is sent: the answer is the last one.

 private:
  void prepare_http2();
};

/// Dotted IPv4, or nothing.
std::optional<std::uint32_t> parse_address(std::string_view text);

}  // namespace peers
