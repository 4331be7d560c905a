#include "mesh/api/api.h"

#include <fmt/format.h>

#include "mesh/api/call.h"
#include "mesh/names.h"

namespace mesh::api {
namespace {

/// Of names that come by the path. Source: AM-NAM-01, AM-NAM-02, AM-NAM-08.
std::optional<Refusal> check_names(const Call& call) {
  const auto check = [](Kind kind, const std::string& name) -> std::optional<Refusal> {
    if (kind == Kind::VirtualService ? !name.empty() : valid_name(name)) return std::nullopt;
    return Refusal{ErrorCode::BadRequest,
                   fmt::format("{} must be 1 to 255 letters, digits, \"-\" and \"_\", is \"{}\"",
                               words_of(kind).name, name)};
  };
  const std::string_view uri = call.operation.uri;
  if (uri.find("{meshName}") != std::string_view::npos) {
    if (auto refusal = check(Kind::Mesh, call.names.mesh)) return refusal;
  }
  if (const auto parent = parent_of(call.kind())) {
    if (auto refusal = check(*parent, call.names.parent)) return refusal;
  }
  if (uri.ends_with('}')) {
    if (auto refusal = check(call.kind(), call.names.name)) return refusal;
  }
  const auto owner = call.query.find("meshOwner");
  if (owner == call.query.end() || owner->second.size() == 12) return std::nullopt;
  return Refusal{ErrorCode::BadRequest,
                 fmt::format("meshOwner must be 12 characters long, is {}", owner->second.size())};
}

Answer<Json> dispatch(const Call& call) {
  if (auto refusal = check_names(call)) return *std::move(refusal);
  switch (call.operation.verb) {
    case Verb::Create:
      return create(call);
    case Verb::Describe:
      return describe(call);
    case Verb::Update:
      return update(call);
    case Verb::Delete:
      return remove(call);
    case Verb::List:
      return list(call);
    case Verb::Tag:
      return tag(call);
    case Verb::Untag:
      return untag(call);
    case Verb::ListTags:
      break;
  }
  return list_tags(call);
}

Answer<Json> answer_json(Store& store, const Options& options, const Request& request) {
  auto uri = parse_uri(request.target);
  if (!uri) {
    return Refusal{ErrorCode::BadRequest, "the URI must be a path and query of escaped UTF-8"};
  }
  auto match = find_operation(request.method, *uri);
  if (!match) {
    return Refusal{ErrorCode::UnknownOperation,
                   fmt::format("{} is no operation with this URI", request.method)};
  }
  const bool has_body = request.method == "PUT";
  auto body = has_body ? parse_body(request.body) : Answer<Json>(Json::object());
  if (!body) return body.error();
  // These operations are of the caller's own meshes alone. Source: AM-API-05.
  const Operation& operation = *match->operation;
  const bool own = operation.kind == Kind::Mesh && operation.verb != Verb::Describe;
  if (own) uri->query.erase("meshOwner");
  return dispatch({store, options, request, operation, std::move(match->names),
                   std::move(uri->query), std::move(*body)});
}

}  // namespace

Response refuse(const Refusal& refusal) {
  return {status_of(refusal.code), text(refusal.code), Json({{"message", refusal.message}}).dump()};
}

Response answer(Store& store, const Options& options, const Request& request) {
  try {
    const Answer<Json> answer = answer_json(store, options, request);
    if (!answer) return refuse(answer.error());
    return {200, "", answer->dump()};
  } catch (const StoreError& error) {
    return refuse({ErrorCode::InternalServerError, error.what()});
  }
}

}  // namespace mesh::api
