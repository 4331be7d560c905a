#include "reports/terminal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reports/failure_text.h"
#include "reports/sample_report.h"

namespace reports {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Terminal, OneLineARun) {
  EXPECT_EQ(terminal_line(passed_run(), {.id_width = 17}),
            "ok      rewrites/prefix        0.004s  3f9a2c1d  The matched prefix becomes /\n");
  EXPECT_EQ(terminal_line(bad_file_run(), {}), "ERROR   broken           -\n");
}

TEST(Terminal, ASkipSaysWhy) {
  EXPECT_THAT(terminal_line(skipped_run(), {}),
              HasSubstr("An expired certificate is refused (a live target cannot wait 90 days)\n"));
}

TEST(Terminal, AFailureShowsExpectedSeenTimelinePlaceAndReplay) {
  EXPECT_EQ(terminal_failure(failed_run(), {}),
            "FAILED rewrites/host: The host becomes the service's name\n"
            "  steps/0 service.host at 0.004250s\n"
            "    expected  books.shop.local\n"
            "    seen      edge\n"
            "    place     scenarios/rewrites/prefix.scenario.yaml:20:17\n"
            "  the last events before it\n"
            "    0.000000s   client   RequestSent GET /chapter/1\n"
            "    0.004250s   books-1  RequestSeen GET /1\n"
            "  more of it: meshproof timeline scenarios/rewrites/prefix.scenario.yaml --seed 0\n"
            "  replay: meshproof run scenarios/rewrites/prefix.scenario.yaml --seed 0\n");
}

TEST(Terminal, EachErrorOfABadFileStandsOnItsOwnLine) {
  EXPECT_EQ(terminal_failure(bad_file_run(), {}),
            "ERROR broken\n"
            "broken.scenario.yaml:7:1: /stepz: unknown key\n"
            "broken.scenario.yaml:3:50: /mesh/0/spec/listeners/0/portMapping/port: must be between "
            "1 and 65535, is 0\n"
            "  replay: meshproof run broken.scenario.yaml --seed 0\n");
}

TEST(Terminal, ManyBrokenExpectationsAreCounted) {
  conformance::RunResult run = failed_run();
  const conformance::Check broken = run.checks.back();
  for (int i = 0; i < 100; ++i) run.checks.push_back(broken);
  EXPECT_THAT(failure_text(run), HasSubstr("  and 81 more broken expectations\n"));
}

TEST(Terminal, WithoutColourThereIsNoEscapeEvenFromTheFile) {
  conformance::RunResult run = failed_run();
  run.title = "evil \x1b[2J title";
  run.checks.back().actual = "\x1b]0;owned\x07";
  EXPECT_THAT(terminal_report(report_of({run}), {}), Not(HasSubstr("\x1b")));
}

TEST(Terminal, ColourMarksTheVerdict) {
  EXPECT_THAT(terminal_line(failed_run(), {.colour = true}), HasSubstr("\x1b[1;31mFAILED\x1b[0m"));
}

TEST(Terminal, TheReportEndsWithTheCounts) {
  const std::string text =
      terminal_report(report_of({passed_run(), failed_run(), bad_file_run(), skipped_run()}), {});
  EXPECT_TRUE(
      text.ends_with("\n1 passed, 1 failed, 1 error, 1 skipped in 0.008s of simulated time\n"))
      << text;
  EXPECT_EQ(terminal_report(report_of({}), {}), "nothing ran in 0.000s of simulated time\n");
}

}  // namespace
}  // namespace reports
