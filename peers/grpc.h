#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "peers/behaviour.h"
#include "peers/client.h"
#include "peers/request_spec.h"

/// gRPC in terms of requests and answers of HTTP/2.
namespace peers {

/// One message, sent so long after the one before it.
struct GrpcMessage {
  world::Duration pause{};
  std::string bytes{};
};

/// Makes `request` a call of "/package.Service/Method" with these messages: none, one or many, as
/// the method has it. Its other members (host, metadata as headers, timeout) stay.
RequestSpec grpc_call(RequestSpec request, std::string_view method,
                      const std::vector<GrpcMessage>& messages);

/// What a service answers to a call.
struct GrpcReply {
  std::vector<GrpcMessage> messages{};
  std::uint32_t status = 0;
  std::string message{};       ///< Of the status.
  HeaderLines metadata{};      ///< In the headers.
  HeaderLines trailers{};      ///< Beside the status.
  bool echo = false;           ///< Sends each message back as it comes, after none of its own.
  bool trailers_only = false;  ///< The status comes with the headers; there are no messages.
};
/// Puts it into `answer`; its other members (after, then) stay.
Answer grpc_answer(Answer answer, const GrpcReply& reply);

/// What a call came to, as the client has it.
struct GrpcOutcome {
  struct Message {
    world::TimePoint at{};  ///< Its last byte was there.
    std::string bytes{};
    bool compressed = false;
  };
  std::vector<Message> messages{};
  std::optional<std::uint32_t> status{};  ///< Absent: none came.
  std::string message{};
  bool cut_short = false;  ///< The body ends within a message.
};
GrpcOutcome grpc_outcome(const RequestOutcome& outcome);

/// The messages in the body of a request; what is cut short is left out.
std::vector<std::string> grpc_messages(std::string_view body);

}  // namespace peers
