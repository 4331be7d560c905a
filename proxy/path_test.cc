#include "proxy/path.h"

#include <gtest/gtest.h>

namespace proxy {
namespace {

struct Case {
  const char* sent;
  const char* normal;
};

TEST(Path, IsNormalisedAsTheRealProxyDoes) {
  const Case cases[] = {
      {"/", "/"},
      {"/chapter/1", "/chapter/1"},
      {"/chapter//1", "/chapter/1"},
      {"/chapter///1", "/chapter/1"},
      {"//", "//"},
      {"///", "//"},
      {"/a/..//", "//"},
      {"/a/./b", "/a/b"},
      {"/a/.", "/a/"},
      {"/a/../b", "/b"},
      {"/a/..", "/"},
      {"/../../a", "/a"},
      {"/a/b/../../../c", "/c"},
      {"/a/.../b", "/a/.../b"},
      {"/a/.hidden", "/a/.hidden"},
      {"/a\\b", "/a/b"},
      {"/a\\..\\b", "/b"},
      {"/%63hapter/1", "/chapter/1"},
      {"/a/%2e%2e/b", "/b"},
      {"/a/%2E/b", "/a/b"},
      {"/a%2eb/.%2E.", "/a.b/..."},
      {"/%2e%2e%2fa", "/..%2fa"},
      {"/a/..;/b", "/b"},
      {"/a/.;x=1/b", "/a/b"},
      {"/a/..;\\b", "/"},
      {"/a/%2e%2e;/b", "/a/..;/b"},
      {"/a/...;/b", "/a/...;/b"},
      {"/a%2Fb", "/a%2Fb"},
      {"/a%2fb", "/a%2fb"},
      {"/a%20b", "/a%20b"},
      {"/a%zzb", "/a%zzb"},
      {"/a%", "/a%"},
      {"/a\"<>^`{|}b", "/a%22%3C%3E%5E%60%7B%7C%7Db"},
  };
  for (const Case& c : cases) {
    std::string target = c.sent;
    EXPECT_TRUE(normalize_path(target)) << c.sent;
    EXPECT_EQ(target, c.normal) << c.sent;
  }
}

TEST(Path, LeavesTheQueryAlone) {
  for (const char* target : {"/a?", "/a?b=//../c", "/a?x=%63", "/?q=\\"}) {
    std::string normal = target;
    EXPECT_TRUE(normalize_path(normal));
    EXPECT_EQ(normal, target);
  }
  std::string both = "/a//b?c//d";
  EXPECT_TRUE(normalize_path(both));
  EXPECT_EQ(both, "/a/b?c//d");
}

TEST(Path, RefusesFragmentsAndEscapedNul) {
  for (const char* target : {"/a#b", "/a?b#c", "/a%00", "/%00/b"}) {
    std::string refused = target;
    EXPECT_FALSE(normalize_path(refused)) << target;
  }
}

TEST(Path, IsNormalAfterBeingNormalised) {
  for (const char* target : {"/a/%2e%2e/b", "/%2e%2e%2f", "/a/.%2e/c//d", "/%2525", "\\\\a"}) {
    std::string once = target;
    ASSERT_TRUE(normalize_path(once)) << target;
    std::string twice = once;
    ASSERT_TRUE(normalize_path(twice)) << target;
    EXPECT_EQ(once, twice) << target;
  }
}

}  // namespace
}  // namespace proxy
