#include "peers/behaviour.h"

#include <utility>

namespace peers {

Answer Answer::hang() {
  Answer answer;
  answer.never = true;
  answer.then = Then::Hang;
  return answer;
}

Answer Answer::abort() {
  Answer answer;
  answer.never = true;
  answer.then = Then::Reset;
  return answer;
}

Behaviour Behaviour::always(Answer answer) {
  Behaviour behaviour;
  behaviour.answers = {std::move(answer)};
  return behaviour;
}

}  // namespace peers
