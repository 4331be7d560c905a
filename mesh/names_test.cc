#include "mesh/names.h"

#include <string>

#include <gtest/gtest.h>

namespace mesh {
namespace {

TEST(Names, TakeLettersDigitsHyphenAndUnderscore) {
  EXPECT_TRUE(valid_name("a"));
  EXPECT_TRUE(valid_name("Shop_mesh-1"));
  EXPECT_TRUE(valid_name(std::string(255, 'a')));
  for (const std::string& name : {std::string(), std::string(256, 'a'), std::string("a b"),
                                  std::string("a.b"), std::string("a/b"), std::string("\u00e9")}) {
    EXPECT_FALSE(valid_name(name)) << name;
  }
}

TEST(Names, ArnsNameEveryParent) {
  const Account account{"123456789012", "us-west-2", "aws"};
  const std::string mesh = "arn:aws:appmesh:us-west-2:123456789012:mesh/shop";
  EXPECT_EQ(mesh_arn(account, "shop"), mesh);
  EXPECT_EQ(resource_arn(account, "shop", Kind::Mesh, "shop"), mesh);
  EXPECT_EQ(resource_arn(account, "shop", Kind::VirtualGateway, "edge"),
            mesh + "/virtualGateway/edge");
  EXPECT_EQ(resource_arn(account, "shop", Kind::GatewayRoute, "chapters", "edge"),
            mesh + "/virtualGateway/edge/gatewayRoute/chapters");
  EXPECT_EQ(resource_arn(account, "shop", Kind::Route, "r", "router"),
            mesh + "/virtualRouter/router/route/r");
  EXPECT_EQ(resource_arn(account, "shop", Kind::VirtualService, "books.local"),
            mesh + "/virtualService/books.local");
  EXPECT_EQ(resource_arn({"123456789012", "cn-north-1", "aws-cn"}, "m", Kind::VirtualNode, "n"),
            "arn:aws-cn:appmesh:cn-north-1:123456789012:mesh/m/virtualNode/n");
}

TEST(Names, TheProxysResourceIsAShortNameOrAnArn) {
  for (const char* written :
       {"mesh/shop/virtualGateway/edge",
        "arn:aws:appmesh:us-west-2:123456789012:mesh/shop/virtualGateway/edge"}) {
    const auto resource = parse_proxy_resource(written);
    ASSERT_TRUE(resource) << written;
    EXPECT_EQ(resource->mesh, "shop");
    EXPECT_EQ(resource->mesh_owner, "");
    EXPECT_EQ(resource->kind, Kind::VirtualGateway);
    EXPECT_EQ(resource->name, "edge");
  }
  const auto shared = parse_proxy_resource("mesh/shop@123456789012/virtualNode/books");
  ASSERT_TRUE(shared);
  EXPECT_EQ(shared->mesh, "shop");
  EXPECT_EQ(shared->mesh_owner, "123456789012");
  EXPECT_EQ(shared->kind, Kind::VirtualNode);
}

TEST(Names, WithFewerThanFourPartsTheProxyDoesNotStart) {
  for (const char* written :
       {"", "edge", "mesh/shop", "mesh/shop/virtualGateway", "mesh/shop/virtualGateway/",
        "mesh//virtualGateway/edge", "mesh/shop/gateway/edge", "mash/shop/virtualGateway/edge",
        "mesh/shop/virtualGateway/edge/gatewayRoute/x", "mesh/@1/virtualGateway/edge"}) {
    EXPECT_FALSE(parse_proxy_resource(written)) << written;
  }
  EXPECT_EQ(
      parse_proxy_resource("mesh/shop").error().message,
      "must be mesh/MESH/virtualGateway/NAME or that ARN, is \"mesh/shop\": has 2 of 4 parts");
}

}  // namespace
}  // namespace mesh
