#pragma once

#include <memory>
#include <string>
#include <vector>

#include "conformance/expectation.h"
#include "conformance/protos.h"
#include "document/reader.h"
#include "peers/grpc.h"
#include "peers/websocket_end.h"
#include "wire/http2/errors.h"

/// What flows in pieces: bodies with pauses, messages of gRPC, frames of WebSockets.
namespace conformance {

/// Texts, bytes, and `{ pause }` between them.
std::vector<peers::BodyPiece> read_body_pieces(const document::Reader& at);
/// Whether a list has a `{ pause }`.
bool has_pause(const document::Reader& at);

/// How messages are written: as bytes, or as `{ json, type }`.
struct MessageTypes {
  std::shared_ptr<const Protos> protos;  ///< May be null.
  std::string type;                      ///< Where `type` is not said; may be empty.
};
std::vector<peers::GrpcMessage> read_grpc_messages(const document::Reader& at,
                                                   const MessageTypes& types);
std::vector<MessageExpectation> read_message_expectations(const document::Reader& at,
                                                          const MessageTypes& types);
/// `respond: { grpc: ... }`.
peers::GrpcReply read_grpc_reply(document::Reader at, std::shared_ptr<const Protos> protos);
/// 0 to 16, or a name such as UNAVAILABLE.
std::uint32_t read_grpc_status(const document::Reader& at);

/// What is sent on a WebSocket, and when.
std::vector<peers::WebSocketStep> read_websocket_steps(const document::Reader& at);
std::vector<FrameExpectation> read_frame_expectations(const document::Reader& at);

/// A name such as CANCEL.
wire::http2::ErrorCode read_error_code(const document::Reader& at);

}  // namespace conformance
