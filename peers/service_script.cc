#include "peers/service_script.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "peers/echo.h"
#include "peers/grpc.h"

namespace peers {

ServiceScript::ServiceScript(Behaviour told) : behaviour(std::move(told)) {
  assert(!behaviour.answers.empty());
  for (std::size_t i = 0; i < serving(); ++i) {
    const Answer& of = answer(i);
    Prepared one;
    if (of.raw.empty() && (of.body || !of.chunks.empty())) {
      one.bytes = compose_answer(of, {}, {}, false);
      one.at_once = !of.never && of.after == world::Duration{} && !of.tunnel &&
                    of.then == Answer::Then::Keep && of.websocket == nullptr;
    }
    one.takes_bytes = of.tunnel || of.websocket != nullptr ||
                      std::any_of(of.raw.begin(), of.raw.end(), [](const auto& step) {
                        return step.kind == RawStep::Kind::Await;
                      });
    prepared.push_back(std::move(one));
  }
}

const Answer& ServiceScript::answer(std::size_t index) const {
  static const Answer kServing = grpc_answer({}, {.messages = {{{}, "\x08\x01"}}});
  if (index < behaviour.answers.size()) return behaviour.answers[index];
  index -= behaviour.answers.size();
  return index < behaviour.checks.size() ? behaviour.checks[index] : kServing;
}

}  // namespace peers
