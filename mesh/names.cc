#include "mesh/names.h"

#include <algorithm>
#include <optional>
#include <vector>

#include <fmt/format.h>

namespace mesh {
namespace {

std::optional<Kind> kind_from_text(std::string_view written) {
  for (const Kind kind :
       {Kind::VirtualGateway, Kind::VirtualNode, Kind::VirtualRouter, Kind::VirtualService}) {
    if (text(kind) == written) return kind;
  }
  return std::nullopt;
}

std::vector<std::string_view> split(std::string_view written, char at) {
  std::vector<std::string_view> parts;
  for (std::size_t from = 0;;) {
    const std::size_t to = written.find(at, from);
    parts.push_back(written.substr(from, to - from));
    if (to == std::string_view::npos) return parts;
    from = to + 1;
  }
}

}  // namespace

bool valid_name(std::string_view name) {
  return !name.empty() && name.size() <= 255 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
}

bool valid_account(std::string_view id) {
  constexpr std::size_t kDigits = 12;
  return id.size() == kDigits && id.find_first_not_of("0123456789") == std::string_view::npos;
}

std::string mesh_arn(const Account& owner, std::string_view mesh) {
  return fmt::format("arn:{}:appmesh:{}:{}:mesh/{}", owner.partition, owner.region, owner.id, mesh);
}

std::string resource_arn(const Account& owner, std::string_view mesh, Kind kind,
                         std::string_view name, std::string_view parent) {
  std::string arn = mesh_arn(owner, mesh);
  if (kind == Kind::Mesh) return arn;
  if (kind == Kind::GatewayRoute) arn += fmt::format("/virtualGateway/{}", parent);
  if (kind == Kind::Route) arn += fmt::format("/virtualRouter/{}", parent);
  return arn + fmt::format("/{}/{}", text(kind), name);
}

world::Result<ProxyResource> parse_proxy_resource(std::string_view written) {
  const auto wrong = [&](std::string_view why) {
    return world::Error{
        "", fmt::format("must be mesh/MESH/virtualGateway/NAME or that ARN, is \"{}\": {}", written,
                        why)};
  };
  const std::vector<std::string_view> parts = split(written, '/');
  if (parts.size() < 4) return wrong(fmt::format("has {} of 4 parts", parts.size()));
  if (parts.size() > 4) return wrong("has more than 4 parts");
  if (parts[0] != "mesh" && !(parts[0].starts_with("arn:") && parts[0].ends_with(":mesh"))) {
    return wrong("does not begin with mesh/ or an ARN");
  }
  const std::optional<Kind> kind = kind_from_text(parts[2]);
  if (!kind) return wrong(fmt::format("\"{}\" is no kind of resource", parts[2]));
  if (parts[1].empty() || parts[3].empty()) return wrong("a name is empty");

  ProxyResource resource{std::string(parts[1]), {}, *kind, std::string(parts[3])};
  if (const std::size_t at = parts[1].find('@'); at != std::string_view::npos) {
    resource.mesh = parts[1].substr(0, at);
    resource.mesh_owner = parts[1].substr(at + 1);
    if (resource.mesh.empty() || resource.mesh_owner.empty()) return wrong("a name is empty");
  }
  return resource;
}

}  // namespace mesh
