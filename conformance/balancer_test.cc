#include <gmock/gmock.h>

#include "conformance/engine.h"
#include "conformance/test_scenario.h"

namespace conformance {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr const char* kStep = "steps: [ { wait: 1s } ]\n";

/// A balancer before two instances, with these settings.
std::string with_nlb(const std::string& settings, const std::string& rest = kStep) {
  return with_edge(
      "world:\n  gateways: { edge: { instances: 2 } }\n  nlb: { n: { targets: "
      "gateway/edge, " +
      settings + " } }\n" + rest);
}

std::string in_last(const std::string& text) {
  return "era: last\n" + text;
}

TEST(BalancerSetup, WhatIsNotSaidIsAsAwsHasIt) {
  const peers::BalancerOptions options =
      must_read(with_nlb("listen: 80")).world.balancers[0].options;
  EXPECT_EQ(options.times.idle, 350s);
  EXPECT_EQ(options.check.interval, 30s);
  EXPECT_EQ(options.check.timeout, 10s);
  EXPECT_EQ(options.group.health.healthy, 5U);
  EXPECT_EQ(options.group.health.unhealthy, 2U);
  EXPECT_EQ(options.group.deregistration_delay, 300s);
  EXPECT_FALSE(options.group.cross_zone);
  EXPECT_FALSE(options.keeps_client_address);
  const Scenario http =
      must_read(with_nlb("healthCheck: { protocol: http, matcher: '200,404-405' }"));
  EXPECT_EQ(http.world.balancers[0].options.check.timeout, 6s);
  EXPECT_EQ(http.world.balancers[0].options.check.codes.size(), 2U);
  const Scenario early =
      must_read("era: seed-a\n" + with_nlb("healthCheck: { healthyThreshold: 4 }"));
  EXPECT_EQ(early.world.balancers[0].options.group.health.unhealthy, 4U);
}

TEST(BalancerSetup, WhatIsOutOfRangeOrUnknownIsRefusedAllAtOnce) {
  const std::string errors = errors_in(in_last(with_nlb(
      "idleTimeout: 59s, deregistrationDelay: 3601s, zone: a, zones: [ a, a ], sourcePorts: 0, "
      "healthCheck: { intervalMillis: 4999, matcher: '200', protocol: tcp }, "
      "lag: { registration: 1s }, registered: [ edge-3 ], tls: true, "
      "dnsFailover: { percentage: 40 }, unhealthyRouting: { percentage: 50 }")));
  for (const char* part : {
           "idleTimeout: must be between 1m0s and 1h40m0s, is 59s",
           "deregistrationDelay: must be between 0s and 1h0m0s, is 1h0m1s",
           "zone: is not known here; did you mean zones?",
           "zones/1: stands here twice",
           "sourcePorts: must be between 1 and 59512, is 0",
           "intervalMillis: must be between 5000 and 300000, is 4999",
           "matcher: needs protocol: http",
           "lag/registration: is not known here",
           "there is no instance edge-3 of gateway edge; there is edge-1, edge-2",
           "tls: needs TLS, which is not supported yet",
           "dnsFailover: must not be less than unhealthyRouting",
       }) {
    EXPECT_THAT(errors, HasSubstr(part));
  }
}

TEST(BalancerSetup, EachErrorHasItsPlace) {
  EXPECT_THAT(errors_in(with_nlb("healthCheck: { port: 70000 }")), HasSubstr("13:59: "));
}

TEST(BalancerSetup, SettingsCameOneAfterAnother) {
  struct Case {
    const char* settings;
    const char* era;
  };
  for (const Case& each :
       {Case{"idleTimeout: 60s", "last"}, Case{"unhealthyConnectionTermination: false", "last"},
        Case{"preserveClientIp: true", "seed-b"},
        Case{"healthCheck: { timeoutMillis: 5000 }", "seed-b"},
        Case{"dnsFailover: { count: 2 }", "seed-b"}}) {
    EXPECT_THAT(errors_in("era: seed-a\n" + with_nlb(each.settings)),
                HasSubstr(std::string("could not be set yet: needs era: ") + each.era));
    EXPECT_EQ(errors_in("era: " + std::string(each.era) + "\n" + with_nlb(each.settings)), "none");
  }
  EXPECT_THAT(errors_in("era: seed-a\n" + with_nlb("healthCheck: { intervalMillis: 20000 }")),
              HasSubstr("must be 10000 or 30000"));
  EXPECT_THAT(errors_in("era: seed-a\n" +
                        with_nlb("healthCheck: { healthyThreshold: 3, unhealthyThreshold: 2 }")),
              HasSubstr("must equal healthyThreshold"));
}

TEST(Faults, AreOfGatewaysAndOfAKnownKind) {
  const std::string errors =
      errors_in(with_edge("steps: [ { fault: { gateway/edge-1: gone, gateway/x: closed } "
                          "} ]\n"));
  EXPECT_THAT(errors, HasSubstr("must be one of stopped, running, closed, unreachable, reachable"));
  EXPECT_THAT(errors, HasSubstr("there is no gateway x"));
}

TEST(Faults, AProcessEndsAndBeginsAnew) {
  const RunResult result = run(must_read(with_edge(R"(
steps:
  - fault: { gateway/edge-1: stopped }
  - request: { get: http://edge/chapter/1, connections: new }
    expect: { failed: connection refused }
  - fault: { gateway/edge-1: running }
  - request: { get: http://edge/chapter/1, connections: new }
    expect: { status: 200 }
  - fault: { gateway/edge: unreachable }
  - request: { get: http://edge/chapter/1, connections: new, timeout: 5s }
    expect: { failed: timed out waiting }
)")));
  EXPECT_EQ(result.outcome, Outcome::Passed);
}

TEST(BalancerSteps, TargetsAreCheckedToo) {
  EXPECT_THAT(errors_in(with_nlb("listen: 80", "steps: [ { deregister: edge-9 } ]\n")),
              HasSubstr("there is no instance edge-9"));
  EXPECT_THAT(errors_in(with_edge("steps: [ { register: edge-1 } ]\n")),
              HasSubstr("needs a balancer in world"));
  EXPECT_THAT(
      errors_in(with_nlb("listen: 80", "steps: [ { register: { nlb: m, target: edge-1 } } ]\n")),
      HasSubstr("there is no nlb m"));
  EXPECT_THAT(errors_in(with_nlb(
                  "listen: 80", "steps: [ { expect: { nlb/n: { targets: { x: healthy } } } } ]\n")),
              HasSubstr("there is no gateway x"));
}

TEST(BalancerRun, StatesNumbersAndZonesAreSeen) {
  const RunResult result = run(must_read(with_nlb("zones: [ a, b ]", R"(
steps:
  - request: GET http://n/chapter/1
    expect: { status: 200 }
  - at: 1s
    deregister: edge-2
  - at: 1s
    expect:
      nlb/n:
        healthyTargets: 1
        zones: [ a, b ]
        targets: { edge-1: healthy, edge-2: { state: draining, reason: Target.DeregistrationInProgress } }
  - at: 31s
    expect: { nlb/n: { zones: [ a ], addresses: 1, flows: 1, activeFlows: 1 } }
)")));
  EXPECT_EQ(result.outcome, Outcome::Passed);
  for (const Check& check : result.checks) {
    EXPECT_TRUE(check.passed) << check.name << ": " << check.actual;
  }
}

}  // namespace
}  // namespace conformance
