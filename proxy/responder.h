#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "proxy/origin.h"
#include "proxy/plan.h"
#include "wire/message.h"
#include "wire/proxy_protocol.h"
#include "world/transport.h"

namespace proxy {

/// Which of the times that a head has to come in is over.
enum class HeadTimeout : std::uint8_t { Headers, Request, Idle, Age };

/// What a codec must know of an answer, beside its head.
struct AnswerFacts {
  bool ends = false;              ///< No body follows.
  bool request_complete = false;  ///< All of the request has been read.
  bool to_head = false;           ///< It answers a HEAD request.
  bool tunnel = false;            ///< From now on both sides send bytes.
};

/// The client's side of one request: where its answer is written, in whatever the client speaks.
class Responder {
 public:
  virtual world::Transport& transport() = 0;
  /// Of the connection, or of the stream on it, for the trace.
  virtual std::uint64_t flow() = 0;
  virtual Protocol protocol() const = 0;
  /// What is known of the connection beside its transport.
  virtual OriginPtr& origin() = 0;

  /// `100 Continue`, before the answer.
  virtual void send_continue() = 0;
  /// The codec adds to the head what it alone knows of: how the body is framed, who closes.
  virtual void send_head(wire::ResponseHead& head, const AnswerFacts& facts) = 0;
  virtual void send_body(std::string_view bytes, bool ends) = 0;
  /// Ends the answer. A codec without trailers drops them.
  virtual void send_trailers(const wire::HeaderMap& trailers) = 0;

  /// Bytes of the answer that have not left.
  virtual std::size_t unsent() const = 0;
  /// Request bytes are kept back while the upstream is slow.
  virtual void pause() = 0;
  virtual void resume() = 0;

  /// Nothing more can be understood on this connection after the answer.
  virtual void set_closing() = 0;
  /// The client wants the connection closed after the answer.
  virtual void set_client_closes() = 0;

  /// The stream has ended. `reset`: its answer was cut short.
  virtual void stream_ended(bool request_complete, bool reset) = 0;

 protected:
  ~Responder() = default;
};

}  // namespace proxy
