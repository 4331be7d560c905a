#include "conformance/unasked_names.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "conformance/names.h"
#include "proxy/compile.h"

namespace conformance {
namespace {

/// By which gateways find the endpoints of nodes.
void add_discovery(const mesh::Mesh& mesh, std::set<std::string>& names) {
  for (const mesh::VirtualNode& node : mesh.nodes) {
    if (!node.discovery) continue;
    if (node.discovery->kind == mesh::Discovery::Kind::Dns) {
      names.insert(plain_name(node.discovery->hostname));
    } else if (node.discovery->kind == mesh::Discovery::Kind::CloudMap) {
      names.insert(plain_name(proxy::cloud_map_name(*node.discovery)));
    }
  }
}

/// Of hosts, gateways and balancers.
void add_world(const Scenario& scenario, std::set<std::string>& names) {
  const Names known(scenario.mesh, scenario.world, true);
  for (const EntityKind kind : {EntityKind::Gateway, EntityKind::Endpoint, EntityKind::Client}) {
    for (const std::string& name : known.all(kind)) names.insert(plain_name(name));
  }
  for (const BalancerSetup& balancer : scenario.world.balancers) {
    for (const std::string& name : {balancer.name, balancer.dns}) {
      if (name.empty()) continue;
      names.insert(plain_name(name));
      for (const std::string& zone : balancer.zones) names.insert(plain_name(zone + "." + name));
    }
  }
}

/// Whatever clients ask for.
void add_asked(const std::vector<Step>& steps, std::set<std::string>& names) {
  for (const Step& step : steps) {
    if (step.request) names.insert(plain_name(step.request->request.host));
    if (step.raw && !step.raw->host.empty()) names.insert(plain_name(step.raw->host));
  }
}

}  // namespace

void refuse_unasked_names(const Scenario& scenario, document::Problems& problems) {
  const auto calls = [](const Step& step) { return step.call.has_value(); };
  const auto& steps = scenario.steps;
  if (std::any_of(steps.begin(), steps.end(), calls)) return;  // may bring more names
  std::set<std::string> names;
  add_discovery(scenario.mesh, names);
  add_world(scenario, names);
  add_asked(steps, names);
  for (const Step& step : steps) {
    if (!step.fault || step.fault->kind != Fault::Kind::Name) continue;
    const std::string& name = step.fault->name;
    if (names.count(name) != 0) continue;
    problems.add(fmt::format("/steps/{}/fault/dns/name", step.index),
                 with_suggestion(fmt::format("nobody asks for {}", name), name,
                                 std::vector<std::string>(names.begin(), names.end())),
                 step.fault->name_place);
  }
}

}  // namespace conformance
