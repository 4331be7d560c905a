#include "conformance/read_stream.h"

#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "conformance/read_parts.h"
#include "wire/grpc.h"

namespace conformance {

using document::Reader;
using document::Value;
using peers::WebSocketStep;
using wire::WebSocketOpcode;

namespace {

bool has(const Reader& at, std::string_view key) {
  return at.value().is_object() && at.value().find(key) != nullptr;
}

/// `{ pause: 1s }`, added to what there is of one.
bool take_pause(const Reader& at, world::Duration& pause) {
  if (!has(at, "pause")) return false;
  Reader in = at;
  pause += read_optional_duration(in, "pause").value_or(world::Duration{});
  in.finish();
  return true;
}

nlohmann::ordered_json json_of(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::Null:
      return nullptr;
    case Value::Kind::Bool:
      return value.boolean();
    case Value::Kind::Integer:
      return value.integer();
    case Value::Kind::Number:
      return value.number();
    case Value::Kind::String:
      return value.string();
    case Value::Kind::List: {
      auto out = nlohmann::ordered_json::array();
      for (const Value& item : value.list()) out.push_back(json_of(item));
      return out;
    }
    case Value::Kind::Object: {
      auto out = nlohmann::ordered_json::object();
      for (const document::Member& member : value.object()) {
        out[member.key] = json_of(member.value);
      }
      return out;
    }
  }
  return nullptr;
}

struct JsonMessage {
  std::string type;
  std::string bytes;
};

/// `{ json: {...}, type: shop.Book }`; `in` may have other members.
JsonMessage read_json_message(Reader& in, const MessageTypes& types) {
  JsonMessage out{types.type, {}};
  const auto json = in.optional("json");
  if (auto type = in.optional_string("type", {1})) out.type = std::move(*type);
  if (types.protos == nullptr) {
    in.fail_key("json", "needs the file's protos");
  } else if (out.type.empty()) {
    in.fail("must have type, as nothing else says which message this is");
  } else {
    const std::string text =
        json_of(json->value()).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    auto bytes = types.protos->encode(out.type, text);
    if (bytes) {
      out.bytes = std::move(bytes).value();
    } else {
      json->fail(bytes.error().message);
    }
  }
  return out;
}

}  // namespace

bool has_pause(const Reader& at) {
  if (!at.value().is_list()) return false;
  for (const Value& item : at.value().list()) {
    if (item.is_object() && item.find("pause") != nullptr) return true;
  }
  return false;
}

std::vector<peers::BodyPiece> read_body_pieces(const Reader& at) {
  std::vector<peers::BodyPiece> out;
  world::Duration pause{};
  for (const Reader& item : at.as_items({1})) {
    if (take_pause(item, pause)) continue;
    out.push_back({std::exchange(pause, {}), read_bytes(item)});
  }
  if (pause > world::Duration{}) out.push_back({pause, {}});
  return out;
}

std::vector<peers::GrpcMessage> read_grpc_messages(const Reader& at, const MessageTypes& types) {
  std::vector<peers::GrpcMessage> out;
  world::Duration pause{};
  for (const Reader& item : at.as_items()) {
    if (take_pause(item, pause)) continue;
    peers::GrpcMessage message{std::exchange(pause, {}), {}};
    if (has(item, "json")) {
      Reader in = item;
      message.bytes = read_json_message(in, types).bytes;
      in.finish();
    } else {
      message.bytes = read_bytes(item);
    }
    out.push_back(std::move(message));
  }
  if (pause > world::Duration{}) at.fail("must not end with a pause");
  return out;
}

std::vector<MessageExpectation> read_message_expectations(const Reader& at,
                                                          const MessageTypes& types) {
  std::vector<MessageExpectation> out;
  for (const Reader& item : at.as_items()) {
    MessageExpectation message;
    message.written = written_text(item.value());
    message.place = item.place();
    Reader in = item;
    if (has(item, "at")) {
      if (const auto when = in.optional("at")) message.at = read_duration_expectation(*when);
    }
    if (has(item, "json")) {
      message.type = types.type;
      JsonMessage json = read_json_message(in, types);
      message.type = json.type;
      message.protos = types.protos;
      message.bytes = std::move(json.bytes);
      in.finish();
    } else if (has(item, "bytes")) {
      message.text = TextExpectation::equal_to(read_bytes(*in.optional("bytes")), item.place());
      in.finish();
    } else if (has(item, "text")) {
      message.text = read_text(*in.optional("text"));
      in.finish();
    } else {
      message.text = read_text(item);
    }
    out.push_back(std::move(message));
  }
  return out;
}

std::uint32_t read_grpc_status(const Reader& at) {
  if (at.value().is_integer()) {
    return static_cast<std::uint32_t>(at.as_integer(0, 16).value_or(0));
  }
  if (at.value().is_string()) {
    if (const auto status = wire::grpc::status_of(at.value().string())) return *status;
  }
  at.fail("must be a status from 0 to 16, or a name such as UNAVAILABLE, is " +
          at.value().describe());
  return 0;
}

