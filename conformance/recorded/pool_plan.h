#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "proxy/plan.h"

namespace conformance::recorded {

/// The gateway that the pool records measured: one hop, or two with `self_redirect`.
///
/// Its access logs go to "/ingress" and "/egress", lines are JSON objects with the members id,
/// code, flags, details, ufail and attempts. Errors, as text: a setting that is not known.
/// Source: the vocabulary of the observations, sections 3.1 and 3.2.
struct PoolPlan {
  proxy::GatewayPlan plan;
  std::size_t hosts = 1;
  std::string error;  ///< Empty: it is whole.
};
PoolPlan pool_plan(const nlohmann::json& config);

/// The name under which the world knows an upstream: "host1", from 1.
std::string pool_host_name(std::size_t number);

}  // namespace conformance::recorded
