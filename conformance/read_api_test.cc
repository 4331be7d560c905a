#include "conformance/read_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conformance/test_scenario.h"

namespace conformance {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST(ReadApi, NamesGoIntoThePathAndTheRestWhereItBelongs) {
  const auto list =
      to_call("ListGatewayRoutes",
              {{"virtualGatewayName", "edge"}, {"limit", 2}, {"nextToken", "a/b"}}, "shop");
  ASSERT_TRUE(list);
  EXPECT_EQ(list->method, "GET");
  EXPECT_EQ(list->target,
            "/v20190125/meshes/shop/virtualGateway/edge/gatewayRoutes?limit=2&nextToken=a%2Fb");
  EXPECT_THAT(list->body, IsEmpty());

  const auto create =
      to_call("CreateVirtualService", {{"virtualServiceName", "a b"}, {"spec", {{"provider", {}}}}},
              "shop");
  ASSERT_TRUE(create);
  EXPECT_EQ(create->target, "/v20190125/meshes/shop/virtualServices");
  EXPECT_EQ(create->body, R"({"spec":{"provider":null},"virtualServiceName":"a b"})");
}

TEST(ReadApi, WhatIsNoCallIsSaidWithItsPlace) {
  struct Case {
    const char* step;
    const char* error;
  };
  for (const Case& each : {
           Case{"{ call: {} }", "/steps/0/call: must be one operation"},
           Case{"{ call: { DeletMesh: {} } }", "did you mean DeleteMesh?"},
           Case{"{ call: { DeleteVirtualGateway: {} } }", "must have virtualGatewayName"},
           Case{"{ call: { DeleteMesh: { spec: {} } } }", "has no spec in its input"},
           Case{"{ call: { DeleteMesh: {} }, as: me }", "/steps/0/as"},
           Case{"{ call: { DeleteMesh: {} }, as: 12345678901x }",
                "must be an account of 12 digits"},
           Case{"{ call: { DeleteMesh: {} }, expect: { answer: { mesh: x } } }",
                "must be a JSON pointer"},
           Case{"{ call: { DeleteMesh: {} }, expect: { status: 200, eror: x } }", "did you mean"},
       }) {
    EXPECT_THAT(errors_in(with_edge("steps: [ " + std::string(each.step) + " ]\n")),
                HasSubstr(each.error))
        << each.step;
  }
}

TEST(ReadApi, ResourcesAreKeptAsTheyAreWritten) {
  const Scenario calls = must_read(with_edge("steps: [ { call: { DeleteMesh: {} } } ]\n"));
  ASSERT_THAT(calls.resources, SizeIs(2));
  EXPECT_EQ(calls.resources[1].name, "chapters");
  EXPECT_EQ(calls.resources[1].parent, "edge");
  EXPECT_EQ(calls.resources[1].spec["httpRoute"]["match"]["prefix"], "/chapter");
  EXPECT_THAT(must_read(with_edge("steps: [ { wait: 1s } ]\n")).resources, IsEmpty());
}

}  // namespace
}  // namespace conformance
