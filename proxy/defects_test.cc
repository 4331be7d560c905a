#include "proxy/defects.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace proxy {
namespace {

using ::testing::MatchesRegex;

TEST(Defects, EachHasANameOfItsOwnAndAClause) {
  std::set<std::string_view> names;
  for (const Defect& one : defects()) {
    EXPECT_TRUE(names.insert(one.name).second) << one.name;
    EXPECT_THAT(std::string(one.name), MatchesRegex("[a-z]+/[a-z0-9-]+"));
    EXPECT_THAT(std::string(one.clause), MatchesRegex("[A-Z]+-[0-9]+"));
    EXPECT_EQ(find_defect(one.name), &one);
  }
  EXPECT_EQ(find_defect("route/none-such"), nullptr);
}

TEST(Defects, ADefectChangesACopyOfThePlan) {
  GatewayPlan plan;
  Route& route = plan.ingress.emplace_back().routes.hosts.emplace_back().routes.emplace_back();
  route.host_rewrite = "books.shop.local";
  const auto changed = with_defect(plan, *find_defect("rewrite/no-host"));
  EXPECT_EQ(plan.ingress[0].routes.hosts[0].routes[0].host_rewrite, "books.shop.local");
  EXPECT_EQ(changed->ingress[0].routes.hosts[0].routes[0].host_rewrite, std::nullopt);
}

TEST(Defects, APlanWithoutWhatADefectIsOfStaysAsItIs) {
  for (const Defect& one : defects()) {
    if (one.name == "route/no-routes-no-listener") continue;
    const auto changed = with_defect(GatewayPlan(), one);
    EXPECT_TRUE(changed->ingress.empty()) << one.name;
    EXPECT_FALSE(changed->egress.has_value()) << one.name;
  }
}

TEST(Defects, AnUnlimitedPoolStaysUnlimited) {
  GatewayPlan plan;
  plan.ingress.emplace_back().clusters.emplace_back();
  const auto changed = with_defect(plan, *find_defect("pool/one-more-connection"));
  EXPECT_EQ(changed->ingress[0].clusters[0].limits.max_connections, Limits::kUnlimited);
}

}  // namespace
}  // namespace proxy