peers::GrpcReply read_grpc_reply(Reader at, std::shared_ptr<const Protos> protos) {
  peers::GrpcReply out;
  if (!at.expect_object()) return out;
  MessageTypes types{std::move(protos), {}};
  if (auto type = at.optional_string("type", {1})) {
    types.type = std::move(*type);
    if (types.protos == nullptr) {
      at.fail_key("type", "needs the file's protos");
    } else if (!types.protos->has_type(types.type)) {
      at.fail_key("type", "names no message of the file's protos");
    }
  }
  if (const auto messages = at.optional("messages")) {
    out.messages = read_grpc_messages(*messages, types);
  }
  if (const auto status = at.optional("status")) out.status = read_grpc_status(*status);
  if (auto message = at.optional_string("message")) out.message = std::move(*message);
  if (const auto metadata = at.optional("metadata")) out.metadata = read_headers(*metadata);
  if (const auto trailers = at.optional("trailers")) out.trailers = read_headers(*trailers);
  out.echo = at.optional_bool("echo").value_or(false);
  out.trailers_only = at.optional_bool("trailersOnly").value_or(false);
  for (const std::string_view one : {"messages", "echo"}) {
    if (out.trailers_only && at.has(one)) {
      at.fail_key(one, "must not be given beside trailersOnly");
    }
  }
  if (out.echo && at.has("messages")) at.fail_key("messages", "must not be given beside echo");
  at.finish();
  return out;
}

namespace {

std::uint16_t read_close_code(const Reader& at) {
  return static_cast<std::uint16_t>(at.as_integer(1000, 4999).value_or(1000));
}

WebSocketStep frame_step(WebSocketOpcode opcode, std::string bytes, std::uint16_t code = 0) {
  return {WebSocketStep::Kind::Send, {opcode, std::move(bytes), code, {}}, {}, 0};
}

WebSocketStep read_websocket_step(Reader at) {
  if (!at.value().is_object()) {
    return frame_step(WebSocketOpcode::Text, at.as_string().value_or(""));
  }
  WebSocketStep step;
  const auto which = at.one_of({"text", "binary", "ping", "pong", "close", "pause", "await",
                                "finish", "disconnect", "reset"});
  if (!which) {
    at.finish();
    return step;
  }
  constexpr WebSocketOpcode kOpcodes[] = {WebSocketOpcode::Text, WebSocketOpcode::Binary,
                                          WebSocketOpcode::Ping, WebSocketOpcode::Pong};
  constexpr std::string_view kFrames[] = {"text", "binary", "ping", "pong"};
  if (*which < 4) {
    step = frame_step(kOpcodes[*which], read_bytes(*at.optional(kFrames[*which])));
    if (*which >= 2 && step.frame.bytes.size() > 125) {
      at.fail_key(kFrames[*which], "must be at most 125 bytes");
    }
  } else if (*which == 4) {
    const std::uint16_t code = read_close_code(*at.optional("close"));
    step = frame_step(WebSocketOpcode::Close, at.optional_string("reason", {0, 123}).value_or(""),
                      code);
  } else if (*which == 5) {
    step.kind = WebSocketStep::Kind::Pause;
    step.pause = read_optional_duration(at, "pause").value_or(world::Duration{});
  } else if (*which == 6) {
    step.kind = WebSocketStep::Kind::Await;
    step.count = static_cast<std::size_t>(at.optional_integer("await", 1).value_or(1));
  } else {
    constexpr std::string_view kWords[] = {"finish", "disconnect", "reset"};
    constexpr WebSocketStep::Kind kKinds[] = {
        WebSocketStep::Kind::Finish, WebSocketStep::Kind::Close, WebSocketStep::Kind::Reset};
    step.kind = kKinds[*which - 7];
    if (!at.optional_bool(kWords[*which - 7]).value_or(true)) {
      at.fail_key(kWords[*which - 7], "must be true");
    }
  }
  at.finish();
  return step;
}

}  // namespace

std::vector<WebSocketStep> read_websocket_steps(const Reader& at) {
  std::vector<WebSocketStep> out;
  if (at.value().is_list()) {
    for (const Reader& item : at.as_items()) out.push_back(read_websocket_step(item));
  } else {
    out.push_back(read_websocket_step(at));
  }
  return out;
}

std::vector<FrameExpectation> read_frame_expectations(const Reader& at) {
  std::vector<FrameExpectation> out;
  for (const Reader& item : at.as_items()) {
    FrameExpectation frame;
    frame.written = written_text(item.value());
    frame.place = item.place();
    if (!item.value().is_object()) {
      frame.bytes = read_text(item);
      out.push_back(std::move(frame));
      continue;
    }
    Reader in = item;
    const auto which = in.one_of({"text", "binary", "ping", "pong", "close"});
    if (const auto when = in.optional("at")) frame.at = read_duration_expectation(*when);
    constexpr WebSocketOpcode kOpcodes[] = {WebSocketOpcode::Text, WebSocketOpcode::Binary,
                                            WebSocketOpcode::Ping, WebSocketOpcode::Pong,
                                            WebSocketOpcode::Close};
    constexpr std::string_view kWords[] = {"text", "binary", "ping", "pong", "close"};
    if (which) frame.opcode = kOpcodes[*which];
    if (which == 4U) {
      frame.code = read_number(*in.optional("close"));
      if (const auto reason = in.optional("reason")) frame.bytes = read_text(*reason);
    } else if (which) {
      const Reader value = *in.optional(kWords[*which]);
      if (has(value, "hex") || has(value, "repeat")) {
        frame.bytes = TextExpectation::equal_to(read_bytes(value), value.place());
      } else {
        frame.bytes = read_text(value);
      }
    }
    in.finish();
    out.push_back(std::move(frame));
  }
  return out;
}

wire::http2::ErrorCode read_error_code(const Reader& at) {
  if (at.value().is_string()) {
    for (std::uint32_t number = 0; number <= 13; ++number) {
      const auto code = static_cast<wire::http2::ErrorCode>(number);
      if (wire::http2::name_of(code) == at.value().string()) return code;
    }
  }
  at.fail("must be an error code of HTTP/2 such as CANCEL, is " + at.value().describe());
  return wire::http2::ErrorCode::Cancel;
}

}  // namespace conformance
