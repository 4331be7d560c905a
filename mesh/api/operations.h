#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "mesh/api/uri.h"
#include "mesh/model.h"

namespace mesh::api {

enum class Verb : std::uint8_t { Create, Describe, Update, Delete, List, Tag, Untag, ListTags };

/// One operation of the API. Source: AM-OP-01 to -38.
struct Operation {
  std::string_view name;
  std::string_view method;
  std::string_view uri;  ///< After /v20190125; names in braces are of the path.
  Verb verb;
  Kind kind;  ///< Of no meaning for tags, which any kind has.
};

std::span<const Operation> operations();

/// The names in a request's path.
struct PathNames {
  std::string mesh;
  std::string parent;  ///< The gateway of a gateway route, the router of a route.
  std::string name;    ///< Of the resource; for a mesh the same as `mesh`.
};

struct Match {
  const Operation* operation;
  PathNames names;
};

/// The operation that a method and path are of, if any.
std::optional<Match> find_operation(std::string_view method, const Uri& uri);

}  // namespace mesh::api
