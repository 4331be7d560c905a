#include "tools/gateway_setup.h"

#include <map>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "document/parse.h"
#include "mesh/read.h"
#include "proxy/compile.h"

namespace tools {
namespace {

mesh::Mesh read(const std::string& gateways) {
  const std::string text = gateways + R"(
- virtualNode: books-v1
  spec:
    listeners: [ { portMapping: { port: 8080, protocol: http } } ]
    serviceDiscovery: { dns: { hostname: v1.books.internal } }
- virtualNode: books-v2
  spec:
    listeners: [ { portMapping: { port: 8080, protocol: http } } ]
    serviceDiscovery: { dns: { hostname: v2.books.internal } }
- virtualRouter: books
  spec: { listeners: [ { portMapping: { port: 8080, protocol: http } } ] }
- route: all
  virtualRouter: books
  spec:
    httpRoute:
      match: { prefix: / }
      action:
        weightedTargets:
          - { virtualNode: books-v1, weight: 1 }
          - { virtualNode: books-v2, weight: 1 }
- virtualService: books.shop.local
  spec: { provider: { virtualRouter: { virtualRouterName: books } } }
)";
  const auto documents = document::parse_all(text, "mesh.yaml");
  EXPECT_TRUE(documents);
  mesh::ReadOptions options;
  options.default_mesh_name = "shop";
  auto mesh = mesh::load(*documents, options);
  EXPECT_TRUE(mesh) << mesh.error().front().text();
  return std::move(*mesh);
}

constexpr const char* kEdge = R"(
- virtualGateway: edge
  spec: { listeners: [ { portMapping: { port: 9080, protocol: http } } ] }
- gatewayRoute: all
  virtualGateway: edge
  spec:
    httpRoute:
      match: { prefix: / }
      action: { target: { virtualService: { virtualServiceName: books.shop.local } } }
)";
constexpr const char* kSide = R"(
- virtualGateway: side
  spec: { listeners: [ { portMapping: { port: 9081, protocol: http } } ] })";

Environment environment(std::map<std::string, std::string> variables) {
  return [variables = std::make_shared<std::map<std::string, std::string>>(std::move(variables))](
             const char* name) -> const char* {
    const auto found = variables->find(name);
    return found == variables->end() ? nullptr : found->second.c_str();
  };
}

TEST(ChooseGateway, TakesTheOnlyOne) {
  const auto chosen = choose_gateway(read(kEdge), "", environment({}));
  ASSERT_TRUE(chosen) << chosen.error().text();
  EXPECT_EQ(chosen->gateway, "edge");
  EXPECT_EQ(chosen->cluster, "mesh/shop/virtualGateway/edge");
}

TEST(ChooseGateway, TakesWhatTheVariablesSayTheNewestFirst) {
  const mesh::Mesh mesh = read(std::string(kEdge) + kSide);
  const std::string edge = "mesh/shop/virtualGateway/edge";
  const std::string side = "arn:aws:appmesh:us-west-2:123456789012:mesh/shop/virtualGateway/side";
  EXPECT_EQ(
      choose_gateway(mesh, "",
                     environment({{"APPMESH_RESOURCE_ARN", side}, {"APPMESH_RESOURCE_NAME", edge}}))
          ->gateway,
      "side");
  EXPECT_EQ(choose_gateway(
                mesh, "",
                environment({{"APPMESH_RESOURCE_NAME", side}, {"APPMESH_VIRTUAL_NODE_NAME", edge}}))
                ->gateway,
            "side");
  EXPECT_EQ(choose_gateway(mesh, "", environment({{"APPMESH_VIRTUAL_NODE_NAME", edge}}))->gateway,
            "edge");
  EXPECT_EQ(choose_gateway(mesh, edge, environment({{"APPMESH_RESOURCE_ARN", side}}))->gateway,
            "edge")
      << "the command line goes first";
}

TEST(ChooseGateway, CallsItselfAsTheClusterVariableSays) {
  const auto chosen = choose_gateway(
      read(kEdge), "",
      environment({{"APPMESH_RESOURCE_CLUSTER", "front"}, {"APPMESH_VIRTUAL_NODE_CLUSTER", "x"}}));
  ASSERT_TRUE(chosen);
  EXPECT_EQ(chosen->cluster, "front");
}

TEST(ChooseGateway, SaysWhichThereAre) {
  const mesh::Mesh mesh = read(std::string(kEdge) + kSide);
  const std::string there =
      "there are mesh/shop/virtualGateway/edge, mesh/shop/virtualGateway/side";
  EXPECT_EQ(choose_gateway(mesh, "", environment({})).error().message,
            "--resource or APPMESH_RESOURCE_ARN must say which gateway: " + there);
  for (const std::string name : {"mesh/shop/virtualGateway/back", "mesh/inn/virtualGateway/edge"}) {
    const auto chosen = choose_gateway(mesh, name, environment({}));
    ASSERT_FALSE(chosen) << name;
    EXPECT_EQ(chosen.error().text(), "--resource: there is no '" + name + "': " + there);
  }
}

TEST(ChooseGateway, RefusesWhatIsNoGateway) {
  const mesh::Mesh mesh = read(kEdge);
  const auto few = choose_gateway(mesh, "", environment({{"APPMESH_RESOURCE_ARN", "shop/edge"}}));
  ASSERT_FALSE(few);
  EXPECT_EQ(few.error().path, "APPMESH_RESOURCE_ARN");
  EXPECT_FALSE(choose_gateway(mesh, "mesh/shop/virtualNode/books-v1", environment({})));
}

/// The places of the clusters after the services were put into the plan: "v1.books.internal:8080".
std::string placed(const std::vector<ServicePlace>& places, world::Errors& errors) {
  const auto plan = proxy::compile(read(kEdge), "edge");
  EXPECT_TRUE(plan);
  proxy::GatewayPlan changed = **plan;
  errors = place_services(changed, places);
  std::string text;
  for (const proxy::Cluster& cluster : changed.egress->clusters) {
    text += (text.empty() ? "" : " ") + cluster.host_name + ":" + std::to_string(cluster.port);
  }
  return text;
}

TEST(PlaceServices, ByNodeByHostNameAndByService) {
  world::Errors errors;
  EXPECT_EQ(placed({{"books-v1", "a", 1}}, errors), "a:1 v2.books.internal:8080");
  EXPECT_EQ(placed({{"v2.books.internal", "b", 2}}, errors), "v1.books.internal:8080 b:2");
  EXPECT_EQ(placed({{"books.shop.local", "c", 3}}, errors), "c:3 c:3");
  EXPECT_EQ(placed({{"books.shop.local", "c", 3}, {"books-v2", "d", 4}}, errors), "c:3 d:4")
      << "the node goes before its service";
  EXPECT_TRUE(errors.empty());
}

TEST(PlaceServices, SaysEveryNameThatNoClusterHas) {
  world::Errors errors;
  placed({{"films", "a", 1}, {"books-v1", "a", 1}, {"music", "a", 1}, {"films", "b", 1}}, errors);
  ASSERT_EQ(errors.size(), 4U);
  EXPECT_EQ(errors[0].text(), "--service: 'films' is given twice");
  EXPECT_EQ(errors[1].text(),
            "--service: no cluster is 'films', only: books-v1, books-v2, books.shop.local");
}

}  // namespace
}  // namespace tools
