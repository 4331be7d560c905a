#include "tools/side_by_side.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace tools {
namespace {

using nlohmann::json;

TEST(SideBySide, EqualValuesHaveNothingToShow) {
  EXPECT_EQ(side_by_side({{"a", 1}}, {{"a", 1}}, "left", "right"), "");
}

TEST(SideBySide, LinesThatAreMissingDoNotMoveTheOthers) {
  const json left{{"raw", "GET / HTTP/1.1\r\nhost: a\r\n\r\n"}};
  const json right{{"raw", "GET / HTTP/1.1\r\nvia: x\r\nhost: a\r\n\r\n"}};
  const std::string gap(46, ' ');
  const std::string text = side_by_side(left, right, "left", "right");
  EXPECT_NE(text.find("/raw\n"), std::string::npos);
  EXPECT_NE(text.find("> via: x\\r\\n\n"), std::string::npos) << text;
  EXPECT_NE(text.find("host: a\\r\\n" + gap), std::string::npos) << text;
}

TEST(SideBySide, WhatIsNotThereIsSaid) {
  const std::string text = side_by_side({{"a", {1, 2}}}, {{"a", {1}}}, "left", "right");
  EXPECT_NE(text.find("/a/1\n  2"), std::string::npos) << text;
  EXPECT_NE(text.find("(nothing)"), std::string::npos) << text;
}

}  // namespace
}  // namespace tools
