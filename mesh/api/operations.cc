#include "mesh/api/operations.h"

#include <array>

#include "mesh/kinds.h"

namespace mesh::api {
namespace {

constexpr std::array<Operation, 38> kOperations = {{
    {"CreateMesh", "PUT", "/meshes", Verb::Create, Kind::Mesh},
    {"DescribeMesh", "GET", "/meshes/{meshName}", Verb::Describe, Kind::Mesh},
    {"UpdateMesh", "PUT", "/meshes/{meshName}", Verb::Update, Kind::Mesh},
    {"DeleteMesh", "DELETE", "/meshes/{meshName}", Verb::Delete, Kind::Mesh},
    {"ListMeshes", "GET", "/meshes", Verb::List, Kind::Mesh},
    {"CreateVirtualGateway", "PUT", "/meshes/{meshName}/virtualGateways", Verb::Create,
     Kind::VirtualGateway},
    {"DescribeVirtualGateway", "GET", "/meshes/{meshName}/virtualGateways/{virtualGatewayName}",
     Verb::Describe, Kind::VirtualGateway},
    {"UpdateVirtualGateway", "PUT", "/meshes/{meshName}/virtualGateways/{virtualGatewayName}",
     Verb::Update, Kind::VirtualGateway},
    {"DeleteVirtualGateway", "DELETE", "/meshes/{meshName}/virtualGateways/{virtualGatewayName}",
     Verb::Delete, Kind::VirtualGateway},
    {"ListVirtualGateways", "GET", "/meshes/{meshName}/virtualGateways", Verb::List,
     Kind::VirtualGateway},
    {"CreateGatewayRoute", "PUT",
     "/meshes/{meshName}/virtualGateway/{virtualGatewayName}/gatewayRoutes", Verb::Create,
     Kind::GatewayRoute},
    {"DescribeGatewayRoute", "GET",
     "/meshes/{meshName}/virtualGateway/{virtualGatewayName}/gatewayRoutes/{gatewayRouteName}",
     Verb::Describe, Kind::GatewayRoute},
    {"UpdateGatewayRoute", "PUT",
     "/meshes/{meshName}/virtualGateway/{virtualGatewayName}/gatewayRoutes/{gatewayRouteName}",
     Verb::Update, Kind::GatewayRoute},
    {"DeleteGatewayRoute", "DELETE",
     "/meshes/{meshName}/virtualGateway/{virtualGatewayName}/gatewayRoutes/{gatewayRouteName}",
     Verb::Delete, Kind::GatewayRoute},
    {"ListGatewayRoutes", "GET",
     "/meshes/{meshName}/virtualGateway/{virtualGatewayName}/gatewayRoutes", Verb::List,
     Kind::GatewayRoute},
    {"CreateVirtualService", "PUT", "/meshes/{meshName}/virtualServices", Verb::Create,
     Kind::VirtualService},
    {"DescribeVirtualService", "GET", "/meshes/{meshName}/virtualServices/{virtualServiceName}",
     Verb::Describe, Kind::VirtualService},
    {"UpdateVirtualService", "PUT", "/meshes/{meshName}/virtualServices/{virtualServiceName}",
     Verb::Update, Kind::VirtualService},
    {"DeleteVirtualService", "DELETE", "/meshes/{meshName}/virtualServices/{virtualServiceName}",
     Verb::Delete, Kind::VirtualService},
    {"ListVirtualServices", "GET", "/meshes/{meshName}/virtualServices", Verb::List,
     Kind::VirtualService},
    {"CreateVirtualNode", "PUT", "/meshes/{meshName}/virtualNodes", Verb::Create,
     Kind::VirtualNode},
    {"DescribeVirtualNode", "GET", "/meshes/{meshName}/virtualNodes/{virtualNodeName}",
     Verb::Describe, Kind::VirtualNode},
    {"UpdateVirtualNode", "PUT", "/meshes/{meshName}/virtualNodes/{virtualNodeName}", Verb::Update,
     Kind::VirtualNode},
    {"DeleteVirtualNode", "DELETE", "/meshes/{meshName}/virtualNodes/{virtualNodeName}",
     Verb::Delete, Kind::VirtualNode},
    {"ListVirtualNodes", "GET", "/meshes/{meshName}/virtualNodes", Verb::List, Kind::VirtualNode},
    {"CreateVirtualRouter", "PUT", "/meshes/{meshName}/virtualRouters", Verb::Create,
     Kind::VirtualRouter},
    {"DescribeVirtualRouter", "GET", "/meshes/{meshName}/virtualRouters/{virtualRouterName}",
     Verb::Describe, Kind::VirtualRouter},
    {"UpdateVirtualRouter", "PUT", "/meshes/{meshName}/virtualRouters/{virtualRouterName}",
     Verb::Update, Kind::VirtualRouter},
    {"DeleteVirtualRouter", "DELETE", "/meshes/{meshName}/virtualRouters/{virtualRouterName}",
     Verb::Delete, Kind::VirtualRouter},
    {"ListVirtualRouters", "GET", "/meshes/{meshName}/virtualRouters", Verb::List,
     Kind::VirtualRouter},
    {"CreateRoute", "PUT", "/meshes/{meshName}/virtualRouter/{virtualRouterName}/routes",
     Verb::Create, Kind::Route},
    {"DescribeRoute", "GET",
     "/meshes/{meshName}/virtualRouter/{virtualRouterName}/routes/{routeName}", Verb::Describe,
     Kind::Route},
    {"UpdateRoute", "PUT",
     "/meshes/{meshName}/virtualRouter/{virtualRouterName}/routes/{routeName}", Verb::Update,
     Kind::Route},
    {"DeleteRoute", "DELETE",
     "/meshes/{meshName}/virtualRouter/{virtualRouterName}/routes/{routeName}", Verb::Delete,
     Kind::Route},
    {"ListRoutes", "GET", "/meshes/{meshName}/virtualRouter/{virtualRouterName}/routes", Verb::List,
     Kind::Route},
    {"TagResource", "PUT", "/tag", Verb::Tag, Kind::Mesh},
    {"UntagResource", "PUT", "/untag", Verb::Untag, Kind::Mesh},
    {"ListTagsForResource", "GET", "/tags", Verb::ListTags, Kind::Mesh},
}};

constexpr std::string_view kVersion = "v20190125";

/// Puts a name of the path, which stands in braces in the row, to its place.
void note(PathNames& names, const Operation& operation, std::string_view braced,
          const std::string& value) {
  const std::string_view key = braced.substr(1, braced.size() - 2);
  const bool of_mesh = key == words_of(Kind::Mesh).name;
  if (of_mesh) names.mesh = value;
  if (key == words_of(operation.kind).name) {
    names.name = value;
  } else if (!of_mesh) {
    names.parent = value;
  }
}

std::optional<PathNames> match(const Operation& operation, const Uri& uri) {
  PathNames names;
  std::string_view rest = operation.uri;
  for (std::size_t i = 1; i < uri.segments.size(); ++i) {
    if (rest.empty()) return std::nullopt;
    rest.remove_prefix(1);
    const std::string_view wanted = rest.substr(0, rest.find('/'));
    rest.remove_prefix(wanted.size());
    if (wanted.starts_with('{')) {
      note(names, operation, wanted, uri.segments[i]);
    } else if (wanted != uri.segments[i]) {
      return std::nullopt;
    }
  }
  return rest.empty() ? std::optional(std::move(names)) : std::nullopt;
}

}  // namespace

std::span<const Operation> operations() {
  return kOperations;
}

std::optional<Match> find_operation(std::string_view method, const Uri& uri) {
  if (uri.segments.empty() || uri.segments.front() != kVersion) return std::nullopt;
  for (const Operation& operation : kOperations) {
    if (operation.method != method) continue;
    if (auto names = match(operation, uri)) return Match{&operation, *std::move(names)};
  }
  return std::nullopt;
}

}  // namespace mesh::api
