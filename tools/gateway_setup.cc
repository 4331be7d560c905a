#include "tools/gateway_setup.h"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "mesh/names.h"

namespace tools {
namespace {

std::string short_name(const mesh::Mesh& mesh, std::string_view gateway) {
  return fmt::format("mesh/{}/virtualGateway/{}", mesh.name, gateway);
}

/// "there is mesh/shop/virtualGateway/edge".
std::string what_there_is(const mesh::Mesh& mesh) {
  if (mesh.gateways.empty()) return "there is none";
  std::string names;
  for (const mesh::VirtualGateway& gateway : mesh.gateways) {
    names += (names.empty() ? "" : ", ") + short_name(mesh, gateway.name);
  }
  return (mesh.gateways.size() == 1 ? "there is " : "there are ") + names;
}

struct Given {
  std::string by;  // the option or variable
  std::string value;
};

/// The first of the variables that is set and says something.
std::optional<Given> first_set(const Environment& environment,
                               std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const char* value = environment(name);
    if (value != nullptr && *value != '\0') return Given{name, value};
  }
  return std::nullopt;
}

std::vector<proxy::HopPlan*> hops_with_endpoints(proxy::GatewayPlan& plan) {
  std::vector<proxy::HopPlan*> hops;
  for (proxy::HopPlan& hop : plan.ingress) hops.push_back(&hop);
  if (plan.egress) hops.push_back(&*plan.egress);
  return hops;
}

/// The virtual services whose routes lead to that cluster.
std::set<std::string> services_of(const proxy::HopPlan& hop, std::size_t cluster) {
  std::set<std::string> services;
  for (const proxy::VirtualHost& host : hop.routes.hosts) {
    for (const proxy::Route& route : host.routes) {
      for (const proxy::WeightedCluster& weighted : route.clusters) {
        if (weighted.cluster == cluster) services.insert(host.name);
      }
    }
  }
  return services;
}

}  // namespace

world::Result<GatewayIdentity> choose_gateway(const mesh::Mesh& mesh, const std::string& resource,
                                              const Environment& environment) {
  std::optional<Given> given =
      resource.empty() ? first_set(environment, {"APPMESH_RESOURCE_ARN", "APPMESH_RESOURCE_NAME",
                                                 "APPMESH_VIRTUAL_NODE_NAME"})
                       : Given{"--resource", resource};
  if (!given) {
    if (mesh.gateways.size() != 1) {
      return world::Error{
          {},
          "--resource or APPMESH_RESOURCE_ARN must say which gateway: " + what_there_is(mesh),
          mesh.gateways.size() > 1 ? mesh.gateways[1].origin.place : mesh.origin.place};
    }
    given = Given{"--resource", short_name(mesh, mesh.gateways.front().name)};
  }
  const auto refuse = [&](const std::string& why) { return world::Error{given->by, why, {}}; };
  const auto parsed = mesh::parse_proxy_resource(given->value);
  if (!parsed) return refuse(parsed.error().message);
  if (parsed->kind != mesh::Kind::VirtualGateway) {
    return refuse(fmt::format("must be a virtual gateway, is '{}'", given->value));
  }
  if (parsed->mesh != mesh.name || mesh.gateway(parsed->name) == nullptr) {
    return refuse(fmt::format("there is no '{}': {}", given->value, what_there_is(mesh)));
  }
  GatewayIdentity identity{given->value, parsed->name, given->value};
  const auto cluster =
      first_set(environment, {"APPMESH_RESOURCE_CLUSTER", "APPMESH_VIRTUAL_NODE_CLUSTER"});
  if (cluster) identity.cluster = cluster->value;
  return identity;
}

world::Errors place_services(proxy::GatewayPlan& plan, const std::vector<ServicePlace>& places) {
  world::Errors errors;
  for (std::size_t i = 0; i < places.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (places[i].name == places[j].name) {
        errors.push_back({"--service", fmt::format("'{}' is given twice", places[i].name), {}});
      }
    }
  }
  std::vector<bool> used(places.size());
  std::set<std::string> known;
  for (proxy::HopPlan* hop : hops_with_endpoints(plan)) {
    for (std::size_t i = 0; i < hop->clusters.size(); ++i) {
      proxy::Cluster& cluster = hop->clusters[i];
      if (cluster.discovery == proxy::Cluster::Discovery::Self) continue;
      const std::set<std::string> services = services_of(*hop, i);
      known.insert(cluster.node);
      known.insert(services.begin(), services.end());
      const std::array<std::function<bool(const std::string&)>, 3> kinds = {
          [&](const std::string& name) { return name == cluster.node; },
          [&](const std::string& name) { return name == cluster.host_name; },
          [&](const std::string& name) { return services.contains(name); }};
      const ServicePlace* place = nullptr;
      for (std::size_t kind = 0; kind < kinds.size() && place == nullptr; ++kind) {
        for (const ServicePlace& candidate : places) {
          if (kinds[kind](candidate.name)) {
            place = &candidate;
            break;
          }
        }
      }
      if (place == nullptr) continue;
      used[static_cast<std::size_t>(place - places.data())] = true;
      if (cluster.discovery == proxy::Cluster::Discovery::Static) {
        cluster.discovery = proxy::Cluster::Discovery::LogicalDns;
        cluster.endpoints.clear();
      }
      cluster.host_name = place->host;
      cluster.port = place->port;
    }
  }
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (used[i]) continue;
    std::string names;
    for (const std::string& name : known) names += (names.empty() ? "" : ", ") + name;
    errors.push_back({"--service",
                      fmt::format("no cluster is '{}', only: {}", places[i].name,
                                  names.empty() ? "none" : names),
                      {}});
  }
  return errors;
}

}  // namespace tools
