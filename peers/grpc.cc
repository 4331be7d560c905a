#include "peers/grpc.h"

#include <charconv>

#include "wire/grpc.h"

namespace peers {
namespace {

std::vector<BodyPiece> pieces_of(const std::vector<GrpcMessage>& messages) {
  std::vector<BodyPiece> pieces;
  for (const GrpcMessage& message : messages) {
    BodyPiece piece{message.pause, {}};
    wire::grpc::append_message(piece.bytes, message.bytes);
    pieces.push_back(std::move(piece));
  }
  return pieces;
}

void add_unless_given(HeaderLines& lines, std::string name, std::string value) {
  if (find_header(lines, name) == nullptr) lines.push_back({std::move(name), std::move(value)});
}

}  // namespace

RequestSpec grpc_call(RequestSpec request, std::string_view method,
                      const std::vector<GrpcMessage>& messages) {
  request.protocol = Protocol::Http2;
  request.method = "POST";
  request.target = method;
  add_unless_given(request.headers, "content-type", "application/grpc");
  add_unless_given(request.headers, "te", "trailers");
  request.pieces = pieces_of(messages);
  if (request.pieces.empty()) request.pieces.emplace_back();  // a stream without a message
  return request;
}

Answer grpc_answer(Answer answer, const GrpcReply& reply) {
  answer.status = 200;
  answer.headers = reply.metadata;
  add_unless_given(answer.headers, "content-type", "application/grpc");
  HeaderLines trailers = reply.trailers;
  add_unless_given(trailers, "grpc-status", std::to_string(reply.status));
  if (!reply.message.empty()) {
    add_unless_given(trailers, "grpc-message", wire::grpc::escape(reply.message));
  }
  if (reply.trailers_only) {
    answer.headers.insert(answer.headers.end(), trailers.begin(), trailers.end());
    answer.body = "";
    return answer;
  }
  answer.trailers = std::move(trailers);
  answer.mirror = reply.echo;
  answer.pieces = pieces_of(reply.messages);
  if (!reply.echo && answer.pieces.empty()) answer.pieces.emplace_back();
  return answer;
}

GrpcOutcome grpc_outcome(const RequestOutcome& outcome) {
  GrpcOutcome out;
  wire::grpc::MessageReader reader;
  std::size_t from = 0;
  for (const DataMark& mark : outcome.data) {
    reader.feed(outcome.body.substr(from, mark.bytes - from));
    from = mark.bytes;
    while (auto message = reader.next()) {
      out.messages.push_back({mark.at, std::move(message->bytes), message->compressed});
    }
  }
  out.cut_short = reader.partial();
  // In the trailers, or in the headers where there is nothing else.
  HeaderLines lines(outcome.trailers.begin(), outcome.trailers.end());
  if (lines.empty()) lines = header_lines(outcome.head);
  if (const HeaderLine* status = find_header(lines, "grpc-status")) {
    std::uint32_t number = 0;
    const char* const end = status->value.data() + status->value.size();
    const auto parsed = std::from_chars(status->value.data(), end, number);
    if (parsed.ec == std::errc{} && parsed.ptr == end) out.status = number;
  }
  if (const HeaderLine* message = find_header(lines, "grpc-message")) {
    out.message = wire::grpc::unescape(message->value);
  }
  return out;
}

std::vector<std::string> grpc_messages(std::string_view body) {
  std::vector<std::string> out;
  wire::grpc::MessageReader reader;
  reader.feed(body);
  while (auto message = reader.next()) out.push_back(std::move(message->bytes));
  return out;
}

}  // namespace peers
