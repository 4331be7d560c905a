#include "conformance/explain_health.h"

#include <gtest/gtest.h>

#include "conformance/test_scenario.h"
#include "document/parse.h"
#include "mesh/read.h"

namespace conformance {
namespace {

using namespace std::chrono_literals;

/// A gateway and a node that are checked alike: http, 2 and 3 in a row, each 10 s, 2 s to answer.
mesh::Mesh checked_mesh() {
  constexpr const char* kCheck =
      "healthCheck: { protocol: http, path: /ping, healthyThreshold: 2, unhealthyThreshold: 3, "
      "intervalMillis: 10000, timeoutMillis: 2000 }";
  const std::string listener =
      std::string("spec: { listeners: [ { portMapping: { port: 8080, protocol: http }, ") + kCheck +
      " } ]";
  const std::string text = "- virtualGateway: edge\n  " + listener +
                           " }\n"
                           "- gatewayRoute: all\n"
                           "  virtualGateway: edge\n"
                           "  spec: { httpRoute: { match: { prefix: / }, action: { target: { "
                           "virtualService: { virtualServiceName: books.local } } } } }\n"
                           "- virtualService: books.local\n"
                           "  spec: { provider: { virtualNode: { virtualNodeName: books } } }\n"
                           "- virtualNode: books\n  " +
                           listener + ", serviceDiscovery: { dns: { hostname: b.local } } }\n";
  auto parsed = document::parse(text, "mesh.yaml");
  EXPECT_TRUE(parsed);
  auto mesh = mesh::load(std::span(&*parsed, 1), {});
  EXPECT_TRUE(mesh) << (mesh ? "" : mesh.error().front().text());
  return *mesh;
}

/// "0s 200 unhealthy: 1 of 2 in a row".
std::vector<std::string> course_of(const HealthStory& story) {
  std::vector<std::string> lines;
  for (const ProbeStory& probe : story.course) {
    lines.push_back(std::to_string(probe.at / 1s) + "s " + probe.answer + " " +
                    (probe.healthy ? "healthy" : "unhealthy") +
                    (probe.why.empty() ? "" : ": " + probe.why));
  }
  return lines;
}

TEST(ExplainHealth, AGatewaysOwnCheckIsReadByTheLetter) {
  const auto stories = explain_health(checked_mesh(), "");
  ASSERT_TRUE(stories);
  ASSERT_EQ(stories->size(), 2U);
  EXPECT_EQ(stories->front().what, "virtualGateway edge, listener 8080");
  EXPECT_EQ(
      course_of(stories->front()),
      (std::vector<std::string>{
          "0s 200 unhealthy: 1 of 2 in a row", "10s 200 healthy: turns healthy", "20s 200 healthy",
          "30s no answer healthy: 1 of 3 in a row", "40s no answer healthy: 2 of 3 in a row",
          "50s no answer unhealthy: turns unhealthy", "60s 200 unhealthy: 1 of 2 in a row",
          "70s 200 healthy: turns healthy", "80s 503 healthy: 1 of 3 in a row",
          "90s 200 healthy"}));
}

TEST(ExplainHealth, ANodesCheckFollowsTheRealProxy) {
  const auto stories = explain_health(checked_mesh(), "edge");
  ASSERT_TRUE(stories);
  ASSERT_EQ(stories->size(), 2U);
  EXPECT_EQ(stories->back().what, "virtualNode books, listener 8080");
  // A probe without answer ends 2 s later, and the interval runs from there.
  EXPECT_EQ(course_of(stories->back()),
            (std::vector<std::string>{
                "0s 200 healthy: turns healthy: the first of all", "10s 200 healthy",
                "20s no answer healthy: 1 of 3 in a row", "32s no answer healthy: 2 of 3 in a row",
                "44s no answer unhealthy: turns unhealthy", "56s 200 unhealthy: 1 of 2 in a row",
                "66s 200 healthy: turns healthy", "76s 503 unhealthy: turns unhealthy: at once",
                "86s 200 unhealthy: 1 of 2 in a row", "96s 200 healthy: turns healthy"}));
}

TEST(ExplainHealth, AGatewayThatIsNotThereIsAnError) {
  const auto stories = explain_health(checked_mesh(), "west");
  ASSERT_FALSE(stories);
  EXPECT_NE(stories.error().message.find("no virtual gateway west"), std::string::npos);
}

}  // namespace
}  // namespace conformance
