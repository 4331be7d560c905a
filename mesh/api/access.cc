#include "mesh/api/access.h"

#include <algorithm>

#include <fmt/format.h>

namespace mesh::api {
namespace {

bool is_gateway_side(Kind kind) {
  return kind == Kind::VirtualGateway || kind == Kind::GatewayRoute;
}

Refusal forbidden(std::string_view account, std::string message) {
  return {ErrorCode::Forbidden, fmt::format("account {} {}", account, message)};
}

std::string owned(const Record& record, std::string_view to_do) {
  return fmt::format("must be the resource owner of {} {} to {}, which is {}",
                     words_of(record.kind).word, record.name, to_do, record.resource_owner);
}

}  // namespace

const Share* Access::share(std::string_view owner, std::string_view mesh,
                           std::string_view account) const {
  const auto found = std::find_if(shares_.begin(), shares_.end(), [&](const Share& share) {
    return share.owner == owner && share.mesh == mesh && share.consumer == account;
  });
  return found == shares_.end() ? nullptr : &*found;
}

std::optional<Refusal> Access::see(std::string_view owner, std::string_view mesh,
                                   std::string_view account) const {
  if (owner == account || share(owner, mesh, account) != nullptr) return std::nullopt;
  return forbidden(account, fmt::format("does not share the mesh {} of {}", mesh, owner));
}

std::optional<Refusal> Access::create(const Record& mesh, Kind kind, const Record* parent,
                                      std::string_view account) const {
  if (mesh.mesh_owner != account && is_gateway_side(kind)) {
    const Share* shared = share(mesh.mesh_owner, mesh.mesh, account);
    if (shared == nullptr || !shared->gateways) {
      return forbidden(account, fmt::format("shares the mesh {} without leave to create a {}",
                                            mesh.mesh, words_of(kind).word));
    }
  }
  // Source: AM-SHR-06.
  if (kind == Kind::GatewayRoute && parent->resource_owner != account) {
    return forbidden(account, owned(*parent, "create a gatewayRoute on it"));
  }
  return std::nullopt;
}

std::optional<Refusal> Access::update(const Record& record, std::string_view account) const {
  if (record.resource_owner == account) return std::nullopt;
  return forbidden(account, owned(record, "update it"));
}

std::optional<Refusal> Access::remove(const Record& record, std::string_view account) const {
  if (record.resource_owner == account) return std::nullopt;
  if (record.mesh_owner == account) {
    // A gateway's owner alone deletes it (DEL-03), which a former consumer cannot (AM-SHR-09).
    const bool former = share(record.mesh_owner, record.mesh, record.resource_owner) == nullptr;
    if (!is_gateway_side(record.kind) || former) return std::nullopt;
  }
  return forbidden(account, owned(record, "delete it"));
}

std::optional<Refusal> Access::tag(const Record& record, std::string_view account) const {
  const bool visible = see(record.mesh_owner, record.mesh, account) == std::nullopt;
  if (record.resource_owner == account && visible) return std::nullopt;
  return forbidden(account, owned(record, "see or change its tags"));
}

}  // namespace mesh::api
