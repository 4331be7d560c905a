#include "conformance/impossible.h"

#include <gtest/gtest.h>

#include "conformance/test_scenario.h"

namespace conformance {
namespace {

/// One gateway that nobody watches, one node with what its listener says beside its port.
std::string errors(const std::string& listener, const std::string& step) {
  return errors_in(
      "scenario: A test\n"
      "mesh:\n"
      "  - virtualGateway: edge\n"
      "    spec: { listeners: [ { portMapping: { port: 9080, protocol: http } } ] }\n"
      "  - gatewayRoute: all\n"
      "    virtualGateway: edge\n"
      "    spec: { httpRoute: { match: { prefix: / }, action: { target: { virtualService: { "
      "virtualServiceName: books.local } } } } }\n"
      "  - virtualService: books.local\n"
      "    spec: { provider: { virtualNode: { virtualNodeName: books } } }\n"
      "  - virtualNode: books\n"
      "    spec: { listeners: [ { portMapping: { port: 8080, protocol: http }" +
      listener +
      " } ], serviceDiscovery: { dns: { hostname: books.local } } }\n"
      "steps:\n"
      "  - " +
      step + "\n");
}

const std::string kCheck =
    ", healthCheck: { protocol: http, path: /, healthyThreshold: 2, unhealthyThreshold: 2, "
    "intervalMillis: 5000, timeoutMillis: 2000 }";
const std::string kOutlier =
    ", outlierDetection: { maxServerErrors: 5, interval: { value: 10, unit: s }, "
    "baseEjectionDuration: { value: 10, unit: s }, maxEjectionPercent: 50 }";

TEST(Impossible, AHealthThatNobodyChecksIsRefusedAtItsPlace) {
  EXPECT_EQ(errors("", "until: { endpoint/books-1: unhealthy }"),
            "13:32: /steps/0/until: can never come: virtual node books has neither healthCheck nor "
            "outlierDetection\n");
  EXPECT_EQ(
      errors("", "expect: { service/books: { turns: unhealthy } }"),
      "13:30: /steps/0/expect: can never come: virtual node books has neither healthCheck nor "
      "outlierDetection\n");
  EXPECT_EQ(errors(kCheck, "until: { endpoint/books-1: { ejected: 1 } }"),
            "13:43: /steps/0/until: can never come: virtual node books has no outlierDetection\n");
  EXPECT_EQ(errors("", "until: { gateway/edge-1: healthy }"),
            "13:30: /steps/0/until: can never come: nobody checks edge: it has no healthChecker\n");
}

TEST(Impossible, MoreInstancesThanThereAreAreRefused) {
  EXPECT_EQ(errors("", "until: { gateway/edge: { running: 2 } }"),
            "13:39: /steps/0/until: can never come: edge is 1 instance\n");
}

TEST(Impossible, WhatCanComeIsNot) {
  EXPECT_EQ(errors(kCheck, "until: { endpoint/books-1: unhealthy }"), "none");
  EXPECT_EQ(errors(kOutlier, "until: { endpoint/books-1: { ejected: 1 } }"), "none");
  EXPECT_EQ(errors(kOutlier, "until: { service/books: unhealthy }"), "none");
  EXPECT_EQ(errors("", "until: { endpoint/books-1: healthy }"), "none");
  EXPECT_EQ(errors("", "until: { endpoint/books-1: { unhealthy: 0, requests: 7 } }"), "none");
  EXPECT_EQ(errors("", "until: { gateway/edge: { running: 0 } }"), "none");
  EXPECT_EQ(errors("", "until: { gateway/edge: { running: { not: 1 } } }"), "none");
}

}  // namespace
}  // namespace conformance
