#include "conformance/read_mesh.h"

#include <list>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "ingest/ingest.h"
#include "ingest/template.h"
#include "mesh/read.h"

namespace conformance {

using document::Document;
using document::Problems;
using document::Reader;
using document::Value;

namespace {

constexpr std::uint16_t kDefaultNodePort = 8080;

/// Names that the command line's options give, beside a --cli-input-json file.
constexpr std::string_view kNames[] = {
    "meshName",        "virtualGatewayName", "gatewayRouteName", "virtualServiceName",
    "virtualNodeName", "virtualRouterName",  "routeName"};

class MeshFiles {
 public:
  MeshFiles(mesh::MeshReader& reader, const ReadFile& read_file, Problems& mesh_problems)
      : reader_(reader), read_file_(read_file), mesh_problems_(mesh_problems) {}

  /// `{ file: PATH or list of them, virtualGatewayName: ..., ... }`.
  void read(Reader at) {
    std::vector<document::Member> names;
    for (const std::string_view name : kNames) {
      const auto given = at.optional(name);
      if (!given) continue;
      if (const auto text = given->as_string({1})) {
        names.push_back({std::string(name), given->value().at(), given->value()});
      }
    }
    const auto file = at.required("file");
    at.finish();
    if (!file) return;
    if (!file->value().is_list()) return read_one(*file, names);
    for (const Reader& item : file->as_items({1})) read_one(item, names);
  }

 private:
  void read_one(const Reader& at, const std::vector<document::Member>& names) {
    const auto path = at.as_string({1});
    if (!path) return;
    auto text = read_file_(*path);
    if (!text) return at.fail(fmt::format("{}: {}", *path, text.error().message));
    auto documents = document::parse_all(*text, *path);
    if (!documents) {
      for (const world::Error& error : documents.error()) {
        mesh_problems_.add(error.path, error.message, error.place);
      }
      return;
    }
    if (documents->empty()) return at.fail("must not name an empty file");
    for (Document& document : *documents) {
      if (!names.empty() && ingest::is_template(document.root)) {
        return at.fail("must not be given names, is a template with its own");
      }
      give_names(document.root, names);
      documents_.push_back(std::move(document));
      ingest::read(reader_, documents_.back(), mesh_problems_);
    }
  }

  /// As the command line does: an option's name goes beside what the file says.
  static void give_names(Value& root, const std::vector<document::Member>& names) {
    if (!root.is_object()) return;
    for (const document::Member& name : names) {
      Value::Object& members = root.object();
      bool found = false;
      for (document::Member& member : members) {
        if (member.key != name.key) continue;
        member = name;
        found = true;
      }
      if (!found) members.push_back(name);
    }
  }

  mesh::MeshReader& reader_;
  const ReadFile& read_file_;
  Problems& mesh_problems_;
  std::list<Document> documents_;  // readers refer to them
};

bool names_a_file(const Reader& at) {
  return at.value().find("file") != nullptr;
}

}  // namespace

mesh::Mesh read_mesh(const Document& scenario, std::optional<mesh::Era> era,
                     const ReadFile& read_file, Problems& problems, Problems& mesh_problems,
                     std::vector<WrittenResource>* resources_written) {
  mesh::ReadOptions options;
  options.era = era;
  if (resources_written != nullptr) {
    options.on_resource = [resources_written](mesh::Kind kind, const std::string& name,
                                              const std::string& parent, const Value* spec) {
      resources_written->push_back(
          {kind, name, parent,
           spec != nullptr ? mesh::api::from_value(*spec) : mesh::api::Json::object()});
    };
  }
  mesh::MeshReader reader(options);
  MeshFiles files(reader, read_file, mesh_problems);
  // Two readers of one value, each with the place where its errors go.
  Reader root(scenario, problems);
  Reader resources_root(scenario, mesh_problems);
  const auto at = root.required("mesh");
  const auto resources = resources_root.optional("mesh");
  if (!at || !resources) return {};
  const auto read = [&](const Reader& item, const Reader& resource) {
    if (names_a_file(item)) {
      files.read(item);
    } else {
      reader.read(resource);
    }
  };
  if (at->value().is_list()) {
    const auto items = at->as_items();
    const auto resource_items = resources->as_items();
    for (std::size_t i = 0; i < items.size(); ++i) read(items[i], resource_items[i]);
  } else if (at->value().is_object()) {
    read(*at, *resources);
  } else {
    at->fail("must be a list of resources, or { file: PATH }, is " + at->value().describe());
  }
  return reader.finish(mesh_problems);
}

void complete_mesh(mesh::Mesh& mesh) {
  for (const mesh::GatewayRoute& route : mesh.gateway_routes) {
    const std::string& name = route.virtual_service;
    if (name.empty() || mesh.service(name) != nullptr) continue;
    const std::string label = name.substr(0, name.find('.'));
    const std::string node_name = mesh.node(label) == nullptr ? label : name;

    const mesh::VirtualGateway* gateway = mesh.gateway(route.gateway);
    mesh::Listener listener;
    listener.port_mapping.port = route.target_port.value_or(kDefaultNodePort);
    if (gateway != nullptr && !gateway->listeners.empty()) {
      listener.port_mapping.protocol = gateway->listeners.front().port_mapping.protocol;
    }
    mesh::VirtualNode node;
    node.name = node_name;
    node.origin = route.target_origin;
    node.listeners.push_back(std::move(listener));
    node.discovery = mesh::Discovery{};
    node.discovery->hostname = name;
    mesh::VirtualService service;
    service.name = name;
    service.origin = route.target_origin;
    service.provider = mesh::Provider{mesh::Provider::Kind::Node, node_name, route.target_origin};
    mesh.nodes.push_back(std::move(node));
    mesh.services.push_back(std::move(service));
  }
}

namespace {

void refuse(Problems& problems, const mesh::Origin& origin, std::string what) {
  problems.add(origin.pointer, std::move(what) + " is not supported yet", origin.place);
}

void refuse_listeners(const std::vector<mesh::Listener>& listeners, const mesh::Origin& origin,
                      Problems& problems) {
  for (const mesh::Listener& listener : listeners) {
    if (listener.port_mapping.protocol == mesh::Protocol::Tcp) {
      refuse(problems, origin,
             fmt::format("running a listener with protocol {}",
                         mesh::text(listener.port_mapping.protocol)));
    }
  }
}

}  // namespace

void refuse_unsupported(const mesh::Mesh& mesh, Problems& problems) {
  for (const mesh::VirtualGateway& gateway : mesh.gateways) {
    refuse_listeners(gateway.listeners, gateway.origin, problems);
  }
  for (const mesh::VirtualNode& node : mesh.nodes) {
    refuse_listeners(node.listeners, node.origin, problems);
  }
}

}  // namespace conformance
