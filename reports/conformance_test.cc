#include "reports/conformance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reports {
namespace {

using conformance::Clause;
using conformance::Outcome;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

const std::vector<Clause> kClauses = {
    {"RT-01", "routing", "Routes are taken.", Clause::Weight::Must, {"sim", "live"}},
    {"RT-10", "routing", "Hosts are matched.", Clause::Weight::Observed, {"sim", "live"}},
    {"CP-03", "pool", "Queues | are kept.", Clause::Weight::Must, {"sim"}},
};

conformance::RunResult run(std::string id, Outcome outcome, std::vector<std::string> clauses,
                           std::string reason = "") {
  conformance::RunResult out;
  out.id = std::move(id);
  out.outcome = outcome;
  out.clauses = std::move(clauses);
  out.reason = std::move(reason);
  return out;
}

Conformance of(std::vector<conformance::RunResult> runs, std::string target = "sim") {
  conformance::Report report;
  report.target = std::move(target);
  report.runs = std::move(runs);
  return conformance_of(kClauses, report);
}

TEST(Conformance, AClauseIsKeptIfARunPassesAndNoneFails) {
  const Conformance all = of({run("a", Outcome::Passed, {"RT-01"}),
                              run("b", Outcome::Skipped, {"RT-01"}, "takes too long")});
  EXPECT_EQ(all.clauses[0].state, ClauseState::Kept);
  EXPECT_EQ(all.clauses[0].passed, 1U);
  EXPECT_EQ(all.clauses[1].state, ClauseState::NoScenario);
}

TEST(Conformance, OneRunThatFailsBreaksIt) {
  const Conformance all =
      of({run("a", Outcome::Passed, {"RT-01"}), run("b", Outcome::Failed, {"RT-01"}),
          run("c", Outcome::Known, {"RT-01"}, "known")});
  EXPECT_EQ(all.clauses[0].state, ClauseState::Broken);
  EXPECT_THAT(all.clauses[0].runs, ElementsAre("b"));
  EXPECT_FALSE(conforms(all, profiles(), false));
}

TEST(Conformance, ASkipNeverLooksLikeFullConformance) {
  const Conformance all = of({run("a", Outcome::Skipped, {"RT-01"}, "takes too long")});
  EXPECT_EQ(all.clauses[0].state, ClauseState::NotShown);
  EXPECT_EQ(all.clauses[0].reason, "takes too long");
  EXPECT_EQ(level_of(all, profiles()[0], true).result(), "partial");
}

TEST(Conformance, WhatIsOnlyShownInTheSimulatedWorldIsNotShownLive) {
  const auto runs = [] { return std::vector{run("a", Outcome::Passed, {"CP-03"})}; };
  EXPECT_EQ(of(runs()).clauses[2].state, ClauseState::Kept);
  EXPECT_EQ(of(runs(), "envoy").clauses[2].state, ClauseState::NotShown);
}

TEST(Conformance, WhatWasOnlyObservedFailsStrictlyAlone) {
  const Conformance all = of({run("a", Outcome::Failed, {"RT-10"})});
  EXPECT_TRUE(conforms(all, profiles(), false));
  EXPECT_FALSE(conforms(all, profiles(), true));
}

TEST(Conformance, AProfileThatIsNotLookedAtDoesNotCount) {
  const Conformance all = of({run("a", Outcome::Failed, {"CP-03"})});
  EXPECT_FALSE(conforms(all, {profiles()[1]}, false));
  EXPECT_TRUE(conforms(all, {profiles()[0]}, false));
  EXPECT_THAT(conformance_text(all, {profiles()[0]}), Not(HasSubstr("CP-03")));
}

TEST(Conformance, TheMatrixHasARowForEachClause) {
  const Conformance sim = of({run("a", Outcome::Passed, {"RT-01", "CP-03", "XX-01"})});
  const Conformance envoy = of({run("a", Outcome::Known, {"RT-01"}, "why (ENV-1)")}, "envoy");
  EXPECT_THAT(sim.strangers, ElementsAre("XX-01"));
  const std::string page = conformance_markdown({sim, envoy}, profiles());
  EXPECT_THAT(page, HasSubstr("| RT-01 | Routes are taken. | must | kept | **known** |\n"));
  EXPECT_THAT(page, HasSubstr("| CP-03 | Queues \\| are kept. | must | kept | no scenario |\n"));
  EXPECT_THAT(page, HasSubstr("- `envoy`, RT-01: a: why (ENV-1)\n"));
}

TEST(Conformance, TheReportHasGatewayApisShape) {
  const std::string report =
      conformance_report(of({run("a", Outcome::Failed, {"RT-01"})}), {profiles()[0]});
  EXPECT_THAT(report, HasSubstr(R"("kind": "ConformanceReport")"));
  EXPECT_THAT(report, HasSubstr(R"("result": "failure")"));
  EXPECT_THAT(report, HasSubstr(R"("failedTests")"));
}

}  // namespace
}  // namespace reports
