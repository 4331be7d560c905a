#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

#include "world/result.h"

namespace conformance::recorded {

/// What keeps a record of area pool from being replayed; empty if nothing does.
std::string unsupported_pool(const nlohmann::json& record);

/// Replays a record of area pool in a simulated world. Gives what was observed, in the records'
/// form. `seed`: of what chance decides.
///
/// Source: the vocabulary of the observations, sections 3.1 and 3.2.
nlohmann::json replay_pool(const nlohmann::json& record, std::uint64_t seed);

}  // namespace conformance::recorded
