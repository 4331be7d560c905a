#include "mesh/api/api.h"

#include <chrono>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mesh/api/memory_store.h"
#include "mesh/api/operations.h"

namespace mesh::api {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kOwner = "111111111111";
constexpr std::string_view kConsumer = "222222222222";
constexpr std::string_view kGateway =
    R"({"virtualGatewayName":"edge","spec":{"listeners":[{"portMapping":{"port":9080,"protocol":"http"}}]}})";
constexpr std::string_view kGatewayRoute =
    R"({"gatewayRouteName":"books","spec":{"httpRoute":{"match":{"prefix":"/"},)"
    R"("action":{"target":{"virtualService":{"virtualServiceName":"books.local"}}}}}})";

/// A control plane, its clock, and who calls.
class ApiTest : public testing::Test {
 protected:
  Response call(std::string_view method, std::string_view path, std::string_view body = "") {
    const std::string target = "/v20190125" + std::string(path);
    return answer(store_, options_, {method, target, body, account_, now_});
  }
  /// The body of an answer that is a good one.
  Json good(std::string_view method, std::string_view path, std::string_view body = "") {
    const Response response = call(method, path, body);
    EXPECT_EQ(response.status, 200) << response.body;
    return Json::parse(response.body);
  }
  std::string refused(std::string_view method, std::string_view path, std::string_view body = "") {
    const std::uint64_t before = store_.changes();
    const Response response = call(method, path, body);
    EXPECT_EQ(store_.changes(), before) << "a refused call changed something";
    return std::string(response.error_type);
  }
  /// The mesh shop with the gateway edge and the service books.local.
  void make_shop() {
    good("PUT", "/meshes", R"({"meshName":"shop"})");
    good("PUT", "/meshes/shop/virtualServices",
         R"({"virtualServiceName":"books.local","spec":{}})");
    good("PUT", "/meshes/shop/virtualGateways", kGateway);
  }

