#include "conformance/staged_api.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "conformance/read_api.h"
#include "mesh/kinds.h"

namespace conformance {

using mesh::Kind;
using mesh::api::Json;

namespace {

/// What others name comes before them.
constexpr std::array kOrder = {Kind::Mesh,        Kind::VirtualNode,    Kind::VirtualRouter,
                               Kind::Route,       Kind::VirtualService, Kind::VirtualGateway,
                               Kind::GatewayRoute};

bool is_written(const Scenario& scenario, Kind kind, const std::string& name) {
  return std::any_of(
      scenario.resources.begin(), scenario.resources.end(),
      [&](const WrittenResource& one) { return one.kind == kind && one.name == name; });
}

/// The nodes and services that the scenario leaves out, as complete_mesh() has filled them in.
std::vector<WrittenResource> implied(const Scenario& scenario) {
  std::vector<WrittenResource> out;
  const std::string& mesh = scenario.mesh.name;
  if (!is_written(scenario, Kind::Mesh, mesh))
    out.push_back({Kind::Mesh, mesh, "", Json::object()});
  for (const mesh::VirtualNode& node : scenario.mesh.nodes) {
    if (is_written(scenario, Kind::VirtualNode, node.name)) continue;
    const mesh::PortMapping& port = node.listeners.front().port_mapping;
    const Json listener = {
        {"portMapping", {{"port", port.port}, {"protocol", mesh::text(port.protocol)}}}};
    out.push_back({Kind::VirtualNode,
                   node.name,
                   "",
                   {{"listeners", {listener}},
                    {"serviceDiscovery", {{"dns", {{"hostname", node.discovery->hostname}}}}}}});
  }
  for (const mesh::VirtualService& service : scenario.mesh.services) {
    if (is_written(scenario, Kind::VirtualService, service.name)) continue;
    const Json node = {{"virtualNodeName", service.provider->name}};
    out.push_back(
        {Kind::VirtualService, service.name, "", {{"provider", {{"virtualNode", node}}}}});
  }
  return out;
}

/// The only gateway or router that there is.
std::string only_parent(const Scenario& scenario, Kind kind) {
  for (const WrittenResource& one : scenario.resources) {
    if (one.kind == kind) return one.name;
  }
  return {};
}

}  // namespace

StagedApi::StagedApi(const Scenario& scenario, world::CalendarTime start)
    : mesh_(scenario.mesh.name) {
  options_.era = scenario.era;
  options_.seed = scenario.seed;
  for (const mesh::api::Share& share : scenario.world.shares) {
    options_.shares.push_back(share);
    options_.shares.back().mesh = mesh_;
  }
  std::vector<WrittenResource> all = implied(scenario);
  all.insert(all.end(), scenario.resources.begin(), scenario.resources.end());
  for (const Kind kind : kOrder) {
    for (WrittenResource& one : all) {
      if (one.kind != kind) continue;
      const auto parent = mesh::parent_of(kind);
      if (parent && one.parent.empty()) one.parent = only_parent(scenario, *parent);
      make(one, start);
    }
  }
}

void StagedApi::make(const WrittenResource& resource, world::CalendarTime at) {
  const mesh::KindWords& words = mesh::words_of(resource.kind);
  std::string operation = fmt::format("Create{}", words.word);
  operation[6] = static_cast<char>(operation[6] - 'a' + 'A');
  Json input = {{words.name, resource.name}, {"spec", resource.spec}};
  if (const auto parent = mesh::parent_of(resource.kind)) {
    input[mesh::words_of(*parent).name] = resource.parent;
  }
  ApiCall call = *to_call(operation, std::move(input), mesh_);
  call.account = kOwnerAccount;
  const Outcome made = this->call(call, at);
  if (made.status == 200 || !problem_.empty()) return;
  problem_ = fmt::format("{} {}: {} {}", operation, resource.name, made.error, made.answer.dump());
}

StagedApi::Outcome StagedApi::call(const ApiCall& call, world::CalendarTime now) {
  const std::uint64_t before = store_.changes();
  const mesh::api::Response response =
      mesh::api::answer(store_, options_, {call.method, call.target, call.body, call.account, now});
  Json answer = Json::parse(response.body);
  // The body is the resource itself, which the command line and the SDKs name.
  if (response.status == 200 && answer.contains("metadata")) {
    for (const mesh::KindWords& words : mesh::kKinds) {
      if (!call.operation.ends_with(words.word.substr(1))) continue;
      answer = {{words.word, std::move(answer)}};
      break;
    }
  }
  return {response.status, std::string(response.error_type), std::move(answer),
          store_.changes() != before};
}

}  // namespace conformance
