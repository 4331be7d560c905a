#include "targets/envoy_numbers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace targets {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

/// A gateway of which "in" is a cluster of the first hop.
proxy::GatewayPlan plan() {
  proxy::GatewayPlan out;
  out.ingress.emplace_back().clusters.emplace_back().name = "in";
  return out;
}

TEST(EnvoyNumbers, PoolsAreThoseOfTheFirstHopAndRetriesAreEverywhere) {
  EnvoyNumbers numbers(plan());
  numbers.read_stats(R"({"stats": [
    {"name": "cluster.in.upstream_cx_active", "value": 2},
    {"name": "cluster.out.upstream_cx_active", "value": 7},
    {"name": "cluster.in.upstream_rq_pending_overflow", "value": 3},
    {"name": "cluster.in.upstream_rq_active_overflow", "value": 1},
    {"name": "cluster.in.upstream_rq_retry", "value": 4},
    {"name": "cluster.out.upstream_rq_retry", "value": 5},
    {"name": "http.ingress.downstream_rq_total", "value": 9},
    {"histograms": {}}]})");
  EXPECT_THAT(numbers.numbers().own, ElementsAre(Pair("activeConnections", 2), Pair("overflow", 4),
                                                 Pair("requests", 9), Pair("retries", 9)));
}

TEST(EnvoyNumbers, SecretsAreCountedAllTogether) {
  EnvoyNumbers numbers(plan());
  numbers.read_stats(R"({"stats": [{"name": "sds.one.update_success", "value": 2},
                                   {"name": "sds.two.update_success", "value": 1}]})");
  EXPECT_EQ(numbers.secrets_read(), 3);
  EXPECT_THAT(numbers.numbers().own, IsEmpty());
}

TEST(EnvoyNumbers, EachClusterHasAnOpinionOfAnEndpoint) {
  EnvoyNumbers numbers(plan());
  numbers.read_clusters(R"({"cluster_statuses": [
    {"name": "in"},
    {"name": "out", "host_statuses": [
      {"address": {"socket_address": {"address": "127.3.0.5", "port_value": 8080}},
       "health_status": {"failed_active_health_check": true, "eds_health_status": "HEALTHY"}},
      {"address": {"socket_address": {"address": "127.3.0.6", "port_value": 8080}},
       "health_status": {"failed_outlier_check": true}}]}]})");
  const auto& endpoints = numbers.numbers().endpoints;
  ASSERT_EQ(endpoints.size(), 2U);
  EXPECT_EQ(endpoints[0].endpoint, (world::Endpoint{0x7f030005, 8080}));
  EXPECT_TRUE(endpoints[0].failed_check);
  EXPECT_FALSE(endpoints[0].ejected);
  EXPECT_TRUE(endpoints[1].ejected);
}

TEST(EnvoyNumbers, WhatIsNoAnswerChangesNothing) {
  EnvoyNumbers numbers(plan());
  numbers.read_stats(R"({"stats": [{"name": "http.ingress.downstream_rq_total", "value": 9}]})");
  numbers.read_stats("");
  numbers.read_clusters("<html>");
  EXPECT_THAT(numbers.numbers().own, ElementsAre(Pair("requests", 9)));
}

}  // namespace
}  // namespace targets
