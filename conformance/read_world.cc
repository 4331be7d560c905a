#include "conformance/read_world.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "conformance/names.h"
#include "conformance/read_api.h"
#include "conformance/read_balancer.h"
#include "conformance/read_parts.h"
#include "conformance/read_respond.h"
#include "conformance/read_tls.h"
#include "conformance/units.h"
#include "mesh/names.h"

namespace conformance {

using document::Problems;
using document::Reader;

namespace {

constexpr std::uint32_t kMostInstances = 1'000;
constexpr std::uint32_t kMostEndpoints = 10'000;

/// Reads the parts of `world` one after another.
class WorldReader {
 public:
  WorldReader(const mesh::Mesh& mesh, bool sound, std::shared_ptr<const Protos> protos)
      : mesh_(mesh), sound_(sound), protos_(std::move(protos)) {}

  void read(Reader at) {
    if (!at.expect_object()) return;
    if (const auto pki = at.optional("pki")) world_.pki = read_pki(*pki);
    world_.materials = read_materials(at, world_.pki);
    if (const auto nlb = at.optional("nlb")) {
      world_.balancers = read_balancers(*nlb, mesh_, sound_);
    }
    if (const auto gateways = at.optional("gateways")) read_gateways(*gateways);
    if (const auto services = at.optional("services")) read_services(*services);
    if (const auto clients = at.optional("clients")) read_clients(*clients);
    if (const auto links = at.optional("links")) links_at_ = *links;
    for (const Reader& item : at.optional_items("shares", {1})) read_share(item);
    for (const std::string_view key : {"names", "controlPlane"}) {
      refuse_unsupported(at, key);
    }
    at.finish();
  }

  /// Fills in what was not said, then reads what needs all names.
  WorldSetup finish(Problems& problems) {
    for (const mesh::VirtualGateway& gateway : mesh_.gateways) {
      if (find(world_.gateways, gateway.name) != nullptr) continue;
      GatewaySetup setup;
      setup.name = gateway.name;
      setup.place = gateway.origin.place;
      world_.gateways.push_back(std::move(setup));
    }
    for (const mesh::VirtualNode& node : mesh_.nodes) {
      const auto known = [&](const ServiceSetup& setup) { return setup.node == node.name; };
      if (std::any_of(world_.services.begin(), world_.services.end(), known)) continue;
      ServiceSetup setup;
      setup.node = node.name;
      setup.place = node.origin.place;
      world_.services.push_back(std::move(setup));
    }
    if (world_.clients.empty()) {
      world_.clients.emplace_back().name = "client";
    }
    check_balancers(world_, sound_, problems);
    if (sound_) {
      check_names(problems);
      check_materials(mesh_, world_.materials, problems);
    }
    if (links_at_) read_links(*links_at_);
    return std::move(world_);
  }

 private:
  template <class Setup>
  static Setup* find(std::vector<Setup>& setups, std::string_view name) {
    for (Setup& setup : setups) {
      if (setup.name == name) return &setup;
    }
    return nullptr;
  }

  template <class Resource>
  static std::vector<std::string> names_of(const std::vector<Resource>& resources) {
    std::vector<std::string> names;
    for (const Resource& resource : resources) names.push_back(resource.name);
    return names;
  }

  static std::string unknown(std::string_view kind, std::string_view name,
                             const std::vector<std::string>& names) {
    std::string message = fmt::format("there is no {} {} in the mesh", kind, name);
    const std::string near = document::nearest(name, names);
    return near.empty() ? message : message + "; did you mean " + near + "?";
  }

  void read_gateways(Reader at) {
    if (!at.expect_object()) return;
    for (const auto& [member, value] : at.members()) {
      Reader in = value;
      if (sound_ && mesh_.gateway(member->key) == nullptr) {
        at.fail_key(member->key, unknown("virtual gateway", member->key, names_of(mesh_.gateways)));
      }
      if (!in.expect_object()) continue;
      GatewaySetup setup;
      setup.name = member->key;
      setup.place = in.place();
      setup.instances = static_cast<std::uint32_t>(
          in.optional_integer("instances", 1, kMostInstances).value_or(1));
      if (const auto watched = in.optional("healthChecker")) {
        setup.watched = watched->as_bool().value_or(false);
        const mesh::VirtualGateway* gateway = mesh_.gateway(member->key);
        const auto checked = [](const mesh::Listener& listener) {
          return listener.health_check.has_value();
        };
        if (setup.watched && gateway != nullptr &&
            std::none_of(gateway->listeners.begin(), gateway->listeners.end(), checked)) {
          watched->fail("needs a listener with a healthCheck");
        }
      }
      for (const Reader& path : in.optional_items("unwritable", {1})) {
        if (auto text = path.as_string({1})) setup.unwritable.push_back(std::move(*text));
      }
      for (const Reader& item : in.optional_items("zones", {1})) {
        if (auto zone = item.as_string({1, 40})) setup.zones.push_back(std::move(*zone));
      }
      setup.keep_alive = read_keep_alive(in);
      if (const auto env = in.optional("env")) read_environment(*env, setup);
      const std::string user = in.optional_string("user", {1}).value_or("");
      if (const auto proxy = in.optional("proxyConfiguration")) {
        setup.redirect = read_proxy_configuration(*proxy, user);
      }
      in.finish();
      world_.gateways.push_back(std::move(setup));
    }
  }

