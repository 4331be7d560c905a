#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conformance/verdict.h"
#include "peers/grpc.h"
#include "peers/raw_connection.h"
#include "peers/websocket_end.h"
#include "world/time.h"

namespace conformance {

/// An answer as a client has it.
struct Answer {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::string protocol;
  std::vector<std::pair<std::string, std::string>> trailers;
  std::optional<peers::GrpcOutcome> grpc;  ///< Of a call.
  std::vector<peers::WebSocketFrame> frames;
};

/// "text", "binary", "ping", "pong", "close".
std::string_view word_of(wire::WebSocketOpcode opcode);

/// One request of a scenario, or one connection of raw bytes, with all that was seen of it.
struct Exchange {
  std::size_t step = 0;
  std::string group;     ///< `as`, empty for none.
  std::uint64_t id = 0;  ///< Within its client; 0 for raw bytes.
  ObservedRequest observed;
  std::vector<Answer> answers;  ///< At most one, but of raw bytes.
  int outcomes = 0;             ///< How often it ended: once, if all is well.
  std::optional<world::TimePoint> ended_at;
  bool is_grpc = false;
  bool is_websocket = false;
  std::string flags = "-";  ///< Of the first hop.
  std::string details;
  std::string route;    ///< The first hop's.
  std::string gateway;  ///< The instance that handled it.
  /// Which one it was, of all whose first byte came to a gateway; 0: it never did.
  std::uint64_t arrival = 0;
  /// How often a gateway that is not ours has told that a request of it has ended.
  std::uint64_t told = 0;
  bool frames_seen = false;  ///< Of a WebSocket: the service has told what came.
  /// One of very many: what is only read of single ones is not kept.
  bool brief = false;

  // Of raw bytes.
  std::unique_ptr<peers::RawConnection> raw;
  std::string host;              ///< Where it goes, as written.
  bool head_answers = false;     ///< They answer HEAD: no bodies.
  world::TimePoint active_at{};  ///< When bytes last moved.
  world::TimePoint look_at{};    ///< When it will be looked at again.
};

}  // namespace conformance
