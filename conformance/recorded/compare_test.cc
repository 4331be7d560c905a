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

TEST(Compare, WhatVariesMayBeOfAnotherKind) {
  const auto client = [](json frame) {
    json all = observed(json::array());
    all["client"]["frames"] = json::array({std::move(frame)});
    return all;
  };
  json expected = client({{"type", "DATA"}, {"stream", 3}, {"data", "a"}});
  json actual = client({{"type", "HEADERS"}, {"stream", 3}, {"headers", json::array()}});
  const json varies = {"/client/frames/0/type", "/client/frames/0/data",
                       "/client/frames/0/headers"};
  make_comparable({{"varies", varies}}, expected, actual);
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

TEST(Compare, TheCutOfAStreamsDataIsNoDifferenceButItsEndIs) {
  const auto data = [](int stream, const char* bytes, bool end) -> json {
    return {{"type", "DATA"}, {"stream", stream}, {"data", bytes}, {"end_stream", end}};
  };
  const auto client = [](json frames) {
    json all = observed(json::array());
    all["client"]["frames"] = std::move(frames);
    return all;
  };
  const json whole = client({data(1, "abcd", true)});
  EXPECT_TRUE(agree(whole, client({data(1, "ab", false), data(1, "cd", true)})));
  EXPECT_FALSE(agree(whole, client({data(1, "abc", true)})));
  EXPECT_FALSE(agree(whole, client({data(1, "abcd", false)})));
  EXPECT_FALSE(agree(whole, client({data(1, "abcd", false), data(1, "", true)})));
  EXPECT_FALSE(agree(whole, client({data(1, "ab", false), data(3, "cd", true)})));
  EXPECT_TRUE(agree(client({data(1, "ab", false), data(1, "cd", false), data(1, "", true)}),
                    client({data(1, "abcd", false), data(1, "", true)})));
  // A frame of another stream may lie between.
  EXPECT_TRUE(agree(client({data(1, "ab", false), data(3, "x", true), data(1, "cd", true)}),
                    client({data(1, "abcd", true), data(3, "x", true)})));
  // Trailers end what can be joined.
  const json trailers = {{"type", "HEADERS"}, {"stream", 1}, {"headers", json::array()}};
  EXPECT_FALSE(agree(client({data(1, "ab", false), trailers, data(1, "cd", false)}),
                     client({data(1, "abcd", false), trailers})));
  // The same at upstreams, for each connection.
  const auto at = [](int connection, json frame) -> json {
    return {{"upstream", "u1"}, {"conn", connection}, {"frame", std::move(frame)}};
  };
  EXPECT_TRUE(agree(observed({at(1, data(1, "ab", false)), at(1, data(1, "cd", true))}),
                    observed({at(1, data(1, "abcd", true))})));
  EXPECT_FALSE(agree(observed({at(1, data(1, "ab", false)), at(2, data(1, "cd", true))}),
                     observed({at(1, data(1, "abcd", true))})));
}

TEST(Compare, SaysWhereTwoObservationsDiffer) {
  EXPECT_EQ(differences({{"a", 1}, {"b", 2}}, {{"a", 1}, {"b", 3}, {"c", 4}}),
            (std::vector<std::string>{"/b\n  recorded:  2\n  simulated: 3",
                                      "/c\n  recorded:  (nothing)\n  simulated: 4"}));
}

}  // namespace
}  // namespace conformance::recorded
