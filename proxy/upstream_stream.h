#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "proxy/plan.h"
#include "wire/message.h"
#include "world/transport.h"

namespace proxy {

/// What a codec must know of a request, beside its head.
struct RequestFacts {
  bool ends = false;     ///< No body follows.
  bool to_head = false;  ///< A HEAD request: its answer has no body.
  bool upgrade = false;  ///< The answer may make a tunnel of the connection or stream.
};

/// A request's own way to its endpoint, in whatever the endpoint speaks. It belongs to the
/// connection; the request has it from on_upstream_ready() until it is told of its end.
class UpstreamStream {
 public:
  virtual world::Transport& transport() = 0;
  /// Of the connection, or of the stream on it, for the trace. Known once the head was sent.
  virtual std::uint64_t flow() = 0;

  /// The codec adds to the head what it alone knows of: how the body is framed.
  virtual void send_head(wire::RequestHead& head, const RequestFacts& facts) = 0;
  virtual void send_body(std::string_view bytes, bool ends) = 0;
  /// Ends the request. A codec without trailers drops them.
  virtual void send_trailers(const wire::HeaderMap& trailers) = 0;

  /// Bytes of the request that have not left.
  virtual std::size_t unsent() const = 0;
  /// Response bytes are kept back while the downstream is slow.
  virtual void pause() = 0;
  virtual void resume() = 0;

  /// The answer was 101: from now on both sides send bytes.
  virtual void become_tunnel() = 0;
  /// Whether a 1xx response came before the final one.
  virtual bool saw_interim() const = 0;
  /// The head that on_response_head was given.
  virtual std::unique_ptr<wire::ResponseHead> take_head() = 0;
  virtual void lend(std::unique_ptr<wire::ResponseHead> head) = 0;

 protected:
  ~UpstreamStream() = default;
};

}  // namespace proxy
