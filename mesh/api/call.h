#pragma once

#include <map>
#include <optional>
#include <string>

#include "mesh/api/api.h"
#include "mesh/api/operations.h"

/// One call being answered, and the answers of each verb. Internal to mesh/api.
namespace mesh::api {

struct Call {
  Store& store;
  const Options& options;
  const Request& request;
  const Operation& operation;
  PathNames names;
  std::map<std::string, std::string> query;
  Json body;

  Kind kind() const { return operation.kind; }
  Access access() const { return Access(options.shares); }
};

// Each gives the body of the answer.
Answer<Json> create(const Call& call);
Answer<Json> describe(const Call& call);
Answer<Json> update(const Call& call);
Answer<Json> remove(const Call& call);
Answer<Json> list(const Call& call);
Answer<Json> tag(const Call& call);
Answer<Json> untag(const Call& call);
Answer<Json> list_tags(const Call& call);

/// The mesh that the path names, of the account that meshOwner names or else the caller's. Errors:
/// it is not there, or not the caller's to see.
Answer<const Record*> find_mesh(const Call& call);
/// The gateway or router that the path names; null for kinds that have none.
Answer<const Record*> find_parent(const Call& call, const Record& mesh);
/// The resource that the path names.
Answer<const Record*> find_resource(const Call& call);

/// Refuses members of the body that the operation does not have, or lacks.
std::optional<Refusal> check_members(const Call& call, std::initializer_list<std::string_view> has,
                                     std::initializer_list<std::string_view> needs);

std::int64_t now_ms(const Request& request);

}  // namespace mesh::api
