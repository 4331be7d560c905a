#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "peers/http_text.h"
#include "peers/websocket_end.h"
#include "wire/http2/errors.h"
#include "world/time.h"

namespace peers {

/// One thing that a service does with the bare connection.
struct RawStep {
  enum class Kind : std::uint8_t {
    Send,    ///< `bytes`.
    Pause,   ///< `pause`.
    Await,   ///< Until `count` more bytes have come after the request.
    Finish,  ///< FIN, reading goes on.
    Close,
    Reset,
  };
  Kind kind = Kind::Send;
  std::string bytes{};
  world::Duration pause{};
  std::size_t count = 0;

  static RawStep send(std::string bytes) { return {Kind::Send, std::move(bytes), {}, 0}; }
  static RawStep wait(world::Duration pause) { return {Kind::Pause, {}, pause, 0}; }
  static RawStep await(std::size_t count) { return {Kind::Await, {}, {}, count}; }
  static RawStep act(Kind kind) { return {kind, {}, {}, 0}; }
};

/// What a service does with one request.
struct Answer {
  enum class Trigger : std::uint8_t {
    Complete,  ///< Answers when the whole request is there.
    Head,      ///< Answers when its head is there; the body is read and dropped.
    Continue,  ///< Sends "100 Continue" to a head that expects it, then waits for the whole.
  };
  enum class Then : std::uint8_t {
    Keep,    ///< Goes on with the next request.
    Close,   ///< FIN, and reads no more.
    Finish,  ///< FIN, and reads on.
    Reset,
    Hang,  ///< Keeps the connection and never answers again on it.
  };

  Trigger trigger = Trigger::Complete;
  world::Duration after{};  ///< From the trigger to the first byte of the answer.
  bool never = false;       ///< Nothing is sent; `then` is done all the same.
  std::uint16_t status = 200;
  std::string reason{};               ///< RFC 9110's if empty.
  HeaderLines headers{};              ///< Before content-length, which is added unless given.
  std::optional<std::string> body{};  ///< Absent: a JSON echo of what was seen.
  std::vector<std::string> chunks{};  ///< If not empty: sent chunked instead of `body`.
  /// HTTP/2 alone: if not empty, sent instead of `body`, each after its pause.
  std::vector<BodyPiece> pieces{};
  HeaderLines trailers{};  ///< HTTP/2 alone: sent after the body.
  bool mirror = false;     ///< HTTP/2 alone: the body is the request's, sent back as it comes.
  /// HTTP/2 alone: resets the stream where the answer would end, or before it begins if `never`.
  std::optional<wire::http2::ErrorCode> reset_stream{};
  bool goaway = false;  ///< HTTP/2 alone: says after the answer that no more streams are taken.
  /// Accepts a WebSocket and does this with it. A request for none is answered as if this was not.
  std::shared_ptr<const WebSocketScript> websocket{};
  /// If not empty: done instead of sending a composed answer. When the steps are through and `then`
  /// is Keep, the next request is read; if `tunnel`, none ever is.
  std::vector<RawStep> raw{};
  bool tunnel = false;  ///< Bytes after the request are not requests: on_bytes has them.
  Then then = Then::Keep;
  world::Duration then_after{};  ///< From the last byte of the answer to `then`.

  /// "hang": never answers, keeps the connection.
  static Answer hang();
  /// Resets the connection instead of answering.
  static Answer abort();
};

/// What a service does with a connection before any request.
enum class OnConnect : std::uint8_t { Serve, Close, Reset };

/// How a service behaves: the first request it sees gets the first answer, and so on; the last
/// answer is that of all further requests. Counted over all connections, from when it was set.
struct Behaviour {
  std::vector<Answer> answers{Answer{}};  ///< Not empty.
  /// Answers to health checks, counted by themselves: requests of the user agents of the real proxy
  /// and of the balancer, and calls of gRPC's health service. If empty they get what any request
  /// would get at that moment, without being counted; in place of a 200 over gRPC it is SERVING.
  std::vector<Answer> checks{};
  std::vector<OnConnect> on_connect{};  ///< In order of accepting; further ones are served.
  OnConnect on_connect_default = OnConnect::Serve;
  /// Closes connections that have been without a request for so long. Zero: never.
  world::Duration idle_timeout{};

  static Behaviour always(Answer answer);
};

}  // namespace peers
