#include "reports/markdown.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reports/sample_report.h"

namespace reports {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Markdown, CountsByAreaAndByClause) {
  const std::string text =
      summary_markdown(report_of({passed_run(), failed_run(), bad_file_run(), skipped_run()}));
  EXPECT_THAT(text, HasSubstr("# meshproof: 1 passed, 1 failed, 1 error, 1 skipped\n"));
  EXPECT_THAT(text, HasSubstr("| a live target cannot wait 90 days | 1: "));
  EXPECT_THAT(text, HasSubstr("| rewrites | 1 | 1 | 0 | 0 | 0 |\n"));
  EXPECT_THAT(text, HasSubstr("<summary>1 clauses covered</summary>"));
  EXPECT_THAT(text, HasSubstr("| RW-02 | 1 | 1 | 0 | 0 | 0 |\n"));
}

TEST(Markdown, AFailureHasItsDetailsAndAPassHasNone) {
  const std::string text = summary_markdown(report_of({passed_run(), failed_run()}));
  EXPECT_THAT(text, HasSubstr("FAILED <b>rewrites/host</b>"));
  EXPECT_THAT(text, HasSubstr("    seen      edge\n"));
  EXPECT_THAT(text, Not(HasSubstr("<b>rewrites/prefix</b>")));
}

TEST(Markdown, TextFromFilesIsNotReadAsMarkup) {
  conformance::RunResult run = failed_run();
  run.title = "<img src=x> | `code`";
  run.checks.back().actual = "```\n</details>";
  const std::string text = summary_markdown(report_of({run}));
  EXPECT_THAT(text, HasSubstr("&lt;img src=x&gt; \\| \\`code\\`"));
  EXPECT_THAT(text, HasSubstr("````text\n"));
}

TEST(Markdown, StaysUnderItsLimitAndSaysHowManyAreLeftOut) {
  std::vector<conformance::RunResult> runs;
  for (int i = 0; i < 20'000; ++i) {
    conformance::RunResult run = failed_run();
    run.id = "area" + std::to_string(i) + "/host";
    run.clauses = {"XX-" + std::to_string(i)};
    runs.push_back(std::move(run));
  }
  const std::string text = summary_markdown(report_of(std::move(runs)));
  EXPECT_LT(text.size(), kSummaryBytes);
  EXPECT_GT(text.size(), kSummaryBytes / 2);
  EXPECT_THAT(text, testing::ContainsRegex("and [0-9]+ more; all are in results.json\n"));
}

TEST(Markdown, AnEmptyReportSaysSo) {
  EXPECT_THAT(summary_markdown(report_of({})), HasSubstr("# meshproof: nothing ran\n"));
}

}  // namespace
}  // namespace reports
