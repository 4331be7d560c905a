#pragma once

#include <cstddef>

namespace mesh {

/// What an account may have, as long as nobody asked for more. Source: AM-QUO-01, -02, -04 to -07.
struct Quotas {
  std::size_t meshes_per_account = 15;
  std::size_t gateways_per_mesh = 3;
  std::size_t gateway_routes_per_gateway = 10;
  std::size_t services_nodes_or_routers_per_mesh = 200;  ///< Of each of the three.
  std::size_t routes_per_router = 50;
  std::size_t backends_per_node = 50;
};

}  // namespace mesh
