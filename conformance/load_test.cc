#include "conformance/load.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "conformance/test_scenario.h"

namespace conformance {
namespace {

namespace fs = std::filesystem;

/// A folder of its own for each test.
class LoadTest : public testing::Test {
 protected:
  LoadTest() {
    std::string name = (fs::temp_directory_path() / "load-test-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~LoadTest() override { fs::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& text) {
    const fs::path path = folder_ / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    return path.string();
  }

  fs::path folder_;
};

TEST(IdOf, IsThePathBelowTheFolderScenarios) {
  EXPECT_EQ(id_of("scenarios/routing/prefix.scenario.yaml"), "routing/prefix");
  EXPECT_EQ(id_of("/x/scenarios/a/b/c.scenario.yaml"), "a/b/c");
  EXPECT_EQ(id_of("./scenarios/../scenarios/a.scenario.yaml"), "a");
  EXPECT_EQ(id_of("/tmp/a.scenario.yaml"), "a");
  EXPECT_EQ(id_of("a.json"), "a");
}

TEST_F(LoadTest, AFileBecomesItsVariants) {
  const std::string path =
      write("scenarios/x/many.scenario.yaml",
            with_edge("vary: { n: [1, 2] }\nsteps: [ { request: GET http://edge/chapter/$n } ]\n"));
  const LoadedFile file = load_scenario(path);
  EXPECT_TRUE(file.errors.empty());
  EXPECT_EQ(file.id, "x/many");
  EXPECT_EQ(file.digest.size(), 32U);
  ASSERT_EQ(file.variants.size(), 2U);
  EXPECT_EQ(file.variants[1].id, "x/many[n=2]");
  EXPECT_EQ(file.variants[1].variant.at("n"), "2");
  EXPECT_EQ(file.variants[1].steps[0].request->request.target, "/chapter/2");
}

TEST_F(LoadTest, WhatIsWrongInEveryVariantIsToldOnce) {
  const LoadedFile file = load_scenario(
      write("a.scenario.yaml", with_edge("vary: { n: [1, 2] }\nstepz: 1\n"
                                         "steps: [ { request: GET http://edge/$n } ]\n")));
  ASSERT_EQ(file.errors.size(), 1U);
  EXPECT_EQ(file.errors[0].path, "/stepz");
  EXPECT_TRUE(file.variants.empty());
}

TEST_F(LoadTest, AScenarioMayNameItself) {
  const LoadedFile file = load_scenario(
      write("a.scenario.yaml", with_edge("id: area/name\nsteps: [ { wait: 1s } ]\n")));
  EXPECT_EQ(file.id, "area/name");
}

TEST_F(LoadTest, WhatCannotBeReadSaysWhy) {
  EXPECT_EQ(load_scenario((folder_ / "none.yaml").string()).errors.at(0).message,
            "there is no such file");
  EXPECT_EQ(load_scenario(folder_.string()).errors.at(0).message, "is a folder, not a file");
  EXPECT_EQ(load_scenario("/dev/zero").errors.at(0).message, "is no regular file");
  const std::string large = write("large.scenario.yaml", std::string((1 << 20) + 1, '#'));
  EXPECT_EQ(load_scenario(large).errors.at(0).message,
            "must be at most 1048576 bytes, has 1048577");
}

TEST_F(LoadTest, MeshFilesStandBesideTheScenario) {
  write("meshes/edge.json", R"({ "spec": { "listeners":
      [ { "portMapping": { "port": 9080, "protocol": "http" } } ] } })");
  const LoadedFile file = load_scenario(write("x/a.scenario.yaml", R"(scenario: A test
mesh:
  - file: ../meshes/edge.json
    virtualGatewayName: edge
  - gatewayRoute: all
    virtualGateway: edge
    spec:
      httpRoute:
        match: { prefix: / }
        action: { target: { virtualService: { virtualServiceName: books.shop.local } } }
steps: [ { request: GET http://edge/ } ]
)"));
  for (const world::Error& error : file.errors) ADD_FAILURE() << error.text();
  ASSERT_EQ(file.variants.size(), 1U);
  EXPECT_NE(file.variants[0].mesh.gateway("edge"), nullptr);
  EXPECT_NE(file.variants[0].mesh.gateway_route("edge", "all"), nullptr);
}

TEST_F(LoadTest, AMeshIsReadFromAScenarioOrFromItsOwnFiles) {
  const std::string scenario = write("a.scenario.yaml", with_edge("steps: [ { wait: 1s } ]\n"));
  const auto of_scenario = load_mesh({scenario});
  ASSERT_TRUE(of_scenario);
  EXPECT_NE(of_scenario->gateway("edge"), nullptr);
  const auto none = load_mesh({(folder_ / "none.json").string()});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().at(0).message, "there is no such file");
}

}  // namespace
}  // namespace conformance
