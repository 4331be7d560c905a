#include "control/sqlite_store.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace control {
namespace {

using mesh::api::Record;
using testing::HasSubstr;

Record node(const std::string& name) {
  Record record;
  record.kind = mesh::Kind::VirtualNode;
  record.mesh_owner = record.resource_owner = "111111111111";
  record.mesh = "shop";
  record.name = name;
  record.arn = "arn:" + name;
  record.spec = {{"listeners", mesh::api::Json::array()}};
  record.tags = {{"k", "v"}};
  record.tokens = {{"t", "asked"}};
  return record;
}

class SqliteStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(testing::TempDir()) /
              testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directory(folder_);
    path_ = folder_ / "mesh.db";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path folder_;
  std::filesystem::path path_;
};

TEST_F(SqliteStoreTest, WhatWasPutIsThereTheNextTime) {
  {
    auto store = SqliteStore::open(path_);
    ASSERT_TRUE(store) << store.error().text();
    (*store)->put(node("a"));
    (*store)->put(node("b"));
    (*store)->erase(node("a").key());
  }
  auto store = SqliteStore::open(path_);
  ASSERT_TRUE(store) << store.error().text();
  EXPECT_EQ((*store)->find(node("a").key()), nullptr);
  const Record* found = (*store)->find(node("b").key());
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(to_text(*found), to_text(node("b")));
  EXPECT_EQ((*store)->changes(), 3u);
}

TEST_F(SqliteStoreTest, AFileIsOneProcessesAtATime) {
  auto first = SqliteStore::open(path_);
  ASSERT_TRUE(first) << first.error().text();
  const auto second = SqliteStore::open(path_);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().text(), HasSubstr("is in use by another process"));
}

TEST_F(SqliteStoreTest, WhatIsNoStoreIsRefused) {
  std::ofstream(path_) << "no database at all, but a text of some length";
  const auto text = SqliteStore::open(path_);
  ASSERT_FALSE(text);
  EXPECT_THAT(text.error().text(), HasSubstr("file is not a database"));
  const auto nowhere = SqliteStore::open(folder_ / "absent" / "mesh.db");
  ASSERT_FALSE(nowhere);
  EXPECT_THAT(nowhere.error().text(), HasSubstr("unable to open database file"));
}

}  // namespace
}  // namespace control
