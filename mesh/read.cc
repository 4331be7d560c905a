#include "mesh/read.h"

#include <limits>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "mesh/kinds.h"
#include "mesh/names.h"
#include "mesh/spec.h"
#include "mesh/validate.h"

namespace mesh {

using document::Problems;
using document::Reader;

namespace {

const std::string& given_name(const Names& names, Kind kind) {
  switch (kind) {
    case Kind::Mesh:
      return names.mesh;
    case Kind::VirtualGateway:
      return names.virtual_gateway;
    case Kind::GatewayRoute:
      return names.gateway_route;
    case Kind::VirtualService:
      return names.virtual_service;
    case Kind::VirtualNode:
      return names.virtual_node;
    case Kind::VirtualRouter:
      return names.virtual_router;
    case Kind::Route:
      break;
  }
  return names.route;
}

/// Whether a spec has required members, so that it cannot be left out.
bool needs_spec(Kind kind) {
  return kind == Kind::VirtualGateway || kind == Kind::GatewayRoute || kind == Kind::Route;
}

bool has_member(const Reader& at, std::string_view key) {
  return at.value().find_member(key) != nullptr;
}

}  // namespace

/// Reads values in any form into a MeshReader's mesh.
class ResourceReader {
 public:
  ResourceReader(MeshReader& to, Problems& problems) : to_(to), problems_(problems) {}

  /// `expected`: the kind, where the place of the value says it.
  void read(Reader at, std::optional<Kind> expected = {}) {
    if (at.value().is_list()) {
      for (const Reader& item : at.as_items()) read(item, expected);
      return;
    }
    if (!at.value().is_object()) {
      at.fail("must be a resource or a list of resources, is " + at.value().describe());
      return;
    }
    if (!expected && is_group(at)) return read_group(at);
    for (const KindWords& words : kKinds) {
      const document::Value* value = at.value().find(words.word);
      if (value == nullptr) continue;
      if (value->is_object()) return read_output(at, words);
      return read_resource(at, words.kind, true);
    }
    if (const auto kind = expected ? expected : kind_by_name(at)) {
      return read_resource(at, *kind, false);
    }
    refuse_unknown(at);
  }

  /// The API's input: all its members are those around a spec.
  void read_input(const Reader& at, Kind kind) { read_data(at, kind); }

 private:
  SpecRules rules() const {
    const auto& options = to_.options_;
    return {options.era.value_or(to_.document_era_.value_or(Era::SeedB)), options.recorded_cases};
  }

  /// An object of several resources.
  static bool is_group(const Reader& at) {
    for (const KindWords& words : kKinds) {
      if (has_member(at, words.plural)) return true;
    }
    const document::Value* mesh = at.value().find("mesh");
    return has_member(at, "era") || (mesh != nullptr && mesh->is_list());
  }

  void read_group(Reader at) {
    if (const auto era = at.optional("era")) read_era(*era);
    if (const auto mesh = at.optional("mesh")) {
      if (mesh->value().is_string()) {
        belong_to(*mesh);
      } else if (mesh->value().is_object()) {
        read_data(*mesh, Kind::Mesh);
      } else {
        read(*mesh);
      }
    }
    if (const auto name = at.optional("meshName")) belong_to(*name);
    // In the order of the text, which is the order of definition.
    for (const auto& [member, value] : Reader(at).members()) {
      for (const KindWords& words : kKinds) {
        if (member->key == words.plural) {
          at.ignore(words.plural);
          if (value.expect_list()) read(value, words.kind);
        } else if (member->key == words.word && words.kind != Kind::Mesh) {
          at.ignore(words.word);
          read_data(value, words.kind);
        }
      }
    }
    for (const KindWords& words : kKinds) at.ignore(words.plural);
    if (to_.options_.recorded_cases) {
      at.ignore("topology");
      at.ignore("x-sim");
    }
    at.finish();
  }

  void read_era(const Reader& at) {
    const auto written = at.as_choice({"seed-a", "seed-b", "last"});
    if (!written) return;
    const auto era = static_cast<Era>(*written);
    const auto& before = to_.options_.era ? to_.options_.era : to_.document_era_;
    if (before && *before != era) {
      at.fail(fmt::format("must be {}, the era of the rest, is {}", text(*before), text(era)));
      return;
    }
    to_.document_era_ = era;
  }

  /// `{"virtualGateway": {...}}`, as the command line prints it.
  void read_output(Reader at, const KindWords& words) {
    if (const auto data = at.optional(words.word)) read_data(*data, words.kind);
    at.finish();
  }

  void read_data(const Reader& at, Kind kind) {
    if (at.expect_object()) read_resource(at, kind, false);
  }

