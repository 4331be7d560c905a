#include "bench/chain_world.h"

#include <stdexcept>
#include <string_view>
#include <utility>

#include "document/parse.h"
#include "mesh/read.h"
#include "proxy/compile.h"

namespace bench {
namespace {

constexpr std::string_view kMesh = R"(
mesh: shop
virtualGateways:
  - virtualGateway: edge
    spec: {listeners: [{portMapping: {port: 8080, protocol: PROTOCOL}}]}
gatewayRoutes:
  - gatewayRoute: api
    virtualGateway: edge
    spec:
      ROUTE:
        match: {prefix: /api}
        action: {target: {virtualService: {virtualServiceName: items.shop.local}}}
virtualServices:
  - virtualService: items.shop.local
    spec: {provider: {virtualRouter: {virtualRouterName: items}}}
virtualRouters:
  - virtualRouter: items
    spec: {listeners: [{portMapping: {port: 8080, protocol: PROTOCOL}}]}
routes:
  - route: all
    virtualRouter: items
    spec:
      ROUTE:
        match: {prefix: /}
        action: {weightedTargets: [{virtualNode: items, weight: 1}]}
virtualNodes:
  - virtualNode: items
    spec:
      listeners: [{portMapping: {port: 8080, protocol: PROTOCOL}}]
      serviceDiscovery: {dns: {hostname: items-1.shop.local}}
)";

[[noreturn]] void fail(const world::Error& error) {
  throw std::runtime_error(error.text());
}

}  // namespace

std::shared_ptr<const proxy::GatewayPlan> chain_plan(const std::string& protocol) {
  std::string text(kMesh);
  const auto put = [&](std::string_view what, const std::string& value) {
    for (std::size_t at = text.find(what); at != text.npos; at = text.find(what)) {
      text.replace(at, what.size(), value);
    }
  };
  put("PROTOCOL", protocol);
  put("ROUTE", protocol + "Route");
  const auto document = document::parse(text, "chain.yaml");
  if (!document) fail(document.error().front());
  const auto mesh = mesh::load({&*document, 1});
  if (!mesh) fail(mesh.error().front());
  auto plan = proxy::compile(*mesh, "edge");
  if (!plan) fail(plan.error());
  return std::move(plan).value();
}

std::shared_ptr<const peers::PreparedRequest> chain_request() {
  peers::RequestSpec request;
  request.host = "gw.example.com";
  request.port = 8080;
  request.target = "/api/items/42";
  request.address = kFront;
  return std::make_shared<const peers::PreparedRequest>(std::move(request));
}

std::shared_ptr<const peers::ServiceScript> chain_script() {
  peers::Answer answer;
  answer.body = std::string(64, 'x');
  return peers::prepare(peers::Behaviour::always(std::move(answer)));
}

ChainWorld::ChainWorld(std::shared_ptr<const proxy::GatewayPlan> plan,
                       std::shared_ptr<const peers::ServiceScript> script, int count)
    : gateway_host(simulation.add_host("gateway")),
      service_host(simulation.add_host("items-1.shop.local")),
      gateway(gateway_host, std::move(plan)),
      service(service_host, {.service = "items.shop.local",
                             .endpoint = "items-1",
                             .port = 8080,
                             .script = std::move(script)}) {
  for (int i = 0; i < count; ++i) {
    client_hosts.push_back(&simulation.add_host("client-" + std::to_string(i)));
  }
  if (const auto started = service.start(); !started) fail(started.error());
  if (const auto started = gateway.start(); !started) fail(started.error());
}

void Rota::run(std::uint64_t requests, std::uint64_t at_a_time) {
  to_send_ = requests;
  const std::uint64_t wanted = answered_ + failed_ + requests;
  for (std::uint64_t i = 0; i < at_a_time; ++i) send_next();
  while (answered_ + failed_ < wanted && world_.simulation.loop().run_one()) {
  }
}

void Rota::send_next() {
  if (to_send_ == 0) return;
  --to_send_;
  const std::size_t i = turn_;
  turn_ = turn_ + 1 == connections_.size() ? 0 : turn_ + 1;
  auto& connection = connections_[i];
  if (!connection) {
    sim::Host& host = *world_.client_hosts[i / kConnectionsPerHost];
    peers::ClientConnectionEvents& self = *this;
    connection = std::make_unique<peers::ClientConnection>(host, kFront, self);
  }
  connection->send(request_);
}

void Rota::on_answer(peers::ClientConnection&) {
  ++answered_;
  send_next();
}

}  // namespace bench
