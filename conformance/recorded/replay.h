#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

#include "conformance/recorded/compare.h"

namespace conformance::recorded {

/// One recorded case, replayed.
struct Outcome {
  enum class Verdict : std::uint8_t { Agree, Differ, Unsupported };
  std::string id;
  std::string area;
  Verdict verdict = Verdict::Differ;
  std::string reason;       ///< Of Unsupported: what is missing.
  nlohmann::json expected;  ///< What the real proxy did, as far as it is compared.
  nlohmann::json actual;    ///< What the simulated gateway did.
};

/// Replays a recorded case of a real proxy in a simulated world, through the gateway that all
/// scenarios use, and compares what upstreams, client and both hops' access logs saw.
///
/// Source: the vocabulary of the observations, parts 1 and 2.
Outcome replay(const nlohmann::json& record);

}  // namespace conformance::recorded