  /// How long its TCP leaves a silent peer in peace.
  static Duration read_keep_alive(Reader& in) {
    const auto at = in.optional("keepAlive");
    if (!at) return {};
    const auto value = read_duration(*at);
    if (value && *value < std::chrono::seconds(1)) at->fail("must be at least 1s");
    return value.value_or(Duration{});
  }

  /// A name with too few parts is what a proxy itself refuses: it does not start, as it does not
  /// without one. Source: DP-01, AM-AGT-01, AM-AGT-02.
  void read_environment(Reader at, GatewaySetup& setup) {
    if (!at.expect_object()) return;
    const std::string& gateway = setup.name;
    if (!at.has("APPMESH_RESOURCE_ARN")) setup.fails = "APPMESH_RESOURCE_ARN must be set";
    if (const auto arn = at.optional("APPMESH_RESOURCE_ARN")) {
      if (const auto text = arn->as_string()) {
        const auto resource = mesh::parse_proxy_resource(*text);
        if (std::count(text->begin(), text->end(), '/') < 3) {
          setup.fails =
              "APPMESH_RESOURCE_ARN must be mesh/MESH/virtualGateway/NAME, is \"" + *text + "\"";
        } else if (!resource) {
          arn->fail(resource.error().message);
        } else if (resource->kind != mesh::Kind::VirtualGateway || resource->name != gateway) {
          arn->fail(fmt::format("must name virtualGateway/{}, names {}/{}", gateway,
                                mesh::text(resource->kind), resource->name));
        } else if (sound_ && resource->mesh != mesh_.name && mesh_.name != kDefaultMesh) {
          arn->fail(fmt::format("must name mesh {}, names {}", mesh_.name, resource->mesh));
        }
      }
    }
    for (const document::Member& member : at.value().object()) {
      if (member.key == "APPMESH_RESOURCE_ARN") continue;
      at.ignore(member.key);
      at.fail_key(member.key, "is not supported yet");
    }
    at.finish();
  }

  /// A task's proxy configuration, which a gateway's must not have: it takes what the proxy sends,
  /// unless `user` is the one that it leaves alone, and what comes for it. Source: DP-02,
  /// AM-ENV-22.
  static sim::Redirect read_proxy_configuration(Reader at, const std::string& user) {
    sim::Redirect out;
    if (!at.expect_object()) return out;
    const auto port = [](Reader& in, std::string_view key, std::uint16_t otherwise) {
      return static_cast<std::uint16_t>(in.optional_integer(key, 1, 65535).value_or(otherwise));
    };
    out.incoming = port(at, "ProxyIngressPort", 15000);
    out.outgoing = port(at, "ProxyEgressPort", 15001);
    for (const Reader& item : at.optional_items("AppPorts")) {
      out.ports.push_back(static_cast<std::uint16_t>(item.as_integer(1, 65535).value_or(1)));
    }
    const std::string ignored = at.optional_string("IgnoredUID", {1}).value_or("");
    if (!ignored.empty() && ignored == user) out.outgoing = 0;
    at.finish();
    return out;
  }

  void read_services(Reader at) {
    if (!at.expect_object()) return;
    for (const auto& [member, value] : at.members()) {
      Reader in = value;
      const mesh::VirtualNode* node = node_of(mesh_, member->key);
      if (sound_ && node == nullptr) {
        at.fail_key(member->key, unknown("virtual node", member->key, names_of(mesh_.nodes)));
      }
      if (!in.expect_object()) continue;
      ServiceSetup setup;
      setup.node = node != nullptr ? node->name : member->key;
      setup.place = in.place();
      peers::Behaviour behaviour;
      for (const ServiceSetup& other : world_.services) {
        if (other.node == setup.node) at.fail_key(member->key, "stands here twice");
      }
      setup.endpoints = static_cast<std::uint32_t>(
          in.optional_integer("endpoints", 0, kMostEndpoints).value_or(1));
      if (const auto attributes = in.optional("attributes")) {
        read_attributes(*attributes, node, setup);
      }
      if (const auto respond = in.optional("respond")) {
        behaviour.answers = read_respond(*respond, node != nullptr && speaks_http2(*node), protos_);
      }
      if (const auto health = in.optional("health")) {
        behaviour.checks = read_respond(*health, node != nullptr && speaks_http2(*node), protos_);
      }
      if (const auto idle = read_optional_duration(in, "idleTimeout")) {
        behaviour.idle_timeout = *idle;
      }
      if (const auto connect = in.optional("onConnect")) read_on_connect(*connect, behaviour);
      if (!behaviour.answers.empty()) setup.script = peers::prepare(std::move(behaviour));
      setup.refuses = in.optional_bool("refuse").value_or(false);
      setup.blackhole = in.optional_bool("blackhole").value_or(false);
      if (const auto tls = in.optional("tls")) read_service_tls(*tls, node, setup);
      in.finish();
      world_.services.push_back(std::move(setup));
    }
  }

