#include "envoy/single_hop.h"

#include <set>

#include <fmt/format.h>

namespace envoy {
namespace {

/// Whether a path match takes every path.
bool takes_all(const mesh::RouteMatch& match) {
  return !match.path ||
         (match.path->kind == mesh::PathMatch::Kind::Prefix && match.path->text == "/");
}

void note_pools(const mesh::VirtualGateway& gateway, std::vector<std::string>& notes) {
  for (const mesh::Listener& listener : gateway.listeners) {
    if (!listener.pool) continue;
    notes.push_back(
        fmt::format("the connection pool of the listener on port {} limits nothing: it was that of "
                    "the way to the second hop, and held for all routes together",
                    listener.port_mapping.port));
  }
}

/// A service's route sees the path after the rewrite, which a single match cannot.
void note_paths(const mesh::Mesh& mesh, const mesh::VirtualGateway& gateway,
                std::vector<std::string>& notes) {
  std::set<std::string> told;
  for (const mesh::GatewayRoute* from : mesh.routes_of_gateway(gateway.name)) {
    const mesh::VirtualService* service = mesh.service(from->virtual_service);
    if (service == nullptr || !service->provider ||
        service->provider->kind != mesh::Provider::Kind::Router) {
      continue;
    }
    const std::string& router = service->provider->name;
    for (const mesh::Route* route : mesh.routes_of_router(router)) {
      if (takes_all(route->match) || !told.insert(router + "/" + route->name).second) continue;
      notes.push_back(fmt::format(
          "route {} of virtualRouter {} is taken whatever the path: it asked for one after the "
          "gateway route's rewrite",
          route->name, router));
    }
  }
}

}  // namespace

std::vector<std::string> single_hop_notes(const mesh::Mesh& mesh,
                                          const mesh::VirtualGateway& gateway) {
  std::vector<std::string> notes = {
      "one hop: a request has one line in the access log, and is counted once; there are no "
      "cds_ingress_*_self_redirect_* clusters and no egress listener on port 15001",
      "one hop: a request that no route of its service takes is answered 404 by the first "
      "listener, which says NR",
  };
  note_pools(gateway, notes);
  note_paths(mesh, gateway, notes);
  return notes;
}

}  // namespace envoy
