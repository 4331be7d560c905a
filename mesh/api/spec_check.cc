#include "mesh/api/spec_check.h"

#include <limits>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "mesh/api/json.h"

namespace mesh::api {
namespace {

constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();

ReadOptions read_options(Era era) {
  ReadOptions options;
  options.era = era;
  options.validate.allow_undefined_services = true;  // together() looks for those that must exist
  options.validate.proxy_ports = {};                 // not the API's business (AM-VAL-28)
  return options;
}

/// The account of "arn:aws:acm:REGION:ACCOUNT:certificate/ID"; empty if it is no such thing.
std::string_view account_of(std::string_view arn) {
  if (!arn.starts_with("arn:")) return {};
  for (int parts = 0; parts < 4; ++parts) {
    const std::size_t end = arn.find(':');
    if (end == std::string_view::npos) return {};
    arn.remove_prefix(end + 1);
  }
  return arn.substr(0, arn.find(':'));
}

/// Everything that the rules between resources look at: the parents and needs of a record, and
/// theirs.
class Neighbours {
 public:
  explicit Neighbours(const Store& store) : store_(store) {}

  void add_around(const Record& record) {
    if (const auto kind = parent_of(record.kind)) {
      add({collection_of(*kind, record.mesh_owner, record.mesh), record.parent});
    }
    for (const Key& key : record.needs) add(key);
  }

  void add_children(const Record& record) {
    for (const Kind kind : {Kind::GatewayRoute, Kind::Route}) {
      if (parent_of(kind) != record.kind) continue;
      const std::string collection =
          collection_of(kind, record.mesh_owner, record.mesh, record.name);
      for (const Record* child : store_.list(collection, "", kAll)) add(child->key());
    }
  }

  void leave_out(Key key) { seen_.insert(std::move(key)); }
  const std::vector<const Record*>& found() const { return found_; }

 private:
  void add(const Key& key) {
    const Record* record = store_.find(key);
    if (record == nullptr || !seen_.insert(key).second) return;
    found_.push_back(record);
    add_around(*record);
  }

  const Store& store_;
  std::set<Key> seen_;
  std::vector<const Record*> found_;
};

}  // namespace

SpecCheck::SpecCheck(Era era) : reader_(read_options(era)) {}

std::optional<Refusal> SpecCheck::alone(const Json& input, Kind kind) {
  const document::Document document = to_document(input);
  reader_.read_input(document::Reader(document, problems_), kind);
  if (problems_.empty()) return std::nullopt;
  return bad_request(problems_.take());
}

std::vector<Key> SpecCheck::needs(const Record& record) const {
  std::vector<Key> keys;
  const auto need = [&](Kind kind, const std::string& name) {
    keys.push_back({collection_of(kind, record.mesh_owner, record.mesh), name});
  };
  const Mesh& mesh = reader_.so_far();
  for (const GatewayRoute& route : mesh.gateway_routes) {
    need(Kind::VirtualService, route.virtual_service);
  }
  for (const VirtualService& service : mesh.services) {
    if (!service.provider) continue;
    const bool node = service.provider->kind == Provider::Kind::Node;
    need(node ? Kind::VirtualNode : Kind::VirtualRouter, service.provider->name);
  }
  for (const Route& route : mesh.routes) {
    for (const WeightedTarget& target : route.targets) need(Kind::VirtualNode, target.node);
  }
  return keys;
}

std::size_t SpecCheck::backends() const {
  const Mesh& mesh = reader_.so_far();
  return mesh.nodes.empty() ? 0 : mesh.nodes.front().backends.size();
}

std::optional<Refusal> SpecCheck::foreign_certificate(std::string_view owner) const {
  std::vector<Listener> listeners;
  for (const VirtualGateway& gateway : reader_.so_far().gateways) listeners = gateway.listeners;
  for (const VirtualNode& node : reader_.so_far().nodes) listeners = node.listeners;
  for (const Listener& listener : listeners) {
    if (!listener.tls) continue;
    const std::string_view account = account_of(listener.tls->certificate.arn);
    if (account.empty() || account == owner) continue;
    return Refusal{
        ErrorCode::BadRequest,
        fmt::format("certificateArn must be of the resource owner {}, is of {}", owner, account)};
  }
  return std::nullopt;
}

std::optional<Refusal> SpecCheck::together(const Store& store, const Record& record) {
  for (const Key& key : record.needs) {
    if (store.find(key) != nullptr) continue;
    const std::string_view plural =
        std::string_view(key.collection).substr(0, key.collection.find('/'));
    return Refusal{ErrorCode::NotFound,
                   fmt::format("{} {} must exist in the mesh {}",
                               plural.substr(0, plural.size() - 1), key.name, record.mesh)};
  }
  Neighbours neighbours(store);
  neighbours.leave_out(record.key());
  neighbours.add_around(record);
  neighbours.add_children(record);
  for (const Record* neighbour : neighbours.found()) read_neighbour(*neighbour);
  reader_.finish(problems_);
  if (problems_.empty()) return std::nullopt;
  return bad_request(problems_.take());
}

void SpecCheck::read_neighbour(const Record& record) {
  const document::Document document = to_document(as_input(record));
  const std::string pointer = fmt::format("/{}/{}", words_of(record.kind).plural, record.name);
  reader_.read_input(document::Reader(document, problems_, pointer), record.kind);
}

Json as_input(const Record& record) {
  Json input = {{words_of(Kind::Mesh).name, record.mesh},
                {words_of(record.kind).name, record.name},
                {"spec", record.spec}};
  if (const auto parent = parent_of(record.kind)) input[words_of(*parent).name] = record.parent;
  return input;
}

}  // namespace mesh::api
