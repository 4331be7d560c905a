#include "conformance/matcher.h"

#include <gtest/gtest.h>

#include "conformance/read_parts.h"
#include "document/parse.h"

namespace conformance {
namespace {

/// The expectation that a YAML value stands for; `error` gets what is wrong with it.
TextExpectation text(const std::string& yaml, std::string* error = nullptr) {
  static_cast<void>(error);
  const auto document = document::parse(yaml, "t.yaml");
  document::Problems problems;
  TextExpectation out = read_presence(document::Reader(*document, problems));
  const world::Errors errors = problems.take();
  if (error != nullptr) *error = errors.empty() ? "none" : errors.front().message;
  return out;
}

TEST(TextExpectation, TestsHoldOrNot) {
  struct Case {
    const char* yaml;
    const char* fits;
    const char* does_not;
  };
  for (const Case& each : {
           Case{"abc", "abc", "abcd"},
           Case{"{ equals: present }", "present", "x"},
           Case{"{ contains: b }", "abc", "ac"},
           Case{"{ startsWith: ab, endsWith: yz }", "abyz", "ab"},
           Case{"{ matches: 'a+' }", "aa", "aab"},
           Case{"{ not: abc }", "ab", "abc"},
           Case{"{ not: { contains: b } }", "ac", "abc"},
           Case{"{ contains: a, not: { contains: b } }", "ac", "ab"},
           Case{"{ like: 'a.b <number>' }", "a.b -12", "aXb 12"},
           Case{"{ like: '<any> <time> <address>' }", "x 2026-01-01T00:00:00.004Z 10.0.0.1:80",
                "x 2026-01-01 10.0.0.1:80"},
       }) {
    EXPECT_TRUE(text(each.yaml).holds(each.fits)) << each.yaml;
    EXPECT_FALSE(text(each.yaml).holds(each.does_not)) << each.yaml;
    EXPECT_FALSE(text(each.yaml).holds(std::nullopt)) << each.yaml;
  }
}

TEST(TextExpectation, PresentAndAbsentAreWords) {
  EXPECT_TRUE(text("present").holds(""));
  EXPECT_FALSE(text("present").holds(std::nullopt));
  EXPECT_TRUE(text("absent").holds(std::nullopt));
  EXPECT_FALSE(text("absent").holds("x"));
}

TEST(TextExpectation, RegexesWorkOnBytes) {
  EXPECT_TRUE(text("{ matches: 'a.c' }")
                  .holds("a\xff"
                         "c"));
  EXPECT_TRUE(text("{ matches: 'a.c' }").holds("a\nc"));
}

TEST(TextExpectation, WhatIsWrongIsSaid) {
  std::string error;
  text("{ matches: 'a(' }", &error);
  EXPECT_EQ(error, "must be a regular expression (RE2): missing ): a(");
  text("{ not: { contains: a, equals: b } }", &error);
  EXPECT_EQ(error, "must have exactly one member here");
  text("{}", &error);
  EXPECT_EQ(error, "must not be empty");
  text("true", &error);
  EXPECT_EQ(error, "must be a string, is true; write it in quotes");
}

TEST(NumberExpectation, ExactRangeAndNot) {
  const NumberExpectation range{.min = 2, .max = 4, .inverted = false, .written = {}, .place = {}};
  EXPECT_FALSE(range.holds(1));
  EXPECT_TRUE(range.holds(2));
  EXPECT_TRUE(range.holds(4));
  EXPECT_FALSE(range.holds(5));
  const NumberExpectation other{.min = 3, .max = 3, .inverted = true, .written = {}, .place = {}};
  EXPECT_FALSE(other.holds(3));
  EXPECT_TRUE(other.holds(4));
}

}  // namespace
}  // namespace conformance
