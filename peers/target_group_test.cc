#include "peers/target_group.h"

#include <gtest/gtest.h>

namespace peers {
namespace {

using namespace std::chrono_literals;
using Kind = GroupEffect::Kind;

world::TimePoint at(world::Duration time) {
  return world::TimePoint(time);
}

BalancerTarget target(std::uint32_t number, std::string zone = "a") {
  return {"t" + std::to_string(number), {number, 80}, std::move(zone)};
}

TargetGroupOptions options() {
  return {.zones = {"a", "b"},
          .health = {.healthy = 2, .unhealthy = 2, .first = 2},
          .deregistration_delay = 100s};
}

/// "t1 t2!": who is eligible; ! if that is because there are too few healthy ones.
std::string eligible(const TargetGroup& group, std::string_view zone = "a") {
  const auto found = group.eligible(zone);
  std::string out;
  for (const BalancerTarget* each : found.targets) out += (out.empty() ? "" : " ") + each->name;
  return out + (found.failed_open ? "!" : "");
}

/// "healthy, initial Elb.RegistrationInProgress".
std::string states(const TargetGroup& group) {
  std::string out;
  for (const TargetView& view : group.targets()) {
    out += (out.empty() ? "" : ", ") + std::string(text(view.state));
    if (!view.reason.empty()) out += " " + std::string(view.reason);
  }
  return out;
}

/// "start1 end1 dereg1 stop1", states left out.
std::string effects(TargetGroup& group) {
  std::string out;
  for (const GroupEffect& effect : group.take_effects()) {
    if (effect.kind == Kind::Changed) continue;
    constexpr const char* kNames[] = {"start", "stop", "end", "dereg"};
    out += (out.empty() ? "" : " ") + std::string(kNames[static_cast<int>(effect.kind)]) +
           std::to_string(effect.endpoint.address);
  }
  return out;
}

void check(TargetGroup& group, std::uint32_t number, bool passed, int times, world::Duration now) {
  for (int i = 0; i < times; ++i) group.record({number, 80}, 0, passed, at(now));
}

/// t1 and t2 in zone a, healthy since long ago.
TargetGroup two(const TargetGroupOptions& with = options()) {
  TargetGroup group(with);
  group.add(target(2), true, at(0s));
  group.add(target(1), true, at(0s));
  group.take_effects();
  return group;
}

TEST(TargetGroup, ANewTargetIsCheckedAfterTheLagAndUsedAfterItsChecks) {
  TargetGroup group(options());
  group.add(target(1), false, at(0s));
  EXPECT_EQ(states(group), "initial Elb.RegistrationInProgress");
  EXPECT_EQ(group.next_due(), at(120s));
  group.advance(at(119s));
  EXPECT_EQ(effects(group), "");
  group.advance(at(120s));
  EXPECT_EQ(effects(group), "start1");
  EXPECT_EQ(states(group), "initial Elb.InitialHealthChecking");
  check(group, 1, true, 1, 125s);
  EXPECT_EQ(eligible(group), "!");  // NLB-78: not even when there is no other
  check(group, 1, true, 1, 155s);
  EXPECT_EQ(states(group), "healthy");
  EXPECT_EQ(eligible(group), "t1");
}

TEST(TargetGroup, AnInitialTargetMayCountWhenThereIsNoOther) {
  TargetGroupOptions with = options();
  with.initial_is_eligible = true;
  TargetGroup group(with);
  group.add(target(1), false, at(0s));
  EXPECT_EQ(eligible(group), "!");
  group.advance(at(120s));
  EXPECT_EQ(eligible(group), "t1!");
}

TEST(TargetGroup, FlowsEndAtTheVerdictAndNewOnesGoElsewhereAfterTheLag) {
  TargetGroup group = two();
  check(group, 1, false, 2, 60s);
  EXPECT_EQ(effects(group), "end1");
  EXPECT_EQ(states(group), "unhealthy Target.FailedHealthChecks, healthy");
  EXPECT_EQ(eligible(group), "t1 t2");
  EXPECT_EQ(group.next_due(), at(90s));
  group.advance(at(90s));
  EXPECT_EQ(eligible(group), "t2");
  check(group, 1, true, 2, 150s);
  EXPECT_EQ(eligible(group), "t1 t2");
}

TEST(TargetGroup, WhenAllFailAllAreUsedAndNoFlowEnds) {
  TargetGroup group = two();
  check(group, 1, false, 2, 60s);
  EXPECT_EQ(effects(group), "end1");
  check(group, 2, false, 2, 61s);
  EXPECT_EQ(effects(group), "");
  group.advance(at(91s));
  EXPECT_EQ(eligible(group), "t1 t2!");
  EXPECT_EQ(group.zones_in_dns(), (std::vector<std::string>{"a", "b"}));
  // The first to recover gets everything new, and the flows of the other end.
  check(group, 1, true, 2, 120s);
  EXPECT_EQ(effects(group), "end2");
  EXPECT_EQ(eligible(group), "t1");
  EXPECT_EQ(group.zones_in_dns(), (std::vector<std::string>{"a"}));
}

TEST(TargetGroup, UnhealthyDrainingKeepsFlowsForAnInterval) {
  TargetGroupOptions with = options();
  with.unhealthy_termination = false;
  with.draining_interval = 120s;
  TargetGroup group = two(with);
  check(group, 1, false, 2, 60s);
  EXPECT_EQ(states(group), "unhealthy.draining Target.FailedHealthChecks, healthy");
  check(group, 1, true, 2, 120s);
  EXPECT_EQ(states(group), "healthy, healthy");
  group.advance(at(180s));
  EXPECT_EQ(effects(group), "");
  check(group, 1, false, 2, 200s);
  group.advance(at(319s));
  EXPECT_EQ(effects(group), "");
  group.advance(at(320s));
  EXPECT_EQ(states(group), "unhealthy Target.FailedHealthChecks, healthy");
  EXPECT_EQ(effects(group), "end1");
}

TEST(TargetGroup, WithoutAnIntervalFlowsStayOrEnd) {
  TargetGroupOptions with = options();
  with.unhealthy_termination = false;
  TargetGroup staying = two(with);
  check(staying, 1, false, 2, 60s);
  EXPECT_EQ(effects(staying), "");
  with.end_without_interval = true;
  TargetGroup ending = two(with);
  check(ending, 1, false, 2, 60s);
  EXPECT_EQ(effects(ending), "end1");
}

TEST(TargetGroup, DrainingTakesTheDelayAndNewFlowsComeForTheLag) {
  TargetGroup group = two();
  group.deregister({1, 80}, at(0s));
  group.deregister({9, 80}, at(0s));  // there is none: NLB-6E
  EXPECT_EQ(states(group), "draining Target.DeregistrationInProgress, healthy");
  EXPECT_EQ(group.next_due(), at(100s));
  group.advance(at(100s));
  EXPECT_EQ(states(group), "unused Target.NotRegistered, healthy");
  EXPECT_EQ(effects(group), "stop1");
  EXPECT_EQ(eligible(group), "t1 t2");
  group.advance(at(120s));
  EXPECT_EQ(eligible(group), "t2");
}

TEST(TargetGroup, TerminationEndsFlowsAfterTheDelay) {
  TargetGroupOptions with = options();
  with.termination = true;
  TargetGroup group = two(with);
  group.deregister({1, 80}, at(0s));
  group.advance(at(100s));
  EXPECT_EQ(effects(group), "stop1 dereg1");
  group.advance(at(120s));
  EXPECT_EQ(effects(group), "dereg1");  // what began meanwhile
}

TEST(TargetGroup, MayBeRegisteredAgainWhileItDrains) {
  TargetGroup group = two();
  group.deregister({1, 80}, at(0s));
  group.add(target(1), false, at(50s));
  EXPECT_EQ(states(group), "initial Elb.RegistrationInProgress, healthy");
  EXPECT_EQ(eligible(group), "t2");
  EXPECT_EQ(group.next_due(), at(170s));
}

TEST(TargetGroup, ZonesAreApartUnlessCrossZoneIsOn) {
  TargetGroupOptions with = options();
  TargetGroup apart(with);
  apart.add(target(1, "a"), true, at(0s));
  apart.add(target(2, "b"), true, at(0s));
  apart.add(target(3, "c"), true, at(0s));
  EXPECT_EQ(states(apart), "healthy, healthy, unused Target.NotInUse");
  EXPECT_EQ(eligible(apart, "a"), "t1");
  check(apart, 1, false, 2, 60s);
  apart.advance(at(90s));
  EXPECT_EQ(eligible(apart, "a"), "t1!");  // NLB-74: who still asks this node gets the dead one
  EXPECT_EQ(eligible(apart, "b"), "t2");
  EXPECT_EQ(apart.zones_in_dns(), (std::vector<std::string>{"b"}));
  with.cross_zone = true;
  TargetGroup across(with);
  across.add(target(1, "a"), true, at(0s));
  across.add(target(2, "b"), true, at(0s));
  check(across, 1, false, 2, 60s);
  across.advance(at(90s));
  EXPECT_EQ(eligible(across, "a"), "t2");
  EXPECT_EQ(across.zones_in_dns(), (std::vector<std::string>{"a", "b"}));
}

TEST(TargetThreshold, IsUndercutByCountOrPercentage) {
  EXPECT_FALSE((TargetThreshold{}.undercut(0, 5)));
  EXPECT_TRUE((TargetThreshold{.count = 2}.undercut(1, 5)));
  EXPECT_FALSE((TargetThreshold{.count = 2}.undercut(2, 5)));
  EXPECT_TRUE((TargetThreshold{.percentage = 50}.undercut(2, 5)));
  EXPECT_FALSE((TargetThreshold{.percentage = 50}.undercut(3, 6)));
}

}  // namespace
}  // namespace peers
