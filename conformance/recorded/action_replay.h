#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

namespace conformance::recorded {

/// What came of a script of actions.
struct ActionsReplayed {
  std::string unsupported;  ///< What of it cannot be played; empty: it was.
  /// By pointer into the record's observations: what is compared.
  nlohmann::json expected = nlohmann::json::object();
  nlohmann::json actual = nlohmann::json::object();
  std::size_t hosts = 1;  ///< Endpoints of the gateway's cluster.
};

/// Replays a record that is a script of actions, step by step, in a world in which time is virtual.
/// `first_host`: the one that the round robin begins with.
///
/// Source: the vocabulary of the observations, sections 3.1, 3.3 and 3.4.
ActionsReplayed replay_actions(const nlohmann::json& record, std::uint64_t seed,
                               std::size_t first_host);

}  // namespace conformance::recorded
