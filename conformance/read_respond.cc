#include "conformance/read_respond.h"

#include <string>
#include <utility>

#include "conformance/read_parts.h"

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

Answer read_answer(Reader at) {
  Answer answer;
  if (!at.expect_object()) return answer;
  if (const auto status = at.optional_integer("status", 100, 999)) {
    answer.status = static_cast<std::uint16_t>(*status);
  }
  if (auto reason = at.optional_string("reason")) answer.reason = std::move(*reason);
  if (const auto headers = at.optional("headers")) answer.headers = read_headers(*headers);
  if (const auto body = at.optional("body")) answer.body = read_bytes(*body);
  for (const Reader& chunk : at.optional_items("chunks", {1})) {
    answer.chunks.push_back(read_bytes(chunk));
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
    if (const auto what = read_then(*then)) answer.then = *what;
  }
  if (const auto after = read_optional_duration(at, "thenAfter")) answer.then_after = *after;

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
  at.finish();
  return answer;
}

}  // namespace

std::vector<Answer> read_respond(const Reader& at) {
  std::vector<Answer> answers;
  if (at.value().is_list()) {
    for (const Reader& item : at.as_items({1})) answers.push_back(read_answer(item));
  } else {
    answers.push_back(read_answer(at));
  }
  if (answers.empty()) answers.emplace_back();
  return answers;
}

}  // namespace conformance
