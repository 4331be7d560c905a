#include "proxy/check_state.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace proxy {
namespace {

using Rules = HealthCheckPlan::Rules;

HealthCheckPlan plan(std::uint32_t healthy, std::uint32_t unhealthy, Rules rules) {
  HealthCheckPlan plan;
  plan.rules = rules;
  plan.healthy_threshold = healthy;
  plan.unhealthy_threshold = unhealthy;
  return plan;
}

/// The states after each result. Results: + success, - definite failure, r retriable failure,
/// x network failure. States: H healthy, U unhealthy; small while a change is near.
std::string states(std::uint32_t healthy, std::uint32_t unhealthy, std::string_view results,
                   Rules rules = Rules::Proxy) {
  CheckState state(plan(healthy, unhealthy, rules));
  std::string out;
  for (const char result : results) {
    const auto transition = state.take(result == '+'   ? CheckResult::Success
                                       : result == '-' ? CheckResult::Failure
                                       : result == 'r' ? CheckResult::RetriableFailure
                                                       : CheckResult::NetworkFailure);
    const bool near = transition == CheckState::Transition::Pending;
    out += state.healthy() ? (near ? 'h' : 'H') : (near ? 'u' : 'U');
  }
  return out;
}

TEST(CheckState, TheFirstSuccessIsEnough) {
  EXPECT_EQ(states(3, 1, "+"), "H");
}

TEST(CheckState, AfterAFirstFailureTheThresholdOfSuccessesHolds) {
  EXPECT_EQ(states(3, 1, "-+++"), "UuuH");
  EXPECT_EQ(states(1, 1, "x+"), "UH");
}

TEST(CheckState, AFailureBetweenSuccessesBeginsTheCountAnew) {
  EXPECT_EQ(states(3, 1, "-++x+++"), "UuuUuuH");
}

TEST(CheckState, NetworkFailuresInARowMakeItUnhealthy) {
  EXPECT_EQ(states(1, 3, "+xxx"), "HhhU");
  EXPECT_EQ(states(1, 1, "+x"), "HU");
}

TEST(CheckState, ASuccessBetweenFailuresBeginsTheCountAnew) {
  EXPECT_EQ(states(1, 3, "+xx+xxx"), "HhhHhhU");
}

TEST(CheckState, ADefiniteFailureCountsAtOnce) {
  EXPECT_EQ(states(2, 3, "+-"), "HU");
  EXPECT_EQ(states(2, 3, "+x-++"), "HhUuH");
}

TEST(CheckState, ARetriableFailureCountsLikeNoAnswer) {
  EXPECT_EQ(states(1, 2, "+rx"), "HhU");
}

TEST(CheckState, WhatIsUnhealthyStaysSoWithoutAChangeNear) {
  EXPECT_EQ(states(1, 2, "xxx-"), "UUUU");
}

TEST(CheckState, ByTheLetterThresholdsAlwaysHold) {
  EXPECT_EQ(states(2, 2, "++--++", Rules::Letter), "uHhUuH");
  EXPECT_EQ(states(2, 2, "+x++x+x-", Rules::Letter), "uUuHhHhU");
}

TEST(CheckRecord, CountsAndKnowsTheRunThatTheLastOneIsOf) {
  CheckRecord record;
  record.add(CheckResult::Failure, 500);
  EXPECT_EQ(record.in_a_row, 1U);
  record.add(CheckResult::Success, 200);
  record.add(CheckResult::Success, 200);
  EXPECT_EQ(record.in_a_row, 2U);
  record.add(CheckResult::RetriableFailure, 503);
  EXPECT_EQ(record.status, 503);
  record.add(CheckResult::NetworkFailure, 503);
  EXPECT_EQ(record.in_a_row, 2U);
  EXPECT_EQ(record.status, 0);
  EXPECT_EQ(record.passed, 2U);
  EXPECT_EQ(record.failed, 3U);
}

TEST(CheckState, OnlyTheFirstResultIsTheFirst) {
  CheckState state(plan(1, 1, Rules::Proxy));
  EXPECT_TRUE(state.first());
  state.take(CheckResult::NetworkFailure);
  EXPECT_FALSE(state.first());
}

}  // namespace
}  // namespace proxy
