#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "peers/behaviour.h"

namespace peers {

/// A behaviour, and what of its answers can be composed beforehand. Nothing of it changes: the
/// endpoints of a service, and the worlds of a sweep, share one.
struct ServiceScript {
  struct Prepared {
    std::string bytes;         ///< Of a fixed answer.
    bool at_once = false;      ///< Fixed, without delay, and the connection stays.
    bool takes_bytes = false;  ///< What follows the request is not a request.
  };

  /// Requires: there is an answer.
  explicit ServiceScript(Behaviour told);

  /// The answers, then those to checks, then SERVING.
  const Answer& answer(std::size_t index) const;
  std::size_t serving() const { return behaviour.answers.size() + behaviour.checks.size(); }

  Behaviour behaviour;
  std::vector<Prepared> prepared;  ///< By answer, but SERVING.
};

/// Requires: there is an answer.
inline std::shared_ptr<const ServiceScript> prepare(Behaviour behaviour) {
  return std::make_shared<const ServiceScript>(std::move(behaviour));
}

}  // namespace peers