  void read_service_tls(const Reader& at, const mesh::VirtualNode* node, ServiceSetup& setup) {
    setup.tls = conformance::read_service_tls(at, world_.pki);
    if (node != nullptr &&
        std::none_of(node->listeners.begin(), node->listeners.end(),
                     [](const mesh::Listener& listener) { return listener.has_tls(); }) &&
        !setup.tls->off && setup.tls->certificate.certificates.empty()) {
      at.fail("needs a certificate, as no listener of " + node->name + " has TLS");
    }
  }

  static void read_attributes(Reader at, const mesh::VirtualNode* node, ServiceSetup& setup) {
    if (!at.expect_object()) return;
    setup.attributes.emplace();
    for (const auto& [member, value] : at.members()) {
      if (auto text = value.as_string()) setup.attributes->emplace_back(member->key, *text);
    }
    const bool known = node != nullptr && node->discovery;
    if (known && node->discovery->kind != mesh::Discovery::Kind::CloudMap) {
      at.fail("goes with a node that is found in Cloud Map, which " + node->name + " is not");
    }
  }

  static void read_on_connect(const Reader& at, peers::Behaviour& behaviour) {
    constexpr peers::OnConnect kChoices[] = {peers::OnConnect::Serve, peers::OnConnect::Close,
                                             peers::OnConnect::Reset};
    if (!at.value().is_list()) {
      const auto choice = at.as_choice({"serve", "close", "reset"});
      if (choice) behaviour.on_connect_default = kChoices[*choice];
      return;
    }
    for (const Reader& item : at.as_items({1})) {
      const auto choice = item.as_choice({"serve", "close", "reset"});
      if (choice) behaviour.on_connect.push_back(kChoices[*choice]);
    }
  }

  void read_clients(Reader at) {
    if (!at.expect_object()) return;
    for (const auto& [member, value] : at.members()) {
      Reader in = value;
      if (!is_name(member->key)) at.fail_key(member->key, "must be a name");
      if (!in.expect_object()) continue;
      ClientSetup setup;
      setup.name = member->key;
      if (const auto connections = in.optional("connections")) {
        setup.connections = read_connections(*connections).value_or(setup.connections);
      }
      setup.keeps_addresses = in.optional_bool("keepsAddresses").value_or(false);
      setup.keep_alive = read_keep_alive(in);
      if (const auto tls = in.optional("tls")) setup.tls = read_client_tls(*tls, world_.pki);
      in.finish();
      world_.clients.push_back(std::move(setup));
    }
  }

  /// An account that the mesh is shared with. Source: AM-SHR-01 to -09.
  void read_share(Reader in) {
    if (!in.expect_object()) return;
    mesh::api::Share share;
    share.owner = kOwnerAccount;
    if (const auto with = in.required("with")) {
      share.consumer = read_account(*with);
    }
    share.gateways = in.optional_bool("gateways").value_or(false);
    in.finish();
    world_.shares.push_back(std::move(share));
  }

  static sim::LinkOptions read_link(Reader at, sim::LinkOptions options) {
    if (at.value().is_string()) {
      options.latency = read_duration(at).value_or(options.latency);
      return options;
    }
    if (!at.value().is_object()) {
      at.fail("must be a latency or an object, is " + at.value().describe());
      return options;
    }
    if (const auto latency = read_optional_duration(at, "latency")) options.latency = *latency;
    if (const auto jitter = read_optional_duration(at, "jitter")) options.jitter = *jitter;
    if (const auto bandwidth = at.optional("bandwidth")) {
      std::optional<std::uint64_t> value;
      if (bandwidth->value().is_string()) value = parse_bandwidth(bandwidth->value().string());
      if (!value) {
        bandwidth->fail("must be a bandwidth such as 10Mbps, is " + bandwidth->value().describe());
      }
      options.bits_per_second = value.value_or(0);
    }
    if (const auto loss = at.optional("loss")) {
      std::optional<std::uint32_t> value;
      if (loss->value().is_string()) value = parse_percentage(loss->value().string());
      if (!value) loss->fail("must be a percentage such as 0.1%, is " + loss->value().describe());
      options.loss_per_million = value.value_or(0);
    }
    options.blackhole = at.optional_bool("blackhole").value_or(false);
    at.finish();
    return options;
  }

