#include "conformance/recorded/compare.h"

#include <gtest/gtest.h>

namespace conformance::recorded {
namespace {

using nlohmann::json;

json request(int connection, const char* bytes) {
  return {{"upstream", "u1"}, {"conn", connection}, {"request", bytes}};
}
json end(int connection) {
  return {{"upstream", "u1"}, {"conn", connection}, {"event", "eof"}, {"partial", ""}};
}
json observed(json upstream) {
  const json log = {{"default", {"a"}}, {"json", {{{"code", 200}}}}};
  return {{"upstream", std::move(upstream)}, {"access_log", {{"ingress", log}}}};
}

TEST(Compare, LaterEventsAndLinesAreNoDifference) {
  json expected = observed({request(1, "a")});
  json actual = observed({request(1, "a"), end(1)});
  actual["access_log"]["ingress"]["default"].push_back("b");
  actual["access_log"]["ingress"]["json"].push_back({{"code", 404}});
  make_comparable(json::object(), expected, actual);
  EXPECT_TRUE(agree(expected, actual));
  // The other way round something is missing.
  expected = observed({request(1, "a"), end(1)});
  actual = observed({request(1, "a")});
  make_comparable(json::object(), expected, actual);
  EXPECT_FALSE(agree(expected, actual));
}

TEST(Compare, WhatVariesIsLeftOut) {
  json expected = observed({request(1, "a")});
  json actual = observed({request(1, "b")});
  make_comparable({{"varies", {"/upstream/0/request"}}}, expected, actual);
  EXPECT_TRUE(agree(expected, actual));
}

TEST(Compare, TheEndOfOneConnectionMayStandAmongRequestsOfAnother) {
  const json before = observed({request(1, "a"), end(1), request(2, "b")});
  const json after = observed({request(1, "a"), request(2, "b"), end(1)});
  EXPECT_TRUE(agree(before, after));
  EXPECT_FALSE(agree(before, observed({end(1), request(1, "a"), request(2, "b")})));
  EXPECT_FALSE(agree(observed({request(1, "a"), request(2, "b")}),
                     observed({request(2, "b"), request(1, "a")})));
}

TEST(Compare, SaysWhereTwoObservationsDiffer) {
  EXPECT_EQ(differences({{"a", 1}, {"b", 2}}, {{"a", 1}, {"b", 3}, {"c", 4}}),
            (std::vector<std::string>{"/b\n  recorded:  2\n  simulated: 3",
                                      "/c\n  recorded:  (nothing)\n  simulated: 4"}));
}

}  // namespace
}  // namespace conformance::recorded
