#include "tools/scenario_files.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tools {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

TEST(Selects, AnIdItsFolderOrItsVariants) {
  struct Case {
    const char* filter;
    const char* id;
    bool selected;
  };
  for (const Case& each : std::initializer_list<Case>{
           {"", "rewrites/host", true},
           {"rewrites", "rewrites/host", true},
           {"rewrites/", "rewrites/host", true},
           {"rewrites/host", "rewrites/host", true},
           {"rewrites/host", "rewrites/host[on=true]", true},
           {"rewrites/host[on=true]", "rewrites/host[on=true]", true},
           {"rewrites/host[on=true]", "rewrites/host[on=false]", false},
           {"rewrites/host", "rewrites/hostname", false},
           {"rewrites/host", "rewrites", false},
           {"host", "rewrites/host", false},
       }) {
    EXPECT_EQ(selects(each.filter, each.id), each.selected) << each.filter << " on " << each.id;
  }
}

TEST(FindFiles, LooksThroughFoldersInOrderAndTakesFilesAsTheyAre) {
  const fs::path root = fs::path(testing::TempDir()) / "find_files_test";
  fs::remove_all(root);
  fs::create_directories(root / "b" / "folder.scenario.yaml");
  for (const char* name :
       {"c.scenario.yaml", "b/2.scenario.yaml", "b/1.scenario.yaml", "b/x.yaml"}) {
    std::ofstream(root / name) << "\n";
  }
  fs::create_directory_symlink(root, root / "b" / "circle");

  const FileGroup folder = find_files(root.string());
  EXPECT_TRUE(folder.is_folder);
  EXPECT_THAT(folder.files, ElementsAre((root / "b/1.scenario.yaml").string(),
                                        (root / "b/2.scenario.yaml").string(),
                                        (root / "c.scenario.yaml").string()));
  EXPECT_THAT(find_files("nowhere/x.yaml").files, ElementsAre("nowhere/x.yaml"));
}

}  // namespace
}  // namespace tools