  void read_links(Reader at) {
    if (!at.expect_object()) return;
    const Names names(mesh_, world_, sound_);
    if (const auto all = at.optional("default")) {
      world_.default_link = read_link(*all, world_.default_link);
    }
    for (const auto& [member, value] : at.members()) {
      if (member->key == "default") continue;
      LinkSetup link;
      link.both_ways = member->key.find(" <-> ") != std::string::npos;
      const std::string_view arrow = link.both_ways ? " <-> " : " -> ";
      const std::size_t middle = member->key.find(arrow);
      if (middle == std::string::npos) {
        at.fail_key(member->key, "must be default, \"A -> B\" or \"A <-> B\"");
        continue;
      }
      link.from = member->key.substr(0, middle);
      link.to = member->key.substr(middle + arrow.size());
      for (const std::string& end : {link.from, link.to}) {
        if (!names.is_link_end(end)) at.fail_key(member->key, names.unknown_link_end(end));
      }
      link.options = read_link(value, world_.default_link);
      link.place = value.place();
      world_.links.push_back(std::move(link));
    }
  }

  /// Names in the world are unique, as each is a host or stands for hosts.
  void check_names(Problems& problems) const {
    std::map<std::string, std::string> taken;
    const auto take = [&](const std::string& name, const std::string& what,
                          const world::Place& place) {
      const auto [found, added] = taken.emplace(name, what);
      if (!added) {
        problems.add("/world", fmt::format("the name {} is {} and {}", name, found->second, what),
                     place);
      }
    };
    for (const BalancerSetup& setup : world_.balancers) {
      take(setup.name, "an nlb", setup.place);
      for (const std::string& zone : setup.zones) {
        take(setup.node_name(zone), "a node of nlb " + setup.name, setup.place);
      }
    }
    for (const GatewaySetup& setup : world_.gateways) {
      for (std::uint32_t i = 1; i <= setup.instances; ++i) {
        take(numbered(setup.name, i), "an instance of gateway " + setup.name, setup.place);
      }
    }
    for (const ServiceSetup& setup : world_.services) {
      for (std::uint32_t i = 1; i <= setup.endpoints; ++i) {
        take(numbered(setup.node, i), "an endpoint of virtual node " + setup.node, setup.place);
      }
    }
    for (const ClientSetup& setup : world_.clients) take(setup.name, "a client", {});
  }

  static constexpr std::string_view kDefaultMesh = "mesh";

  const mesh::Mesh& mesh_;
  bool sound_;
  std::shared_ptr<const Protos> protos_;
  WorldSetup world_;
  std::optional<Reader> links_at_;
};

}  // namespace

std::optional<peers::ConnectionPolicy> read_connections(const Reader& at) {
  const auto choice = at.as_choice({"one", "new", "many", "pipeline"});
  if (!choice) return std::nullopt;
  constexpr peers::ConnectionPolicy kPolicies[] = {
      peers::ConnectionPolicy::One, peers::ConnectionPolicy::New, peers::ConnectionPolicy::Many,
      peers::ConnectionPolicy::Pipeline};
  return kPolicies[*choice];
}

bool is_http2(mesh::Protocol protocol) {
  return protocol == mesh::Protocol::Http2 || protocol == mesh::Protocol::Grpc;
}

bool speaks_http2(const mesh::VirtualNode& node) {
  return !node.listeners.empty() && is_http2(node.listeners.front().port_mapping.protocol);
}

const mesh::VirtualNode* node_of(const mesh::Mesh& mesh, std::string_view name) {
  if (const mesh::VirtualNode* node = mesh.node(name)) return node;
  const mesh::VirtualService* service = mesh.service(name);
  if (service == nullptr || !service->provider ||
      service->provider->kind != mesh::Provider::Kind::Node) {
    return nullptr;
  }
  return mesh.node(service->provider->name);
}

WorldSetup read_world(std::optional<Reader> at, const mesh::Mesh& mesh, bool mesh_is_sound,
                      const std::shared_ptr<const Protos>& protos, Problems& problems) {
  WorldReader reader(mesh, mesh_is_sound, protos);
  if (at) reader.read(*at);
  return reader.finish(problems);
}

}  // namespace conformance