  /// The kind of the command line's input: the most specific name that it has, or was given.
  std::optional<Kind> kind_by_name(const Reader& at) const {
    for (const KindWords& words : kKinds) {
      if (words.kind != Kind::Mesh && has_member(at, words.name)) return words.kind;
    }
    // A file with a spec alone gets its names from the outside. A gateway's name may then be meant
    // as a parent, but only for a kind whose own name is given too.
    if (has_member(at, "spec")) {
      for (const KindWords& words : kKinds) {
        if (words.kind != Kind::Mesh && !given_name(to_.options_.names, words.kind).empty()) {
          return words.kind;
        }
      }
    }
    if (has_member(at, "meshName")) return Kind::Mesh;
    return std::nullopt;
  }

  static void refuse_unknown(Reader at) {
    if (has_member(at, "spec")) {
      at.fail("must name its resource, as in virtualGatewayName; has only a spec");
      return;
    }
    std::vector<std::string> names;
    for (const KindWords& words : kKinds) {
      names.emplace_back(words.word);
      names.emplace_back(words.name);
      names.emplace_back(words.plural);
    }
    std::string message =
        "must be a resource: a mesh, virtualGateway, gatewayRoute, virtualService, virtualNode, "
        "virtualRouter or route";
    // The first member says the kind, where people write it well.
    if (const auto members = at.members(); !members.empty()) {
      const std::string& written = members.front().first->key;
      const std::string near = document::nearest(written, names);
      if (!near.empty()) message += fmt::format("; did you mean {} for {}?", near, written);
    }
    at.fail(message);
  }

  /// Notes the mesh that a resource names. All have to be in one.
  void belong_to(const Reader& at) {
    const auto name = at.as_string({1, 255});
    if (!name || !check_name(at, *name, Kind::Mesh)) return;
    Mesh& mesh = to_.mesh_;
    if (mesh.name.empty()) mesh.name = *name;
    if (mesh.name != *name) {
      at.fail(fmt::format("must be {}, the mesh of the rest, is {}", mesh.name, *name));
    }
  }

  static bool check_name(const Reader& at, std::string_view name, Kind kind) {
    if (kind == Kind::VirtualService || valid_name(name)) return true;
    at.fail(fmt::format("must be 1 to 255 letters, digits, \"-\" and \"_\", is \"{}\"", name));
    return false;
  }

  /// The name of a kind: its member, else what was given from outside.
  std::string read_name(Reader& at, Kind kind, bool is_inline, bool required) {
    const KindWords& words = words_of(kind);
    const std::string_view key = is_inline ? words.word : words.name;
    const auto member = at.optional(key);
    if (!member) {
      const std::string& given = given_name(to_.options_.names, kind);
      if (!given.empty() && kind != Kind::VirtualService && !valid_name(given)) {
        at.fail(key,
                fmt::format("must be 1 to 255 letters, digits, \"-\" and \"_\", is \"{}\"", given));
      }
      if (given.empty() && required) at.fail(key, "is required");
      return given;
    }
    const std::size_t no_limit = std::numeric_limits<std::size_t>::max();
    const auto name = member->as_string({1, kind == Kind::VirtualService ? no_limit : 255});
    if (name) check_name(*member, *name, kind);
    return name.value_or("");
  }

  void read_resource(Reader at, Kind kind, bool is_inline) {
    Resource resource;
    resource.origin = {at.pointer(), at.place()};
    resource.name = read_name(at, kind, is_inline, true);
    std::string parent;
    if (const auto parent_kind = parent_of(kind)) {
      parent = read_name(at, *parent_kind, is_inline, false);
      // From an enclosing router, in recorded cases.
      if (parent.empty()) parent = enclosing_;
    }
    if (kind != Kind::Mesh) {
      if (const auto mesh = at.optional(is_inline ? "mesh" : "meshName")) belong_to(*mesh);
    }
    if (!is_inline) read_envelope(at);
    if (kind == Kind::VirtualRouter && to_.options_.recorded_cases) {
      if (const auto routes = at.optional("routes")) {
        enclosing_ = resource.name;
        read(*routes, Kind::Route);
        enclosing_.clear();
      }
    }
    std::optional<Reader> spec;
    if (needs_spec(kind) && !has_member(at, "spec") && has_member(at, "arn")) {
      at.fail("spec", "is required: an entry of a list command's output has none");
    } else {
      spec = needs_spec(kind) ? at.required("spec") : at.optional("spec");
    }
    add(std::move(resource), kind, std::move(parent), spec);
    at.finish();
  }

  /// What the command line's input and output have around a spec.
  static void read_envelope(Reader& at) {
    at.optional_string("clientToken");
    at.optional_string("meshOwner", {12, 12});
    if (const auto tags = at.optional("tags")) read_tags(*tags);
    if (auto metadata = at.optional("metadata"); metadata && metadata->expect_object()) {
      metadata->required_string("arn");
      for (const std::string_view key : {"createdAt", "lastUpdatedAt"}) {
        const auto time = metadata->required(key);
        if (time && !time->value().is_number()) time->as_string();
      }
      metadata->required_string("meshOwner", {12, 12});
      metadata->required_string("resourceOwner", {12, 12});
      metadata->required_string("uid");
      metadata->required_integer("version");
      metadata->finish();
    }
    if (auto status = at.optional("status"); status && status->expect_object()) {
      if (const auto state = status->required("status")) {
        if (state->as_choice({"ACTIVE", "INACTIVE", "DELETED"}) == 2u) {
          state->fail("must be a resource that exists, is DELETED");
        }
      }
      status->finish();
    }
  }

