#include "conformance/protos.h"

#include <map>

#include <gtest/gtest.h>

namespace conformance {
namespace {

constexpr const char* kShop = R"(syntax = "proto3";
package shop;
import "parts/book.proto";
message Query { string title = 1; }
service Books { rpc Find(Query) returns (Book); }
)";
constexpr const char* kBook = R"(syntax = "proto3";
package shop;
import "google/protobuf/timestamp.proto";
message Book { string title = 1; int64 pages = 2; google.protobuf.Timestamp published = 3; }
)";

world::Result<std::shared_ptr<const Protos>, world::Errors> load(
    std::map<std::string, std::string> files) {
  return Protos::load({"shop.proto"},
                      [files](const std::string& path) -> world::Result<std::string> {
                        const auto found = files.find(path);
                        if (found != files.end()) return found->second;
                        return world::Error{{}, "there is no such file", {}};
                      });
}

TEST(Protos, JsonBecomesAMessageAndBack) {
  const auto protos = load({{"shop.proto", kShop}, {"parts/book.proto", kBook}});
  ASSERT_TRUE(protos);
  const auto bytes =
      (*protos)->encode("shop.Book", R"({"pages":"3","published":"1970-01-01T00:00:01Z"})");
  ASSERT_TRUE(bytes);
  EXPECT_EQ(*bytes, "\x10\x03\x1a\x02\x08\x01");
  EXPECT_EQ((*protos)->decode("shop.Book", *bytes).value(),
            R"({"pages":"3","published":"1970-01-01T00:00:01Z"})");
}

TEST(Protos, MethodsSayTheirTypes) {
  const auto protos = load({{"shop.proto", kShop}, {"parts/book.proto", kBook}});
  ASSERT_TRUE(protos);
  const auto method = (*protos)->method("/shop.Books/Find");
  ASSERT_TRUE(method);
  EXPECT_EQ(method->request, "shop.Query");
  EXPECT_EQ(method->response, "shop.Book");
  for (const char* none : {"", "/", "shop.Books/Find", "/shop.Books", "/shop.Books/Lose"}) {
    EXPECT_FALSE((*protos)->method(none)) << none;
  }
}

TEST(Protos, WhatIsNoSuchMessageIsSaid) {
  const auto protos = load({{"shop.proto", kShop}, {"parts/book.proto", kBook}});
  ASSERT_TRUE(protos);
  EXPECT_EQ((*protos)->encode("shop.Page", "{}").error().message,
            "there is no message type shop.Page");
  const std::string wrong = (*protos)->encode("shop.Book", R"({"titel":"x"})").error().message;
  EXPECT_NE(wrong.find("must be a shop.Book: "), std::string::npos) << wrong;
  EXPECT_NE(wrong.find("titel"), std::string::npos) << wrong;
  EXPECT_EQ((*protos)->decode("shop.Book", "\x0a").error().message, "is no shop.Book");
}

TEST(Protos, ErrorsHaveTheirPlace) {
  const auto missing = load({{"shop.proto", kShop}});
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().front().message.find("there is no such file"), std::string::npos);
  const auto broken = load({{"shop.proto", "syntax = \"proto3\";\nmessage {}\n"}});
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().front().place.file, "shop.proto");
  EXPECT_EQ(broken.error().front().place.line, 2U);
}

}  // namespace
}  // namespace conformance
