#include "reports/baseline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reports/sample_report.h"

namespace reports {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Kind = Change::Kind;

Baseline of(std::map<std::string, Remembered> runs) {
  return {"sim", std::move(runs)};
}

const Remembered kGood{"passed", "d1", "h1", {"GET http://edge/x -> 200; books: GET /x"}};

Remembered but(void (*change)(Remembered&)) {
  Remembered out = kGood;
  change(out);
  return out;
}

std::vector<Kind> kinds(const Baseline& before, const Baseline& after) {
  std::vector<Kind> out;
  for (const Change& one : changes(before, after)) out.push_back(one.kind);
  return out;
}

TEST(Baseline, WhatIsAsItWasIsNoChange) {
  EXPECT_THAT(changes(of({{"a", kGood}}), of({{"a", kGood}})), IsEmpty());
}

TEST(Baseline, WhatPassedAndDoesNoLongerIsARegression) {
  const auto all = changes(of({{"a", kGood}, {"b", kGood}, {"c", kGood}}),
                           of({{"a", but([](Remembered& one) { one.outcome = "failed"; })},
                               {"b", but([](Remembered& one) { one.outcome = "skipped"; })}}));
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].kind, Kind::Broken);
  EXPECT_EQ(all[1].kind, Kind::Lost);
  EXPECT_EQ(all[2].kind, Kind::Lost);
  for (const Change& one : all) EXPECT_TRUE(one.is_regression()) << one.id;
}

TEST(Baseline, WhatGotBetterOrCameIsNone) {
  const auto all = changes(of({{"a", but([](Remembered& one) { one.outcome = "failed"; })}}),
                           of({{"a", kGood}, {"b", kGood}}));
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].kind, Kind::Mended);
  EXPECT_EQ(all[1].kind, Kind::New);
  for (const Change& one : all) EXPECT_FALSE(one.is_regression()) << one.id;
}

TEST(Baseline, WhatNoExpectationNoticesIsShownLineByLine) {
  const Remembered other =
      but([](Remembered& one) { one.seen = {"GET http://edge/x -> 200; books: GET /y"}; });
  const auto all = changes(of({{"a", kGood}}), of({{"a", other}}));
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].kind, Kind::Seen);
  EXPECT_THAT(all[0].text, HasSubstr("    - GET http://edge/x -> 200; books: GET /x\n"
                                     "    + GET http://edge/x -> 200; books: GET /y\n"));
}

TEST(Baseline, OnlyTheTraceDiffers) {
  const Remembered other = but([](Remembered& one) { one.trace_hash = "h2"; });
  EXPECT_THAT(kinds(of({{"a", kGood}}), of({{"a", other}})), ElementsAre(Kind::Trace));
}

TEST(Baseline, ItIsReadAsItWasWritten) {
  const Baseline written = baseline_of(report_of({passed_run(), failed_run()}));
  ASSERT_EQ(written.runs.size(), 2U);
  const auto read = read_baseline(baseline_json(written), "baseline.json");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->target, written.target);
  EXPECT_THAT(changes(*read, written), IsEmpty());
}

TEST(Baseline, WhatIsNoneIsToldWithItsPlace) {
  const auto read = read_baseline(R"({"format": 2, "target": "sim", "runs": {"a": {}}})", "b.json");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().size(), 4U);  // the format, and three members of the run
  EXPECT_EQ(read.error().front().place.file, "b.json");
}

TEST(Baseline, TheSummaryCounts) {
  const auto all = changes(of({{"a", kGood}}), of({}));
  EXPECT_EQ(changes_text(all, 0),
            "LOST     a: it passed, and nothing of that id was run\n0 runs, 1 changed, 1 "
            "regression\n");
}

}  // namespace
}  // namespace reports
