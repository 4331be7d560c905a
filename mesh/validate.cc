#include "mesh/validate.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "mesh/quotas.h"

namespace mesh {
namespace {

/// Where a route's port match is, below the resource.
std::string_view match_port(RouteKind kind) {
  constexpr std::string_view kPointers[] = {
      "spec/httpRoute/match/port", "spec/http2Route/match/port", "spec/grpcRoute/match/port",
      "spec/tcpRoute/match/port"};
  return kPointers[static_cast<std::size_t>(kind)];
}

class Validator {
 public:
  Validator(const Mesh& mesh, const ValidateOptions& options) : mesh_(mesh), options_(options) {}

  world::Errors run() {
    index();
    check_gateways();
    check_gateway_routes();
    check_services();
    check_nodes();
    check_routes();
    if (options_.quotas) check_quotas();
    return std::move(errors_);
  }

 private:
  template <class T>
  using ByName = std::map<std::string_view, const T*>;

  void fail(const Origin& at, std::string_view member, std::string message) {
    std::string pointer = at.pointer;
    if (!member.empty()) pointer += "/" + std::string(member);
    errors_.push_back({std::move(pointer), std::move(message), at.place});
  }

  /// Notes resources by name, and reports names that are taken.
  template <class T>
  ByName<T> index_of(const std::vector<T>& resources, Kind kind) {
    ByName<T> index;
    for (const T& resource : resources) {
      if (resource.name.empty()) continue;
      const auto [taken, is_new] = index.emplace(resource.name, &resource);
      if (!is_new) duplicate(resource, kind, *taken->second, "");
    }
    return index;
  }

  void duplicate(const Resource& second, Kind kind, const Resource& first, std::string_view of) {
    fail(second.origin, "",
         fmt::format("must have a name of its own: {} {}{} was defined at {}", text(kind),
                     second.name, of, first.origin.place.text()));
  }

  void index() {
    gateways_ = index_of(mesh_.gateways, Kind::VirtualGateway);
    services_ = index_of(mesh_.services, Kind::VirtualService);
    nodes_ = index_of(mesh_.nodes, Kind::VirtualNode);
    routers_ = index_of(mesh_.routers, Kind::VirtualRouter);
    using Key = std::pair<std::string_view, std::string_view>;
    std::map<Key, const Resource*> seen;
    for (const GatewayRoute& route : mesh_.gateway_routes) {
      const auto [taken, is_new] = seen.emplace(Key(route.gateway, route.name), &route);
      if (!is_new && !route.name.empty()) {
        duplicate(route, Kind::GatewayRoute, *taken->second, " of " + route.gateway);
      }
    }
    seen.clear();
    for (const Route& route : mesh_.routes) {
      const auto [taken, is_new] = seen.emplace(Key(route.router, route.name), &route);
      if (!is_new && !route.name.empty()) {
        duplicate(route, Kind::Route, *taken->second, " of " + route.router);
      }
    }
  }

  /// Source: AM-VAL-28. Two listeners cannot have one port either.
  void check_gateways() {
    for (const VirtualGateway& gateway : mesh_.gateways) {
      std::set<std::uint16_t> seen;
      for (std::size_t i = 0; i < gateway.listeners.size(); ++i) {
        const std::uint16_t port = gateway.listeners[i].port_mapping.port;
        const std::string member = fmt::format("spec/listeners/{}/portMapping/port", i);
        const auto& taken = options_.proxy_ports;
        if (std::find(taken.begin(), taken.end(), port) != taken.end()) {
          fail(gateway.origin, member,
               fmt::format("must not be {}, which the proxy uses itself", port));
        }
        if (!seen.insert(port).second) {
          fail(gateway.origin, member,
               fmt::format("must be another than {}, which is taken", port));
        }
      }
    }
  }

  void check_gateway_routes() {
    for (const GatewayRoute& route : mesh_.gateway_routes) {
      const VirtualGateway* gateway = parent(route, route.gateway, gateways_, Kind::VirtualGateway);
      // Source: AM-VAL-24.
      if (gateway != nullptr && gateway->listeners.size() > 1 && !route.match.port) {
        fail(route.origin, match_port(route.kind),
             fmt::format(
                 "Gateway route must define a match port: virtualGateway {} has {} listeners",
                 gateway->name, gateway->listeners.size()));
      }
      check_target(route);
    }
  }

  template <class T>
  const T* parent(const Resource& child, const std::string& name, const ByName<T>& all, Kind kind) {
    if (name.empty()) {
      fail(child.origin, "", fmt::format("must name its {}", text(kind)));
      return nullptr;
    }
    const auto found = all.find(name);
    if (found != all.end()) return found->second;
    fail(child.origin, "", fmt::format("must be of a {} that exists, is of {}", text(kind), name));
    return nullptr;
  }

