#include "conformance/read_tls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conformance/test_scenario.h"

namespace conformance {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// `world`, with a gateway that shows the secret "edge".
std::string with_tls(const std::string& world, const std::string& steps = "") {
  return R"(scenario: TLS
mesh:
  - virtualGateway: edge
    spec:
      listeners:
        - portMapping: { port: 443, protocol: http }
          tls: { mode: STRICT, certificate: { sds: { secretName: edge } } }
world: )" +
         world + "\nsteps:\n" + (steps.empty() ? "  - request: GET https://edge/\n" : steps);
}

TEST(ReadTls, IssuersComeBeforeWhatTheyIssue) {
  const Scenario scenario = must_read(with_tls(
      "{ pki: { leaf: { issuer: sub }, sub: { ca: true, issuer: root }, root: { ca: true } }, "
      "secrets: { edge: leaf } }"));
  std::vector<std::string> names;
  for (const CertificateSetup& one : scenario.world.pki) names.push_back(one.name);
  EXPECT_THAT(names, ElementsAre("root", "sub", "leaf"));
}

TEST(ReadTls, DatesCountFromTheStart) {
  using namespace std::chrono_literals;
  const Scenario scenario = must_read(with_tls(
      "{ pki: { old: { notBefore: -90d, notAfter: -1h }, now: {} }, secrets: { edge: now } }"));
  const pki::Description& old = scenario.world.pki.front().description;
  EXPECT_EQ(old.not_before.time_since_epoch(), -90 * 24h);
  EXPECT_EQ(old.not_after.time_since_epoch(), -1h);
  const pki::Description& now = scenario.world.pki.back().description;
  EXPECT_EQ(now.not_before.time_since_epoch(), -24h);
  EXPECT_EQ(now.not_after.time_since_epoch(), 365 * 24h);
}

TEST(ReadTls, WhatIsWrongIsSaidWithItsPlace) {
  struct Case {
    const char* world;
    const char* error;
  };
  for (const Case& each : {
           Case{"{}", "names edge, of which world.secrets must say what it is"},
           Case{"{ pki: { a: { issuer: b } }, secrets: { edge: a } }",
                "there is no b in world.pki"},
           Case{"{ pki: { a: { issuer: b }, b: {} }, secrets: { edge: a } }",
                "/world/pki/a/issuer: must name a ca, which b is not"},
           Case{"{ pki: { a: { ca: true, issuer: b }, b: { ca: true, issuer: a } }, "
                "secrets: { edge: a } }",
                "must not lead back to"},
           Case{"{ pki: { a: {} }, secrets: { edge: aa } }",
                "there is no aa in world.pki; did you"},
           Case{"{ pki: { absent: {} }, secrets: { edge: absent } }", "must be a name, and not"},
           Case{"{ pki: { a: { notAfter: -2d } }, secrets: { edge: a } }",
                "must be after notBefore"},
           Case{"{ pki: { a: { notAfter: soon } }, secrets: { edge: a } }",
                "must be a time from the start of the world"},
           Case{"{ pki: { a: { notAfter: 90000d } }, secrets: { edge: a } }",
                "must be a time from the start of the world"},
           Case{"{ pki: { a: { ca: true, dns: [x] } }, secrets: { edge: a } }",
                "goes with a certificate that is no ca"},
           Case{"{ pki: { a: { key: dsa } }, secrets: { edge: a } }", "/world/pki/a/key"},
           Case{"{ pki: { a: {} }, secrets: { edge: { text: x } } }", "/world/secrets/edge"},
           Case{"{ pki: { a: {} }, secrets: { edge: a }, clients: { c: { tls: { trust: b } } } }",
                "/world/clients/c/tls/trust: there is no b in world.pki"},
           Case{
               "{ pki: { a: {} }, secrets: { edge: a }, clients: { c: { tls: { checkName: true } } "
               "} }",
               "needs trust"},
           Case{"{ pki: { a: {} }, secrets: { edge: a }, clients: { c: { tls: { minVersion: '1.3', "
                "maxVersion: '1.2' } } } }",
                "must not be above maxVersion"},
       }) {
    EXPECT_THAT(errors_in(with_tls(each.world)), HasSubstr(each.error)) << each.world;
  }
}

TEST(ReadTls, StepsAndExpectationsNameEntries) {
  const std::string world = "{ pki: { a: {} }, secrets: { edge: a } }";
  EXPECT_THAT(errors_in(with_tls(world, "  - set: { secrets: { edge: b } }\n")),
              HasSubstr("/steps/0/set/secrets/edge: there is no b in world.pki"));
  EXPECT_THAT(errors_in(with_tls(world, "  - set: {}\n")), HasSubstr("must have files, secrets"));
  EXPECT_THAT(errors_in(with_tls(world,
                                 "  - request: GET https://edge/\n"
                                 "    expect: { tls: { serverCertificate: b } }\n")),
              HasSubstr("/steps/0/expect/tls/serverCertificate: there is no b in world.pki"));
}

}  // namespace
}  // namespace conformance
