#pragma once

#include "conformance/target.h"
#include "proxy/plan.h"

namespace targets {

/// The plan of an instance with everything of the scenario where it is on this machine: ports,
/// endpoints and files; and with the time it has there.
proxy::GatewayPlan on_machine(const conformance::TargetInstance& instance);

}  // namespace targets
