#include "mesh/model.h"

#include <array>

namespace mesh {
namespace {

template <class T>
const T* find(const std::vector<T>& resources, std::string_view wanted) {
  for (const T& resource : resources) {
    if (resource.name == wanted) return &resource;
  }
  return nullptr;
}

constexpr std::array<std::string_view, 3> kEras = {"seed-a", "seed-b", "last"};

}  // namespace

const VirtualGateway* Mesh::gateway(std::string_view wanted) const {
  return find(gateways, wanted);
}
const VirtualService* Mesh::service(std::string_view wanted) const {
  return find(services, wanted);
}
const VirtualNode* Mesh::node(std::string_view wanted) const {
  return find(nodes, wanted);
}
const VirtualRouter* Mesh::router(std::string_view wanted) const {
  return find(routers, wanted);
}

const GatewayRoute* Mesh::gateway_route(std::string_view of_gateway,
                                        std::string_view wanted) const {
  for (const GatewayRoute& route : gateway_routes) {
    if (route.gateway == of_gateway && route.name == wanted) return &route;
  }
  return nullptr;
}

const Route* Mesh::route(std::string_view of_router, std::string_view wanted) const {
  for (const Route& route : routes) {
    if (route.router == of_router && route.name == wanted) return &route;
  }
  return nullptr;
}

std::vector<const GatewayRoute*> Mesh::routes_of_gateway(std::string_view of_gateway) const {
  std::vector<const GatewayRoute*> found;
  for (const GatewayRoute& route : gateway_routes) {
    if (route.gateway == of_gateway) found.push_back(&route);
  }
  return found;
}

std::vector<const Route*> Mesh::routes_of_router(std::string_view of_router) const {
  std::vector<const Route*> found;
  for (const Route& route : routes) {
    if (route.router == of_router) found.push_back(&route);
  }
  return found;
}

std::string_view text(Protocol protocol) {
  constexpr std::array<std::string_view, 4> kNames = {"http", "http2", "grpc", "tcp"};
  return kNames[static_cast<std::size_t>(protocol)];
}

std::string_view text(Era era) {
  return kEras[static_cast<std::size_t>(era)];
}

std::optional<Era> era_from_text(std::string_view written) {
  for (std::size_t i = 0; i < kEras.size(); ++i) {
    if (kEras[i] == written) return static_cast<Era>(i);
  }
  return std::nullopt;
}

std::string_view text(Kind kind) {
  constexpr std::array<std::string_view, 7> kNames = {
      "mesh",        "virtualGateway", "gatewayRoute", "virtualService",
      "virtualNode", "virtualRouter",  "route"};
  return kNames[static_cast<std::size_t>(kind)];
}

}  // namespace mesh
