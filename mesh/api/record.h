#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "mesh/api/json.h"
#include "mesh/kinds.h"
#include "world/result.h"

namespace mesh::api {

/// Where a resource stands in the store: names are unique within a collection.
struct Key {
  std::string collection;
  std::string name;
  auto operator<=>(const Key&) const = default;
};

/// A token that a change was made with, and what was asked for then. Source: AM-API-03.
struct UsedToken {
  std::string token;
  std::string asked;  ///< Digest of the operation and its input.
};

/// One resource of any kind, as it is stored.
struct Record {
  Kind kind = Kind::Mesh;
  std::string mesh_owner;
  std::string mesh;
  std::string parent;  ///< Gateway of a gateway route, router of a route; else empty.
  std::string name;
  std::string resource_owner;
  std::string arn;
  std::string uid;
  std::int64_t created_ms = 0;  ///< Since the Unix epoch.
  std::int64_t updated_ms = 0;
  std::int64_t version = 1;
  Json spec = Json::object();
  std::map<std::string, std::string> tags;
  std::vector<UsedToken> tokens;  ///< The latest few.
  /// Resources that the spec names and that therefore must stay.
  std::vector<Key> needs;

  Key key() const;
};

/// The collection of what a mesh, or a parent in it, holds of one kind; or an account's meshes.
std::string collection_of(Kind kind, std::string_view mesh_owner, std::string_view mesh,
                          std::string_view parent = {});

/// A record as text for a file, and back. Errors: text that is no record.
std::string to_text(const Record& record);
world::Result<Record> record_from_text(std::string_view text);

/// As describe shows it: names, metadata, spec, status. Source: AM-SHP-064 to -068, -310 to -316.
Json shown(const Record& record, std::string_view status);
/// As lists show it. Source: AM-SHP-070 to -077.
Json reference(const Record& record);

}  // namespace mesh::api