  void add(Resource resource, Kind kind, std::string parent, const std::optional<Reader>& spec) {
    Mesh& mesh = to_.mesh_;
    if (to_.options_.on_resource) {
      to_.options_.on_resource(kind, resource.name, parent, spec ? &spec->value() : nullptr);
    }
    const auto added = [&](auto& list) -> auto& {
      auto& entry = list.emplace_back();
      static_cast<Resource&>(entry) = std::move(resource);
      return entry;
    };
    switch (kind) {
      case Kind::Mesh:
        add_mesh(resource, spec);
        return;
      case Kind::VirtualGateway: {
        VirtualGateway& gateway = added(mesh.gateways);
        if (spec) read_virtual_gateway_spec(*spec, rules(), gateway);
        return;
      }
      case Kind::GatewayRoute: {
        GatewayRoute& route = added(mesh.gateway_routes);
        route.gateway = std::move(parent);
        if (spec) read_gateway_route_spec(*spec, rules(), route);
        return;
      }
      case Kind::VirtualService: {
        VirtualService& service = added(mesh.services);
        if (spec) read_virtual_service_spec(*spec, service);
        return;
      }
      case Kind::VirtualNode: {
        VirtualNode& node = added(mesh.nodes);
        if (spec) read_virtual_node_spec(*spec, rules(), node);
        return;
      }
      case Kind::VirtualRouter: {
        VirtualRouter& router = added(mesh.routers);
        if (spec) read_virtual_router_spec(*spec, rules(), router);
        return;
      }
      case Kind::Route: {
        Route& route = added(mesh.routes);
        route.router = std::move(parent);
        if (spec) read_route_spec(*spec, rules(), route);
        return;
      }
    }
  }

  void add_mesh(const Resource& resource, const std::optional<Reader>& spec) {
    Mesh& mesh = to_.mesh_;
    const Origin& origin = resource.origin;
    if (mesh.origin.place.known() || !mesh.origin.pointer.empty()) {
      problems_.add(origin.pointer,
                    "must be the only mesh, one was defined at " + mesh.origin.place.text(),
                    origin.place);
    } else if (!mesh.name.empty() && mesh.name != resource.name && !resource.name.empty()) {
      problems_.add(
          origin.pointer,
          fmt::format("must be {}, the mesh of the rest, is {}", mesh.name, resource.name),
          origin.place);
    }
    static_cast<Resource&>(mesh) = resource;
    if (spec) read_mesh_spec(*spec, rules(), mesh);
  }

  MeshReader& to_;
  Problems& problems_;
  std::string enclosing_;  ///< Router that the routes being read are inside of.
};

MeshReader::MeshReader(ReadOptions options) : options_(std::move(options)) {}

void MeshReader::read(document::Reader at) {
  ResourceReader(*this, at.problems()).read(at);
}

void MeshReader::read_input(document::Reader at, Kind kind) {
  ResourceReader(*this, at.problems()).read_input(at, kind);
}

Mesh MeshReader::finish(document::Problems& problems) {
  mesh_.era = options_.era.value_or(document_era_.value_or(Era::SeedB));
  if (mesh_.name.empty()) mesh_.name = options_.names.mesh;
  if (mesh_.name.empty()) mesh_.name = options_.default_mesh_name;
  // A route that names no parent belongs to the only one there is.
  for (GatewayRoute& route : mesh_.gateway_routes) {
    if (route.gateway.empty() && mesh_.gateways.size() == 1) route.gateway = mesh_.gateways[0].name;
  }
  for (Route& route : mesh_.routes) {
    if (route.router.empty() && mesh_.routers.size() == 1) route.router = mesh_.routers[0].name;
  }
  // A value that could not be read is not reported as missing on top.
  std::set<std::pair<std::string, std::string>> known;
  for (const world::Error& error : problems.errors()) known.emplace(error.place.file, error.path);
  for (world::Error& error : validate(mesh_, options_.validate)) {
    if (known.contains({error.place.file, error.path})) continue;
    problems.add(std::move(error.path), std::move(error.message), error.place);
  }
  return std::exchange(mesh_, {});
}

world::Result<Mesh, world::Errors> load(std::span<const document::Document> documents,
                                        const ReadOptions& options) {
  Problems problems;
  MeshReader reader(options);
  for (const document::Document& each : documents) reader.read(Reader(each, problems));
  Mesh mesh = reader.finish(problems);
  if (!problems.empty()) return problems.take();
  return mesh;
}

}  // namespace mesh
