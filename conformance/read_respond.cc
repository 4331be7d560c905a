#include "conformance/read_respond.h"

#include <string>
#include <utility>

#include "conformance/read_parts.h"
#include "conformance/read_stream.h"
#include "peers/grpc.h"

namespace conformance {

using document::Reader;
using peers::Answer;
using peers::RawStep;

namespace {

void read_raw_step(std::vector<RawStep>& out, Reader at) {
  if (at.value().is_object() && at.value().find("pause") != nullptr) {
    if (const auto pause = read_optional_duration(at, "pause")) {
      out.push_back(RawStep::wait(*pause));
    }
    at.finish();
    return;
  }
  if (at.value().is_object() && at.value().find("await") != nullptr) {
    const auto count = at.optional_integer("await", 1);
    if (count) out.push_back(RawStep::await(static_cast<std::size_t>(*count)));
    at.finish();
    return;
  }
  out.push_back(RawStep::send(read_raw_bytes(at)));
}

std::optional<Answer::Then> read_then(const Reader& at) {
  const auto choice = at.as_choice({"keep", "close", "finish", "reset", "hang"});
  if (!choice) return std::nullopt;
  constexpr Answer::Then kThen[] = {Answer::Then::Keep, Answer::Then::Close, Answer::Then::Finish,
                                    Answer::Then::Reset, Answer::Then::Hang};
  return kThen[*choice];
}

/// `then: { reset: CANCEL }` and `then: goaway` are of HTTP/2.
void read_then(Answer& answer, const Reader& at, bool http2) {
  const bool stream = at.value().is_object();
  const bool goaway = at.value().is_string() && at.value().string() == "goaway";
  if ((stream || goaway) && !http2) {
    at.fail("must not end a stream: the service speaks HTTP/1");
  } else if (goaway) {
    answer.goaway = true;
  } else if (stream) {
    Reader in = at;
    if (const auto code = in.required("reset")) answer.reset_stream = read_error_code(*code);
    in.finish();
  } else if (const auto what = read_then(at)) {
    answer.then = *what;
  }
}

Answer read_answer(Reader at, bool http2, const std::shared_ptr<const Protos>& protos) {
  Answer answer;
  if (!at.expect_object()) return answer;
  if (const auto status = at.optional_integer("status", 100, 999)) {
    answer.status = static_cast<std::uint16_t>(*status);
  }
  if (auto reason = at.optional_string("reason")) answer.reason = std::move(*reason);
  if (const auto headers = at.optional("headers")) answer.headers = read_headers(*headers);
  if (const auto body = at.optional("body")) answer.body = read_bytes(*body);
  if (const auto chunks = at.optional("chunks")) {
    if (!http2 && has_pause(*chunks)) {
      chunks->fail("must not have pauses: the service speaks HTTP/1, see raw");
    } else if (http2) {
      answer.pieces = read_body_pieces(*chunks);
    } else {
      for (const Reader& chunk : chunks->as_items({1})) answer.chunks.push_back(read_bytes(chunk));
    }
  }
  if (const auto trailers = at.optional("trailers")) answer.trailers = read_headers(*trailers);
  for (const std::string_view key : {"trailers", "grpc"}) {
    if (!http2 && at.has(key)) at.fail_key(key, "needs a service that speaks HTTP/2");
  }
  for (const std::string_view key : {"raw", "websocket", "reason"}) {
    if (http2 && at.has(key)) at.fail_key(key, "needs a service that speaks HTTP/1");
  }
  if (const auto websocket = at.optional("websocket")) {
    peers::WebSocketScript script;
    if (websocket->value().is_string() && websocket->value().string() == "echo") {
      script.echo = true;
    } else {
      script.steps = read_websocket_steps(*websocket);
    }
    answer.websocket = std::make_shared<const peers::WebSocketScript>(std::move(script));
  }
  if (const auto after = read_optional_duration(at, "after")) answer.after = *after;
  if (const auto on = at.optional("on")) {
    const auto choice = on->as_choice({"complete", "head", "continue"});
    constexpr Answer::Trigger kTriggers[] = {Answer::Trigger::Complete, Answer::Trigger::Head,
                                             Answer::Trigger::Continue};
    if (choice) answer.trigger = kTriggers[*choice];
  }
  if (const auto raw = at.optional("raw")) {
    if (raw->value().is_list()) {
      for (const Reader& step : raw->as_items({1})) read_raw_step(answer.raw, step);
    } else {
      read_raw_step(answer.raw, *raw);
    }
  }
  if (const auto then = at.optional("then")) {
    read_then(answer, *then, http2);
  }
  if (const auto after = read_optional_duration(at, "thenAfter")) answer.then_after = *after;

  if (const auto reset = at.optional("reset"); reset && reset->value().is_string()) {
    if (!http2) reset->fail("must be true or false: the service speaks HTTP/1, without streams");
    answer.never = true;
    answer.reset_stream = read_error_code(*reset);
    for (const std::string_view other : {"status", "body", "chunks", "grpc", "close", "never"}) {
      if (at.has(other)) at.fail_key(other, "must not be given beside reset");
    }
    at.finish();
    return answer;
  }
  // Short words for not answering at all.
  const auto silent = at.one_of({"close", "reset", "never"}, false);
  constexpr std::string_view kSilent[] = {"close", "reset", "never"};
  if (silent && at.optional_bool(kSilent[*silent]).value_or(false)) {
    for (const std::string_view other : {"status", "body", "chunks", "raw", "then"}) {
      if (at.has(other)) {
        at.fail_key(other, "must not be given beside " + std::string(kSilent[*silent]));
      }
    }
    answer.never = true;
    answer.then = *silent == 0   ? Answer::Then::Close
                  : *silent == 1 ? Answer::Then::Reset
                                 : Answer::Then::Hang;
  }
  if (at.has("body") && at.has("chunks")) at.fail_key("chunks", "must not be given beside body");
  if (at.has("raw")) {
    for (const std::string_view other : {"status", "reason", "headers", "body", "chunks"}) {
      if (at.has(other)) at.fail_key(other, "must not be given beside raw");
    }
  }
  if (const auto grpc = at.optional("grpc")) {
    for (const std::string_view other : {"status", "headers", "body", "chunks", "trailers"}) {
      if (at.has(other)) at.fail_key(other, "must not be given beside grpc");
    }
    answer = peers::grpc_answer(std::move(answer), read_grpc_reply(*grpc, protos));
  }
  at.finish();
  return answer;
}

}  // namespace

std::vector<Answer> read_respond(const Reader& at, bool http2,
                                 const std::shared_ptr<const Protos>& protos) {
  std::vector<Answer> answers;
  if (at.value().is_list()) {
    for (const Reader& item : at.as_items({1})) answers.push_back(read_answer(item, http2, protos));
  } else {
    answers.push_back(read_answer(at, http2, protos));
  }
  if (answers.empty()) answers.emplace_back();
  return answers;
}

}  // namespace conformance
