#include "reports/results_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reports/sample_report.h"

namespace reports {
namespace {

using Json = nlohmann::ordered_json;

TEST(ResultsJson, HoldsEveryRunWithItsVerdictAndEvidence) {
  const Json json = Json::parse(results_json(report_of({passed_run(), failed_run()})));
  EXPECT_EQ(json["seed"], 7);
  EXPECT_EQ(json["summary"], Json::parse(R"({"total": 2, "passed": 1, "failed": 1, "errors": 0,
                                             "skipped": 0,
                                             "known": 0})"));
  const Json& run = json["runs"][1];
  EXPECT_EQ(run["outcome"], "failed");
  EXPECT_EQ(run["checks"][1]["place"]["column"], 17);
  EXPECT_EQ(run["requests"][0]["seen"][0]["path"], "/1");
  EXPECT_EQ(run["requests"][0]["answered_at_ns"], 4'000'000);
  EXPECT_THAT(run["explanation"].get<std::string>(), testing::HasSubstr("seen      edge"));
}

TEST(ResultsJson, KeepsTheOrderAndNumberOfRuns) {
  const Json json =
      Json::parse(results_json(report_of({failed_run(), passed_run(), failed_run()})));
  ASSERT_EQ(json["runs"].size(), 3U);
  EXPECT_EQ(json["runs"][0], json["runs"][2]);
}

TEST(ResultsJson, EndsWithALineEndAndRepeatsByteByByte) {
  const std::string text = results_json(report_of({bad_file_run(), skipped_run()}));
  EXPECT_TRUE(text.ends_with("}\n"));
  EXPECT_EQ(text, results_json(report_of({bad_file_run(), skipped_run()})));
}

TEST(ResultsJson, AnUnansweredRequestHasNulls) {
  conformance::RunResult run = passed_run();
  run.requests[0].answered_at.reset();
  run.requests[0].status.reset();
  const Json json = Json::parse(results_json(report_of({run})));
  EXPECT_TRUE(json["runs"][0]["requests"][0]["status"].is_null());
  EXPECT_TRUE(json["runs"][0]["requests"][0]["answered_at_ns"].is_null());
}

TEST(ResultsJson, BytesThatAreNotUtf8DoNotBreakIt) {
  conformance::RunResult run = passed_run();
  run.requests[0].response_body = "\xff\x01";
  const Json json = Json::parse(results_json(report_of({run})));
  EXPECT_EQ(json["runs"][0]["requests"][0]["response_body"], "\xef\xbf\xbd\x01");
}

TEST(ResultsJson, TheSchemaNamesEveryKeyThatIsWritten) {
  const Json schema = Json::parse(results_schema());
  const Json json = Json::parse(results_json(report_of({failed_run()})));
  const auto same_keys = [](const Json& value, const Json& described) {
    EXPECT_EQ(value.size(), described["required"].size());
    for (const auto& item : value.items())
      EXPECT_TRUE(described["properties"].contains(item.key()));
  };
  const Json& definitions = schema["definitions"];
  const Json& run = json["runs"][0];
  same_keys(json, schema);
  same_keys(run, definitions["run"]);
  same_keys(run["checks"][0], definitions["check"]);
  same_keys(run["requests"][0], definitions["request"]);
  same_keys(run["requests"][0]["seen"][0], definitions["seen"]);
}

}  // namespace
}  // namespace reports
