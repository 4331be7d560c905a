#include "reports/junit.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pugixml.hpp>

#include "reports/sample_report.h"

namespace reports {
namespace {

using testing::HasSubstr;

pugi::xml_document parsed(const std::string& text) {
  pugi::xml_document document;
  EXPECT_TRUE(document.load_string(text.c_str()));
  return document;
}

std::string property(pugi::xml_node testcase, const char* name) {
  return testcase.child("properties")
      .find_child_by_attribute("name", name)
      .attribute("value")
      .value();
}

TEST(Junit, ARunIsACaseWithNameAndDottedClassname) {
  conformance::RunResult run = passed_run();
  run.id = "reported/v1.2/host[path=/a.b]";
  const auto document = parsed(junit_xml(report_of({run})));
  const auto testcase = document.select_node("//testcase").node();
  EXPECT_STREQ(testcase.attribute("classname").value(), "reported.v1_2");
  EXPECT_STREQ(testcase.attribute("name").value(), "host[path=/a.b]");
  EXPECT_STREQ(testcase.attribute("time").value(), "0.004000000");
  EXPECT_EQ(property(testcase, "clauses"), "RW-02");
  EXPECT_EQ(property(testcase, "seed"), "0");
  EXPECT_EQ(property(testcase, "trace_hash"), "3f9a2c1d00000000000000000000beef");
  EXPECT_THAT(property(testcase, "replay"), HasSubstr("meshproof run "));
}

TEST(Junit, FailureErrorAndSkipAreToldApart) {
  const auto document =
      parsed(junit_xml(report_of({passed_run(), failed_run(), bad_file_run(), skipped_run()})));
  const auto failure = document.select_node("//failure").node();
  EXPECT_STREQ(failure.attribute("message").value(),
               "steps/0 service.host: expected books.shop.local, seen edge");
  EXPECT_THAT(failure.text().get(), HasSubstr("replay: meshproof run"));
  const auto error = document.select_node("//error").node();
  EXPECT_STREQ(error.attribute("type").value(), "bad-scenario");
  EXPECT_THAT(error.text().get(), HasSubstr("broken.scenario.yaml:7:1: /stepz: unknown key"));
  EXPECT_STREQ(document.select_node("//skipped").node().attribute("message").value(),
               "a live target cannot wait 90 days");
  const auto suites = document.child("testsuites");
  EXPECT_EQ(suites.attribute("tests").as_int(), 4);
  EXPECT_EQ(suites.attribute("failures").as_int(), 1);
  EXPECT_EQ(suites.attribute("errors").as_int(), 1);
  EXPECT_EQ(suites.attribute("skipped").as_int(), 1);
}

TEST(Junit, ARepeatedRunKeepsANameOfItsOwn) {
  const auto document = parsed(junit_xml(report_of({passed_run(), passed_run()})));
  const auto first = document.select_node("//testcase[1]").node();
  EXPECT_STREQ(first.attribute("name").value(), "prefix");
  EXPECT_STREQ(first.next_sibling("testcase").attribute("name").value(), "prefix #2");
}

TEST(Junit, HoldsOnlyCharactersThatXmlAllows) {
  conformance::RunResult run = failed_run();
  std::string every_byte;
  for (int byte = 0; byte < 256; ++byte) every_byte += static_cast<char>(byte);
  run.title = every_byte;
  run.checks.back().actual = every_byte;
  const std::string text = junit_xml(report_of({run}));
  for (const char c : text)
    EXPECT_TRUE(c == '\n' || c == '\t' || static_cast<unsigned char>(c) >= 0x20);
  EXPECT_THAT(text, testing::Not(testing::ContainsRegex("&#[0-9]")));
  EXPECT_THAT(text, HasSubstr("\\x00\\x01"));
}

}  // namespace
}  // namespace reports
