#pragma once

#include <string_view>

#include "envoy/json.h"
#include "proxy/plan.h"

namespace envoy {

/// The routes of a hop as a RouteConfiguration of that name.
///
/// Source: CD-05, CD-06, ENV-HTTP-02 to -05, AM-RET-01, AM-RET-02.
Json route_configuration(std::string_view name, const proxy::HopPlan& hop);

}  // namespace envoy