  MemoryStore store_;
  Options options_;
  std::string_view account_ = kOwner;
  world::CalendarTime now_{seconds(1'649'259'762)};
};

TEST_F(ApiTest, ThereAre38OperationsWithNamesOfTheirOwn) {
  std::set<std::string_view> names;
  for (const Operation& operation : operations()) names.insert(operation.name);
  EXPECT_EQ(names.size(), 38u);
}

TEST_F(ApiTest, CreateAnswersAsTheGuideShows) {
  good("PUT", "/meshes", R"({"meshName":"shop"})");
  const Json made = good("PUT", "/meshes/shop/virtualGateways", kGateway);
  EXPECT_EQ(made["virtualGatewayName"], "edge");
  EXPECT_EQ(made["meshName"], "shop");
  EXPECT_EQ(made["status"]["status"], "ACTIVE");
  EXPECT_EQ(made["spec"], Json::parse(kGateway)["spec"]);
  const Json& metadata = made["metadata"];
  EXPECT_EQ(metadata["arn"],
            "arn:aws:appmesh:us-west-2:111111111111:mesh/shop/virtualGateway/edge");
  EXPECT_EQ(metadata["version"], 1);
  EXPECT_EQ(metadata["createdAt"], 1'649'259'762.0);
  EXPECT_EQ(metadata["lastUpdatedAt"], metadata["createdAt"]);
  EXPECT_EQ(metadata["resourceOwner"], kOwner);
  EXPECT_EQ(metadata["uid"].get<std::string>().size(), 36u);
  EXPECT_EQ(good("GET", "/meshes/shop/virtualGateways/edge"), made);
}

TEST_F(ApiTest, DeleteAnswersWithTheLastStateAndOneVersionMore) {
  make_shop();
  now_ += seconds(5);
  const Json gone = good("DELETE", "/meshes/shop/virtualGateways/edge");
  EXPECT_EQ(gone["metadata"]["version"], 2);
  EXPECT_EQ(gone["status"]["status"], "DELETED");
  EXPECT_EQ(gone["metadata"]["lastUpdatedAt"], 1'649'259'767.0);
  EXPECT_EQ(refused("DELETE", "/meshes/shop/virtualGateways/edge"), "NotFoundException");
}

TEST_F(ApiTest, ANameUsedAgainGetsAnotherUid) {
  const Json first = good("PUT", "/meshes", R"({"meshName":"shop"})");
  good("DELETE", "/meshes/shop");
  const Json second = good("PUT", "/meshes", R"({"meshName":"shop"})");
  EXPECT_NE(first["metadata"]["uid"], second["metadata"]["uid"]);
}

TEST_F(ApiTest, AGatewayWithRoutesStaysAndItsRefusalNamesThem) {
  make_shop();
  good("PUT", "/meshes/shop/virtualGateway/edge/gatewayRoutes", kGatewayRoute);
  const Response refusal = call("DELETE", "/meshes/shop/virtualGateways/edge");
  EXPECT_EQ(refusal.status, 409);
  EXPECT_EQ(refusal.error_type, "ResourceInUseException");
  EXPECT_THAT(refusal.body, HasSubstr("gatewayRoute/books"));
  EXPECT_EQ(refused("DELETE", "/meshes/shop/virtualServices/books.local"),
            "ResourceInUseException");
  EXPECT_EQ(refused("DELETE", "/meshes/shop"), "ResourceInUseException");
  // The order that always works (AM-DEL-11).
  good("DELETE", "/meshes/shop/virtualGateway/edge/gatewayRoutes/books");
  good("DELETE", "/meshes/shop/virtualGateways/edge");
  good("DELETE", "/meshes/shop/virtualServices/books.local");
  good("DELETE", "/meshes/shop");
}

TEST_F(ApiTest, ATokenSentAgainIsTheSameCallAndWithAnotherSpecIsRefused) {
  const Json first = good("PUT", "/meshes", R"({"meshName":"shop","clientToken":"t"})");
  EXPECT_EQ(good("PUT", "/meshes", R"({"meshName":"shop","clientToken":"t"})"), first);
  EXPECT_EQ(refused("PUT", "/meshes", R"({"meshName":"shop","clientToken":"u"})"),
            "ConflictException");
  const std::string_view drop =
      R"({"spec":{"egressFilter":{"type":"DROP_ALL"}},"clientToken":"v"})";
  EXPECT_EQ(good("PUT", "/meshes/shop", drop)["metadata"]["version"], 2);
  EXPECT_EQ(good("PUT", "/meshes/shop", drop)["metadata"]["version"], 2);
  EXPECT_EQ(refused("PUT", "/meshes/shop", R"({"spec":{},"clientToken":"v"})"),
            "ConflictException");
}

TEST_F(ApiTest, ListsGoPageByPage) {
  options_.quotas.reset();
  for (const char* name : {"c", "a", "e", "b", "d"}) {
    good("PUT", "/meshes", Json({{"meshName", name}}).dump());
  }
  std::vector<std::string> names;
  std::string next;
  do {
    const Json page = good("GET", "/meshes?limit=2" + next);
    for (const Json& mesh : page["meshes"]) names.push_back(mesh["meshName"]);
    next = page.contains("nextToken") ? "&nextToken=" + page["nextToken"].get<std::string>() : "";
  } while (!next.empty());
  EXPECT_THAT(names, ElementsAre("a", "b", "c", "d", "e"));
  for (const char* query : {"limit=0", "limit=101", "limit=x", "nextToken=zz"}) {
    EXPECT_EQ(refused("GET", std::string("/meshes?") + query), "BadRequestException") << query;
  }
}

TEST_F(ApiTest, AConsumerSeesAllAndChangesOnlyItsOwn) {
  make_shop();
  const std::string of_owner = "?meshOwner=" + std::string(kOwner);
  account_ = kConsumer;
  EXPECT_EQ(refused("GET", "/meshes/shop"), "NotFoundException");
  EXPECT_EQ(refused("GET", "/meshes/shop" + of_owner), "ForbiddenException");
  options_.shares = {{"shop", std::string(kOwner), std::string(kConsumer)}};
  good("GET", "/meshes/shop" + of_owner);
  EXPECT_EQ(good("GET", "/meshes")["meshes"].size(), 1u);
  good("PUT", "/meshes/shop/virtualNodes" + of_owner, R"({"virtualNodeName":"n","spec":{}})");
  EXPECT_EQ(refused("DELETE", "/meshes/shop/virtualGateways/edge" + of_owner),
            "ForbiddenException");
  EXPECT_EQ(
      refused("PUT", "/meshes/shop/virtualGateway/edge/gatewayRoutes" + of_owner, kGatewayRoute),
      "ForbiddenException");
  account_ = kOwner;
  EXPECT_EQ(refused("PUT", "/meshes/shop/virtualNodes/n", R"({"spec":{}})"), "ForbiddenException");
  good("DELETE", "/meshes/shop/virtualNodes/n");
}

TEST_F(ApiTest, OnlyTheResourceOwnerDeletesAGatewayUntilTheMeshIsUnshared) {
  make_shop();
  options_.shares = {{"shop", std::string(kOwner), std::string(kConsumer), true}};
  account_ = kConsumer;
  const std::string body =
      R"({"virtualGatewayName":"mine","spec":)" + Json::parse(kGateway)["spec"].dump() + "}";
  good("PUT", "/meshes/shop/virtualGateways?meshOwner=" + std::string(kOwner), body);
  account_ = kOwner;
  EXPECT_EQ(refused("DELETE", "/meshes/shop/virtualGateways/mine"), "ForbiddenException");
  options_.shares.clear();
  good("DELETE", "/meshes/shop/virtualGateways/mine");
}

TEST_F(ApiTest, TheFourthGatewayOfAMeshIsOverTheQuota) {
  make_shop();
  const auto gateway = [](const char* name) {
    return Json({{"virtualGatewayName", name}, {"spec", Json::parse(kGateway)["spec"]}}).dump();
  };
  good("PUT", "/meshes/shop/virtualGateways", gateway("b"));
  good("PUT", "/meshes/shop/virtualGateways", gateway("c"));
  EXPECT_EQ(refused("PUT", "/meshes/shop/virtualGateways", gateway("d")), "LimitExceededException");
}

TEST_F(ApiTest, TagsAreOfTheResourceAndGoWithIt) {
  good("PUT", "/meshes", R"({"meshName":"shop","tags":[{"key":"a","value":"1"}]})");
  const std::string arn = "?resourceArn=arn:aws:appmesh:us-west-2:111111111111:mesh/shop";
  Json many = Json::array();
  for (int i = 0; i < 49; ++i) many.push_back({{"key", "k" + std::to_string(i)}, {"value", ""}});
  good("PUT", "/tag" + arn, Json({{"tags", many}}).dump());
  EXPECT_EQ(refused("PUT", "/tag" + arn, R"({"tags":[{"key":"z","value":""}]})"),
            "TooManyTagsException");
  good("PUT", "/untag" + arn, R"({"tagKeys":["a","absent"]})");
  EXPECT_EQ(good("GET", "/tags" + arn)["tags"].size(), 49u);
  EXPECT_EQ(good("GET", "/tags" + arn + "&limit=50")["tags"][0]["key"], "k0");
  good("DELETE", "/meshes/shop");
  EXPECT_EQ(refused("GET", "/tags" + arn), "NotFoundException");
}

TEST_F(ApiTest, ARouterTakesNoSecondListenerWhileARouteHasNoPort) {
  options_.era = Era::Last;
  good("PUT", "/meshes", R"({"meshName":"shop"})");
  good("PUT", "/meshes/shop/virtualNodes", R"({"virtualNodeName":"n","spec":{}})");
  good(
      "PUT", "/meshes/shop/virtualRouters",
      R"({"virtualRouterName":"r","spec":{"listeners":[{"portMapping":{"port":80,"protocol":"http"}}]}})");
  good("PUT", "/meshes/shop/virtualRouter/r/routes",
       R"({"routeName":"all","spec":{"httpRoute":{"match":{"prefix":"/"},)"
       R"("action":{"weightedTargets":[{"virtualNode":"n","weight":1}]}}}})");
  const Response refusal =
      call("PUT", "/meshes/shop/virtualRouters/r",
           R"({"spec":{"listeners":[{"portMapping":{"port":80,"protocol":"http"}},)"
           R"({"portMapping":{"port":81,"protocol":"http"}}]}})");
  EXPECT_EQ(refusal.error_type, "BadRequestException");
  EXPECT_THAT(refusal.body, HasSubstr("Route must define a match port"));
  EXPECT_EQ(refused("DELETE", "/meshes/shop/virtualNodes/n"), "ResourceInUseException");
}

TEST_F(ApiTest, BadInputIsRefusedWithItsPlace) {
  good("PUT", "/meshes", R"({"meshName":"shop"})");
  const std::string deep(200, '[');
  for (const std::string& body :
       {std::string("{"), std::string("[]"), deep, std::string(R"({"virtualGatewayName":"g"})"),
        std::string(R"({"virtualGatewayName":"g","spec":{"listeners":[]}})"),
        std::string(R"({"virtualGatewayName":"a b","spec":{}})"),
        std::string(R"({"virtualGatewayName":7,"spec":{}})"),
        std::string(R"({"virtualGatewayName":"g","spec":{},"tag":[]})")}) {
    EXPECT_EQ(refused("PUT", "/meshes/shop/virtualGateways", body), "BadRequestException") << body;
  }
  EXPECT_THAT(
      call(
          "PUT", "/meshes/shop/virtualGateways",
          R"({"virtualGatewayName":"g","spec":{"listeners":[{"portMapping":{"port":0,"protocol":"http"}}]}})")
          .body,
      HasSubstr("/spec/listeners/0/portMapping/port: must be between 1 and 65535, is 0"));
  EXPECT_EQ(refused("GET", "/nothing"), "UnknownOperationException");
  EXPECT_EQ(refused("GET", "/meshes/%zz"), "BadRequestException");
  EXPECT_EQ(refused("GET", "/meshes/%FF"), "BadRequestException");
}

}  // namespace
}  // namespace mesh::api