  /// Source: AM-VAL-25, AM-VAL-32.
  void check_target(const GatewayRoute& route) {
    if (route.virtual_service.empty()) return;
    const auto service = services_.find(route.virtual_service);
    if (service == services_.end()) {
      if (!options_.allow_undefined_services) {
        fail(route.target_origin, "virtualService/virtualServiceName",
             fmt::format("must be a virtual service that exists, is {}", route.virtual_service));
      }
      return;
    }
    const auto& provider = service->second->provider;
    if (!provider || route.target_port) return;
    const std::size_t listeners = listener_count(*provider);
    if (listeners > 1) {
      fail(route.target_origin, "port",
           fmt::format("is required: the provider {} of {} has {} listeners", provider->name,
                       route.virtual_service, listeners));
    }
  }

  std::size_t listener_count(const Provider& provider) const {
    if (provider.kind == Provider::Kind::Node) {
      const auto node = nodes_.find(provider.name);
      return node == nodes_.end() ? 0 : node->second->listeners.size();
    }
    const auto router = routers_.find(provider.name);
    return router == routers_.end() ? 0 : router->second->listeners.size();
  }

  void check_services() {
    for (const VirtualService& service : mesh_.services) {
      if (!service.provider || service.provider->name.empty()) continue;
      const Provider& provider = *service.provider;
      const bool is_node = provider.kind == Provider::Kind::Node;
      const bool exists =
          is_node ? nodes_.count(provider.name) > 0 : routers_.count(provider.name) > 0;
      if (exists) continue;
      const Kind kind = is_node ? Kind::VirtualNode : Kind::VirtualRouter;
      fail(provider.origin, fmt::format("{}Name", text(kind)),
           fmt::format("must be a {} that exists, is {}", text(kind), provider.name));
    }
  }

  void check_nodes() {
    if (options_.allow_undefined_services) return;
    for (const VirtualNode& node : mesh_.nodes) {
      for (const Backend& backend : node.backends) {
        if (backend.virtual_service.empty() || services_.count(backend.virtual_service) > 0)
          continue;
        fail(backend.origin, "virtualServiceName",
             fmt::format("must be a virtual service that exists, is {}", backend.virtual_service));
      }
    }
  }

  void check_routes() {
    for (const Route& route : mesh_.routes) {
      const VirtualRouter* router = parent(route, route.router, routers_, Kind::VirtualRouter);
      // Source: AM-VAL-24.
      if (router != nullptr && router->listeners.size() > 1 && !route.match.port) {
        fail(route.origin, match_port(route.kind),
             fmt::format("Route must define a match port: virtualRouter {} has {} listeners",
                         router->name, router->listeners.size()));
      }
      for (const WeightedTarget& target : route.targets) {
        if (target.node.empty()) continue;
        const auto node = nodes_.find(target.node);
        if (node == nodes_.end()) {
          fail(target.origin, "virtualNode",
               fmt::format("must be a virtual node that exists, is {}", target.node));
        } else if (node->second->listeners.size() > 1 && !target.port) {
          // As AM-VAL-25 says of a gateway route's target.
          fail(target.origin, "port",
               fmt::format("is required: virtualNode {} has {} listeners", target.node,
                           node->second->listeners.size()));
        }
      }
    }
  }

  void check_quotas() {
    const Quotas quotas;
    quota(mesh_.gateways, quotas.gateways_per_mesh, "virtual gateways in a mesh");
    quota(mesh_.services, quotas.services_nodes_or_routers_per_mesh, "virtual services in a mesh");
    quota(mesh_.nodes, quotas.services_nodes_or_routers_per_mesh, "virtual nodes in a mesh");
    quota(mesh_.routers, quotas.services_nodes_or_routers_per_mesh, "virtual routers in a mesh");
    std::map<std::string_view, std::size_t> count;
    for (const GatewayRoute& route : mesh_.gateway_routes) {
      if (++count[route.gateway] != quotas.gateway_routes_per_gateway + 1) continue;
      over_quota(route, quotas.gateway_routes_per_gateway, "gateway routes of a virtual gateway");
    }
    count.clear();
    for (const Route& route : mesh_.routes) {
      if (++count[route.router] != quotas.routes_per_router + 1) continue;
      over_quota(route, quotas.routes_per_router, "routes of a virtual router");
    }
  }

  template <class T>
  void quota(const std::vector<T>& resources, std::size_t limit, std::string_view what) {
    if (resources.size() > limit) over_quota(resources[limit], limit, what);
  }

  void over_quota(const Resource& first, std::size_t limit, std::string_view what) {
    fail(first.origin, "", fmt::format("is beyond the quota of {} {}", limit, what));
  }

  const Mesh& mesh_;
  const ValidateOptions& options_;
  world::Errors errors_;
  ByName<VirtualGateway> gateways_;
  ByName<VirtualService> services_;
  ByName<VirtualNode> nodes_;
  ByName<VirtualRouter> routers_;
};

}  // namespace

world::Errors validate(const Mesh& mesh, const ValidateOptions& options) {
  return Validator(mesh, options).run();
}

}  // namespace mesh
