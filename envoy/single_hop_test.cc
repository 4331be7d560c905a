#include "envoy/single_hop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "document/parse.h"
#include "envoy/bootstrap.h"
#include "mesh/read.h"
#include "proxy/compile.h"

namespace envoy {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::SizeIs;

/// Two routes of a router behind one gateway route; `match` is that of the first.
mesh::Mesh mesh_of(const std::string& match, const std::string& pool = "") {
  const std::string text =
      "- virtualGateway: edge\n"
      "  spec: {listeners: [{portMapping: {port: 9080, protocol: http}" +
      pool +
      "}]}\n"
      "- gatewayRoute: chapters\n"
      "  virtualGateway: edge\n"
      "  spec: {httpRoute: {match: {prefix: /chapter}, action: {target: {virtualService: "
      "{virtualServiceName: books.shop.local}}}}}\n"
      "- virtualService: books.shop.local\n"
      "  spec: {provider: {virtualRouter: {virtualRouterName: books-router}}}\n"
      "- virtualRouter: books-router\n"
      "  spec: {listeners: [{portMapping: {port: 8080, protocol: http}}]}\n"
      "- route: first\n"
      "  virtualRouter: books-router\n"
      "  spec: {httpRoute: {match: {" +
      match +
      "}, action: {weightedTargets: [{virtualNode: books, weight: 1}]}}}\n"
      "- virtualNode: books\n"
      "  spec: {listeners: [{portMapping: {port: 8080, protocol: http}}], serviceDiscovery: {dns: "
      "{hostname: books.local}}}\n";
  const auto documents = document::parse_all(text, "mesh.yaml");
  EXPECT_TRUE(documents);
  auto mesh = mesh::load(*documents);
  EXPECT_TRUE(mesh) << (mesh ? "" : mesh.error().front().text());
  return *mesh;
}

std::vector<std::string> notes_of(const mesh::Mesh& mesh) {
  return single_hop_notes(mesh, mesh.gateways.front());
}

TEST(SingleHop, APathThatIsAskedForAfterTheRewriteIsLost) {
  EXPECT_THAT(notes_of(mesh_of("prefix: /")), SizeIs(2));
  EXPECT_THAT(notes_of(mesh_of("prefix: /1")),
              Contains(HasSubstr("route first of virtualRouter books-router is taken whatever")));
}

TEST(SingleHop, ThePoolOfTheListenerIsLost) {
  EXPECT_THAT(notes_of(mesh_of("prefix: /", ", connectionPool: {http: {maxConnections: 2}}")),
              Contains(HasSubstr("the connection pool of the listener on port 9080")));
}

TEST(SingleHop, WhatIsAskedOfHeadersAndTheQueryIsKept) {
  const mesh::Mesh mesh = mesh_of(
      "prefix: /, headers: [{name: kind, match: {exact: new}}], queryParameters: [{name: page, "
      "match: {exact: \"1\"}}]");
  const auto plan = proxy::compile(mesh, "edge", {.single_hop = true});
  const auto out = bootstrap(**plan, {.folder = "/out"});
  ASSERT_TRUE(out);
  const Json& resources = out->files.at("envoy.json")["static_resources"];
  ASSERT_THAT(resources["listeners"], SizeIs(1));
  const Json route = resources
      ["/listeners/0/filter_chains/0/filters/0/typed_config/route_config/virtual_hosts/0/"
       "routes/0"_json_pointer];
  EXPECT_EQ(route["match"]["headers"][0]["name"], "kind");
  EXPECT_EQ(route["match"]["query_parameters"][0]["name"], "page");
  EXPECT_EQ(route["route"]["prefix_rewrite"], "/");
}

}  // namespace
}  // namespace envoy
