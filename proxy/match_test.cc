#include "proxy/match.h"

#include <gtest/gtest.h>
#include <re2/re2.h>

namespace proxy {
namespace {

TextMatch test_of(TextMatch::Kind kind, std::string text = {}) {
  TextMatch test;
  test.kind = kind;
  test.text = std::move(text);
  if (kind == TextMatch::Kind::Regex) test.regex = std::make_shared<re2::RE2>(test.text);
  return test;
}

TextMatch range(std::int64_t start, std::int64_t end) {
  TextMatch test;
  test.kind = TextMatch::Kind::Range;
  test.range_start = start;
  test.range_end = end;
  return test;
}

/// Whether a test of header x holds for a request with these lines of x.
bool holds(const TextMatch& test, bool invert, std::vector<const char*> lines) {
  wire::HeaderMap headers;
  for (const char* line : lines) headers.add("x", line);
  HeaderMatch match;
  match.name = "x";
  match.test = test;
  match.invert = invert;
  return matches(match, {"GET", "/", "a.example", "http", headers});
}

using Kind = TextMatch::Kind;

TEST(HeaderMatch, TestsTheWholeValue) {
  EXPECT_TRUE(holds(test_of(Kind::Exact, "a"), false, {"a"}));
  EXPECT_FALSE(holds(test_of(Kind::Exact, "a"), false, {"A"}));
  EXPECT_TRUE(holds(test_of(Kind::Prefix, "ab"), false, {"abc"}));
  EXPECT_FALSE(holds(test_of(Kind::Prefix, "abc"), false, {"ab"}));
  EXPECT_TRUE(holds(test_of(Kind::Suffix, "bc"), false, {"abc"}));
  EXPECT_FALSE(holds(test_of(Kind::Suffix, "abc"), false, {"bc"}));
  EXPECT_TRUE(holds(test_of(Kind::Regex, "a.c"), false, {"abc"}));
  EXPECT_FALSE(holds(test_of(Kind::Regex, "a.c"), false, {"abcd"}));
}

TEST(HeaderMatch, RangesAreOfDecimalNumbersWithoutTheEnd) {
  for (const char* inside : {"5", "9", "+7", "007"}) {
    EXPECT_TRUE(holds(range(5, 10), false, {inside})) << inside;
  }
  for (const char* outside : {"4", "10", "6.5", "0x7", "7a", "", "+-7", " 7"}) {
    EXPECT_FALSE(holds(range(5, 10), false, {outside})) << outside;
  }
  EXPECT_TRUE(holds(range(5, 10), true, {"text"}));
}

TEST(HeaderMatch, LinesOfOneNameAreTestedOneByOne) {
  EXPECT_TRUE(holds(test_of(Kind::Exact, "b"), false, {"a", "b"}));
  EXPECT_FALSE(holds(test_of(Kind::Exact, "a,b"), false, {"a", "b"}));
  EXPECT_FALSE(holds(test_of(Kind::Exact, "b"), true, {"a", "b"}));
  EXPECT_TRUE(holds(test_of(Kind::Exact, "c"), true, {"a", "b"}));
}

TEST(HeaderMatch, AnAbsentHeaderPassesOnlyTheInverseOfPresence) {
  EXPECT_FALSE(holds(test_of(Kind::Exact, "a"), true, {}));
  EXPECT_FALSE(holds(range(1, 2), true, {}));
  EXPECT_FALSE(holds(test_of(Kind::Present), false, {}));
  EXPECT_TRUE(holds(test_of(Kind::Present), true, {}));
  EXPECT_TRUE(holds(test_of(Kind::Present), false, {""}));
}

bool query_holds(const char* name, const TextMatch& test, const char* target) {
  return matches(QueryMatch{name, test}, target);
}

TEST(QueryMatch, ComparesTheFirstOccurrenceAsSent) {
  EXPECT_TRUE(query_holds("k", test_of(Kind::Exact, "v"), "/?k=v"));
  EXPECT_TRUE(query_holds("k", test_of(Kind::Exact, "v"), "/?a&k=v&k=w"));
  EXPECT_FALSE(query_holds("k", test_of(Kind::Exact, "v"), "/?k=w&k=v"));
  EXPECT_FALSE(query_holds("k", test_of(Kind::Exact, "v"), "/?k=%76"));
  EXPECT_FALSE(query_holds("k", test_of(Kind::Exact, "v"), "/?a=1;k=v"));
  EXPECT_FALSE(query_holds("k", test_of(Kind::Present), "/?K=v"));
  EXPECT_TRUE(query_holds("k", test_of(Kind::Present), "/?k"));
  EXPECT_TRUE(query_holds("k", test_of(Kind::Present), "/?k="));
  EXPECT_FALSE(query_holds("k", test_of(Kind::Present), "/"));
}

TEST(VirtualHost, ExactBeatsTheLongestSuffixBeatsTheRest) {
  RouteTable table;
  for (const char* domain : {"*", "*.example.com", "*.api.example.com", "www.example.com"}) {
    VirtualHost host;
    host.name = domain;
    host.domains = {domain};
    table.hosts.push_back(host);
  }
  const auto chosen = [&](const char* authority) { return find_host(table, authority)->name; };
  EXPECT_EQ(chosen("www.example.com"), "www.example.com");
  EXPECT_EQ(chosen("WWW.Example.COM"), "www.example.com");
  EXPECT_EQ(chosen("a.example.com"), "*.example.com");
  EXPECT_EQ(chosen("a.b.example.com"), "*.example.com");
  EXPECT_EQ(chosen("a.api.example.com"), "*.api.example.com");
  EXPECT_EQ(chosen("example.com"), "*");
  EXPECT_EQ(chosen("a-example.com"), "*");
  EXPECT_EQ(chosen("www.example.com:81"), "*");
  EXPECT_EQ(chosen(""), "*");
}

TEST(Rewrite, ReplacesExactlyTheMatchedBytes) {
  Route route;
  route.path.text = "/api";
  route.prefix_rewrite = "/v2";
  EXPECT_EQ(rewritten_target(route, "/apis?x=1"), "/v2s?x=1");
  route.prefix_rewrite.reset();
  route.path_rewrite = "/new";
  EXPECT_EQ(rewritten_target(route, "/api?x=1"), "/new?x=1");
  route.path_rewrite.reset();
  EXPECT_EQ(rewritten_target(route, "/api?x=1"), "/api?x=1");
}

TEST(Grpc, ContentTypesAreTakenLiterally) {
  EXPECT_TRUE(is_grpc_content_type("application/grpc"));
  EXPECT_TRUE(is_grpc_content_type("application/grpc+proto"));
  for (const char* other : {"application/grpc-web", "application/grpc; charset=utf-8",
                            "Application/grpc", "text/plain", ""}) {
    EXPECT_FALSE(is_grpc_content_type(other)) << other;
  }
}

}  // namespace
}  // namespace proxy
