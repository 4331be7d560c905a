#pragma once

#include <string>
#include <string_view>

#include "mesh/model.h"
#include "world/result.h"

namespace mesh {

/// Whether a name is one the service takes: 1 to 255 of letters, digits, "-" and "_".
/// Not for virtual services. Source: AM-NAM-01, AM-NAM-02.
bool valid_name(std::string_view name);

/// Whether it is the id of an account: exactly 12 digits. Source: AM-NAM-08.
bool valid_account(std::string_view id);

/// The account and region that ARNs name.
struct Account {
  std::string id = "123456789012";  ///< See valid_account().
  std::string region = "us-west-2";
  std::string partition = "aws";
};

/// "arn:aws:appmesh:us-west-2:123456789012:mesh/shop". Source: AM-NAM-04.
std::string mesh_arn(const Account& owner, std::string_view mesh);

/// ARN of a resource of a mesh. `parent` is the gateway of a gateway route, the router of a
/// route, and empty for all others. Source: AM-NAM-05.
std::string resource_arn(const Account& owner, std::string_view mesh, Kind kind,
                         std::string_view name, std::string_view parent = {});

/// What a proxy is told to be: APPMESH_RESOURCE_ARN taken apart.
struct ProxyResource {
  std::string mesh;
  std::string mesh_owner;  ///< Of "mesh/shop@123456789012/...", else empty (AM-NAM-09).
  Kind kind = Kind::VirtualGateway;
  std::string name;
};

/// Takes "mesh/MESH/virtualGateway/NAME", or the full ARN, apart; virtualNode likewise.
///
/// Errors: fewer than four parts, an unknown kind, an empty part. Source: AM-AGT-01, AM-AGT-02,
/// DP-01.
world::Result<ProxyResource> parse_proxy_resource(std::string_view written);

}  // namespace mesh
