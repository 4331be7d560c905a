#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "mesh/model.h"

namespace mesh {

/// How one kind is written.
struct KindWords {
  Kind kind;
  std::string_view word;    ///< In scenarios, ARNs, and around the command line's output.
  std::string_view name;    ///< In the API's input and output.
  std::string_view plural;  ///< In lists and URIs.
};

/// The most specific come first: a gateway route names its gateway too.
constexpr std::array<KindWords, 7> kKinds = {{
    {Kind::GatewayRoute, "gatewayRoute", "gatewayRouteName", "gatewayRoutes"},
    {Kind::Route, "route", "routeName", "routes"},
    {Kind::VirtualGateway, "virtualGateway", "virtualGatewayName", "virtualGateways"},
    {Kind::VirtualService, "virtualService", "virtualServiceName", "virtualServices"},
    {Kind::VirtualNode, "virtualNode", "virtualNodeName", "virtualNodes"},
    {Kind::VirtualRouter, "virtualRouter", "virtualRouterName", "virtualRouters"},
    {Kind::Mesh, "mesh", "meshName", "meshes"},
}};

const KindWords& words_of(Kind kind);

/// The gateway of a gateway route, the router of a route; absent for what a mesh holds itself.
std::optional<Kind> parent_of(Kind kind);

}  // namespace mesh
