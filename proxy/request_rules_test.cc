#include "proxy/request_rules.h"

#include <gtest/gtest.h>

namespace proxy {
namespace {

using wire::HeaderMap;
using wire::HeaderName;

std::string left_of(std::string_view name, std::string_view value) {
  HeaderMap headers;
  headers.add(name, value);
  remove_connection_headers(headers, false);
  return headers.empty() ? "gone" : std::string(headers.value(0));
}

TEST(RequestRules, OfTeOnlyTrailersStay) {
  EXPECT_EQ(left_of("te", "trailers"), "trailers");
  EXPECT_EQ(left_of("te", "trailers, deflate"), "trailers");
  EXPECT_EQ(left_of("te", "deflate,\ttrailers "), "trailers");
  EXPECT_EQ(left_of("te", ""), "");
  for (const char* other : {"Trailers", "trailers;q=0.5", "gzip", "gzip;q=1, trailers;q=0"}) {
    EXPECT_EQ(left_of("te", other), "gone") << other;
  }
}

TEST(RequestRules, WhatOnlyProxiesMaySayIsRemoved) {
  EXPECT_EQ(left_of("x-forwarded-client-cert", "By=x"), "gone");
  EXPECT_EQ(left_of("x-envoy-upstream-stream-duration-ms", "5"), "gone");
  EXPECT_EQ(left_of("x-envoy-retry-on", "5xx"), "gone");
  EXPECT_EQ(left_of("x-envoy-attempt-count", "7"), "7");
  EXPECT_EQ(left_of("http2-settings", "AAMA"), "AAMA");
}

TEST(RequestRules, AnIdIsMarkedIfItBeginsWithANumber) {
  EXPECT_TRUE(is_undecided_uuid("6ba7b810-9dad-11d1-80b4-00c04fd430c8"));
  EXPECT_TRUE(is_undecided_uuid("6BA7B810-9DAD-A1D1-80B4-00C04FD430C8"));
  EXPECT_TRUE(is_undecided_uuid("6ba7b8109dad11d180b400c04fd430c8xxxx"));
  EXPECT_FALSE(is_undecided_uuid("zzzzzzzz-zzzz-zzzz-zzzz-zzzzzzzzzzzz"));
  EXPECT_FALSE(is_undecided_uuid("6ba7b810-9dad-b1d1-80b4-00c04fd430c8"));
  EXPECT_FALSE(is_undecided_uuid("6ba7b810-9dad-11d1-80b4-00c04fd430c"));
}

}  // namespace
}  // namespace proxy
