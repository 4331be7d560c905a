#include <algorithm>
#include <cstddef>
#include <utility>

#include <fmt/format.h>
#include <xxhash.h>

#include "mesh/api/call.h"
#include "mesh/api/spec_check.h"
#include "mesh/names.h"

namespace mesh::api {
namespace {

/// So many changes of one resource can be sent again without being made twice.
constexpr std::size_t kTokensKept = 8;

/// So many children of one kind are named by a refused delete.
constexpr std::size_t kMostNamed = 5;

std::string hash_text(const std::string& text) {
  const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

/// A version 4 UUID, of its own for each creation. Source: AM-LIF-03.
std::string new_uid(const Call& call, const std::string& arn) {
  std::string hex =
      hash_text(fmt::format("{}\n{}\n{}", call.options.seed, call.store.changes(), arn));
  hex[12] = '4';
  hex[16] = "89ab"[static_cast<unsigned char>(hex[16]) % 4];
  const std::string_view all = hex;
  return fmt::format("{}-{}-{}-{}-{}", all.substr(0, 8), all.substr(8, 4), all.substr(12, 4),
                     all.substr(16, 4), all.substr(20));
}

/// The call's token, if any, with what it asks for. Source: AM-API-03.
std::optional<UsedToken> token_of(const Call& call) {
  const auto token = call.body.find("clientToken");
  if (token == call.body.end()) return std::nullopt;
  Json asked = call.body;
  asked.erase("clientToken");
  return UsedToken{token->get<std::string>(),
                   hash_text(fmt::format("{}\n{}", call.operation.name, asked.dump()))};
}

enum class TokenIs : std::uint8_t { New, Repeated, Taken };

TokenIs judge(const std::optional<UsedToken>& token, const Record& record) {
  if (!token) return TokenIs::New;
  for (const UsedToken& used : record.tokens) {
    if (used.token == token->token) {
      return used.asked == token->asked ? TokenIs::Repeated : TokenIs::Taken;
    }
  }
  return TokenIs::New;
}

Refusal token_taken(const Call& call) {
  return {ErrorCode::Conflict,
          fmt::format("{}: clientToken was used with another request", call.operation.name)};
}

void keep(Record& record, const std::optional<UsedToken>& token) {
  if (!token) return;
  if (record.tokens.size() == kTokensKept) record.tokens.erase(record.tokens.begin());
  record.tokens.push_back(*token);
}

/// The quota of a collection, and what it is called.
std::pair<std::size_t, std::string_view> quota_of(Kind kind, const Quotas& quotas) {
  switch (kind) {
    case Kind::Mesh:
      return {quotas.meshes_per_account, "meshes of an account"};
    case Kind::VirtualGateway:
      return {quotas.gateways_per_mesh, "virtual gateways in a mesh"};
    case Kind::GatewayRoute:
      return {quotas.gateway_routes_per_gateway, "gateway routes of a virtual gateway"};
    case Kind::VirtualService:
      return {quotas.services_nodes_or_routers_per_mesh, "virtual services in a mesh"};
    case Kind::VirtualNode:
      return {quotas.services_nodes_or_routers_per_mesh, "virtual nodes in a mesh"};
    case Kind::VirtualRouter:
      return {quotas.services_nodes_or_routers_per_mesh, "virtual routers in a mesh"};
    case Kind::Route:
      break;
  }
  return {quotas.routes_per_router, "routes of a virtual router"};
}

Refusal over_quota(std::size_t limit, std::string_view what) {
  return {ErrorCode::LimitExceeded, fmt::format("is beyond the quota of {} {}", limit, what)};
}

std::optional<Refusal> check_quota(const Call& call, const Record& record) {
  if (!call.options.quotas) return std::nullopt;
  const auto [limit, what] = quota_of(record.kind, *call.options.quotas);
  if (call.store.count(record.key().collection) < limit) return std::nullopt;
  return over_quota(limit, what);
}

/// What holds for a spec however it comes. Fills in what the record needs.
std::optional<Refusal> check_spec(const Call& call, SpecCheck& check, Record& record) {
  record.needs = check.needs(record);
  const auto& quotas = call.options.quotas;
  if (quotas && check.backends() > quotas->backends_per_node) {
    return over_quota(quotas->backends_per_node, "backends of a virtual node");
  }
  if (auto refusal = check.foreign_certificate(record.resource_owner)) return refusal;
  return check.together(call.store, record);
}

/// The input of a create or update with the names of its path, for the readers.
Json whole_input(const Call& call) {
  Json input = call.body;
  const Kind kind = call.kind();
  if (!input.contains("spec")) input["spec"] = Json::object();
  if (kind != Kind::Mesh) input[words_of(Kind::Mesh).name] = call.names.mesh;
  if (const auto parent = parent_of(kind)) input[words_of(*parent).name] = call.names.parent;
  if (call.operation.verb == Verb::Update) input[words_of(kind).name] = call.names.name;
  return input;
}

Record new_record(const Call& call, const Record* mesh, const Json& input) {
  Record record;
  record.kind = call.kind();
  record.resource_owner = call.request.account;
  record.mesh_owner = mesh == nullptr ? record.resource_owner : mesh->mesh_owner;
  record.mesh = input.at(words_of(Kind::Mesh).name);
  record.name = input.at(words_of(record.kind).name);
  record.parent = call.names.parent;
  const Account account{record.resource_owner, call.options.region, call.options.partition};
  record.arn = resource_arn(account, record.mesh, record.kind, record.name, record.parent);
  record.uid = new_uid(call, record.arn);
  record.created_ms = record.updated_ms = now_ms(call.request);
  record.spec = input.at("spec");
  if (input.contains("tags")) {
    for (const Json& tag : input["tags"]) record.tags[tag.at("key")] = tag.at("value");
  }
  return record;
}

/// The mesh that a new resource goes into; null for a mesh. Refused if it may not be there.
Answer<const Record*> find_place(const Call& call) {
  if (call.kind() == Kind::Mesh) return nullptr;
  const auto mesh = find_mesh(call);
  if (!mesh) return mesh;
  const auto parent = find_parent(call, **mesh);
  if (!parent) return parent;
  auto refusal = call.access().create(**mesh, call.kind(), *parent, call.request.account);
  if (refusal) return *std::move(refusal);
  return mesh;
}

/// What must go before the record can. Source: AM-DEL-01 to -08.
std::string in_use_by(const Call& call, const Record& record) {
  std::string users;
  const auto note = [&](const Record& user) {
    users += fmt::format("{}{} {}", users.empty() ? "" : ", ", words_of(user.kind).word, user.arn);
  };
  for (const KindWords& words : kKinds) {
    const auto parent = parent_of(words.kind);
    const bool is_child =
        parent ? parent == record.kind : record.kind == Kind::Mesh && words.kind != Kind::Mesh;
    if (!is_child) continue;
    const std::string collection =
        collection_of(words.kind, record.mesh_owner, record.mesh, record.name);
    for (const Record* child : call.store.list(collection, "", kMostNamed)) note(*child);
  }
  for (const Record* user : call.store.users_of(record.key())) note(*user);
  return users;
}

}  // namespace

Answer<Json> create(const Call& call) {
  const Kind kind = call.kind();
  const std::string_view name = words_of(kind).name;
  auto refusal = kind == Kind::Mesh
                     ? check_members(call, {name, "spec", "tags", "clientToken"}, {name})
                     : check_members(call, {name, "spec", "tags", "clientToken"}, {name, "spec"});
  if (refusal) return *std::move(refusal);
  const Json input = whole_input(call);
  SpecCheck check(call.options.era);
  if ((refusal = check.alone(input, kind))) return *std::move(refusal);
  const auto mesh = find_place(call);
  if (!mesh) return mesh.error();

  Record record = new_record(call, *mesh, input);
  const auto token = token_of(call);
  if (const Record* there = call.store.find(record.key())) {
    if (judge(token, *there) == TokenIs::Repeated) return shown(*there, "ACTIVE");
    return Refusal{ErrorCode::Conflict, fmt::format("{}: {} {} exists", call.operation.name,
                                                    words_of(kind).word, record.name)};
  }
  if ((refusal = check_quota(call, record))) return *std::move(refusal);
  if ((refusal = check_spec(call, check, record))) return *std::move(refusal);
  keep(record, token);
  call.store.put(record);
  return shown(record, "ACTIVE");
}

Answer<Json> update(const Call& call) {
  auto refusal = call.kind() == Kind::Mesh ? check_members(call, {"spec", "clientToken"}, {})
                                           : check_members(call, {"spec", "clientToken"}, {"spec"});
  if (refusal) return *std::move(refusal);
  const Json input = whole_input(call);
  SpecCheck check(call.options.era);
  if ((refusal = check.alone(input, call.kind()))) return *std::move(refusal);
  const auto found = find_resource(call);
  if (!found) return found.error();
  if ((refusal = call.access().update(**found, call.request.account))) return *std::move(refusal);

  const auto token = token_of(call);
  const TokenIs is = judge(token, **found);
  if (is == TokenIs::Repeated) return shown(**found, "ACTIVE");
  if (is == TokenIs::Taken) return token_taken(call);
  Record record = **found;
  record.spec = input.at("spec");
  if ((refusal = check_spec(call, check, record))) return *std::move(refusal);
  ++record.version;
  record.updated_ms = now_ms(call.request);
  keep(record, token);
  call.store.put(record);
  return shown(record, "ACTIVE");
}

Answer<Json> remove(const Call& call) {
  const auto found = find_resource(call);
  if (!found) return found.error();
  if (auto refusal = call.access().remove(**found, call.request.account)) {
    return *std::move(refusal);
  }
  Record record = **found;
  if (const std::string users = in_use_by(call, record); !users.empty()) {
    return Refusal{
        ErrorCode::ResourceInUse,
        fmt::format("{} {} of the mesh {} of {} is in use by: {}", words_of(record.kind).word,
                    record.name, record.mesh, record.mesh_owner, users)};
  }
  call.store.erase(record.key());
  ++record.version;
  record.updated_ms = now_ms(call.request);
  return shown(record, "DELETED");
}

}  // namespace mesh::api
