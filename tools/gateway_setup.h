#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mesh/model.h"
#include "proxy/plan.h"
#include "tools/live_options.h"
#include "world/result.h"

namespace tools {

/// Which gateway a proxy is to be, and what it calls itself.
struct GatewayIdentity {
  std::string resource;  ///< As it was given: "mesh/shop/virtualGateway/edge", or the ARN.
  std::string gateway;
  std::string cluster;  ///< Its name in metrics and traces.
};

/// Reads a variable of the environment; nullptr if it is not set.
using Environment = std::function<const char*(const char* name)>;

/// The gateway that `resource` names, or if that is empty, APPMESH_RESOURCE_ARN, or one of the
/// variables that it took the place of. Without any of them the mesh's only gateway.
///
/// Errors: no such gateway, a gateway of another mesh, several to choose from, fewer parts than
/// a resource has. They say which gateways there are. Source: DP-01, DP-03, AM-AGT-01, AM-AGT-02.
world::Result<GatewayIdentity> choose_gateway(const mesh::Mesh& mesh, const std::string& resource,
                                              const Environment& environment);

/// Puts the places of services into the plan: the clusters of the virtual node of that name, of the
/// node that is found by that host name, or of the nodes behind the virtual service of that name.
/// The most specific one wins.
///
/// Errors: names that no cluster has; a name that is given twice.
world::Errors place_services(proxy::GatewayPlan& plan, const std::vector<ServicePlace>& places);

}  // namespace tools
