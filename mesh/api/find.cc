#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "mesh/api/call.h"

namespace mesh::api {
namespace {

Refusal not_found(const Call& call, Kind kind, std::string_view name, std::string_view where) {
  return {ErrorCode::NotFound, fmt::format("{}: {} {} does not exist {}", call.operation.name,
                                           words_of(kind).word, name, where)};
}

Answer<const Record*> find_in(const Call& call, const Record& mesh, Kind kind,
                              std::string_view parent, const std::string& name) {
  const Record* found =
      call.store.find({collection_of(kind, mesh.mesh_owner, mesh.mesh, parent), name});
  if (found != nullptr) return found;
  return not_found(call, kind, name, fmt::format("in the mesh {}", mesh.mesh));
}

}  // namespace

Answer<const Record*> find_mesh(const Call& call) {
  const auto given = call.query.find("meshOwner");
  const std::string owner =
      given == call.query.end() ? std::string(call.request.account) : given->second;
  if (auto refusal = call.access().see(owner, call.names.mesh, call.request.account)) {
    return *std::move(refusal);
  }
  const Record* mesh = call.store.find({collection_of(Kind::Mesh, owner, ""), call.names.mesh});
  if (mesh != nullptr) return mesh;
  return not_found(call, Kind::Mesh, call.names.mesh, fmt::format("in the account {}", owner));
}

Answer<const Record*> find_parent(const Call& call, const Record& mesh) {
  const auto kind = parent_of(call.kind());
  if (!kind) return nullptr;
  return find_in(call, mesh, *kind, "", call.names.parent);
}

Answer<const Record*> find_resource(const Call& call) {
  const auto mesh = find_mesh(call);
  if (!mesh || call.kind() == Kind::Mesh) return mesh;
  if (const auto parent = find_parent(call, **mesh); !parent) return parent;
  return find_in(call, **mesh, call.kind(), call.names.parent, call.names.name);
}

std::optional<Refusal> check_members(const Call& call, std::initializer_list<std::string_view> has,
                                     std::initializer_list<std::string_view> needs) {
  for (const auto& member : call.body.items()) {
    if (std::find(has.begin(), has.end(), member.key()) != has.end()) continue;
    return Refusal{ErrorCode::BadRequest,
                   fmt::format("/{}: is no member of {}", member.key(), call.operation.name)};
  }
  for (const std::string_view member : needs) {
    if (call.body.contains(member)) continue;
    return Refusal{ErrorCode::BadRequest, fmt::format("/{}: is required", member)};
  }
  return std::nullopt;
}

std::int64_t now_ms(const Request& request) {
  return std::chrono::floor<std::chrono::milliseconds>(request.now).time_since_epoch().count();
}

}  // namespace mesh::api
