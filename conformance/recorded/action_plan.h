#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "proxy/plan.h"
#include "world/result.h"

namespace conformance::recorded {

/// A duration as the configuration of the real proxy has it: "0.3s".
world::Duration seconds_of(const std::string& text);

/// Where a plan of one hop finds everything.
struct ActionPlaces {
  std::uint16_t port = 9080;           ///< Of the gateway.
  std::uint16_t upstream_port = 8080;  ///< Of every endpoint.
  std::size_t first_host = 0;          ///< The round robin begins with it.
  std::string log;                     ///< The access log's path.
  std::string connection_log{};        ///< The path of the one of connections.
};

/// The name of an endpoint, counted from 1.
std::string action_host(std::size_t number);

/// The plan of a `gateway` step. Errors: what of the step's members cannot be played.
///
/// Source: the vocabulary of the observations, sections 3.1, 3.3 and 3.4.
world::Result<std::shared_ptr<const proxy::GatewayPlan>, std::string> action_plan(
    const nlohmann::json& gateway, const ActionPlaces& places);

}  // namespace conformance::recorded
