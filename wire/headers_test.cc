#include "wire/headers.h"

#include <string>

#include "gtest/gtest.h"

namespace wire {
namespace {

std::string text_of(const HeaderMap& headers) {
  std::string text;
  for (std::size_t i = 0; i < headers.size(); ++i) {
    text.append(headers.name(i)).append("=").append(headers.value(i)).append(";");
  }
  return text;
}

TEST(HeaderName, IsFoundByItsTextAndBack) {
  for (auto name = HeaderName::PseudoMethod; name <= HeaderName::MeshVirtualService;
       name = static_cast<HeaderName>(static_cast<int>(name) + 1)) {
    EXPECT_EQ(lookup_header(wire::text_of(name)), name) << wire::text_of(name);
  }
  for (const char* other : {"", "x", "hosts", "hos", "accept", "x-envoy-original-hosts", "Host"}) {
    EXPECT_EQ(lookup_header(other), HeaderName::Other) << other;
  }
}

TEST(HeaderName, HasASlotWhereTheRealProxyJoinsLines) {
  struct Case {
    const char* name;
    bool request;
    bool response;
  };
  for (const Case& c :
       {Case{"accept", true, false}, Case{"host", true, false}, Case{"vary", false, true},
        Case{"via", true, true}, Case{"cookie", false, false}, Case{"set-cookie", false, false},
        Case{"x-custom", false, false}, Case{"range", false, false}}) {
    EXPECT_EQ(lookup_header_traits(c.name).request_slot >= 0, c.request) << c.name;
    EXPECT_EQ(lookup_header_traits(c.name).response_slot >= 0, c.response) << c.name;
  }
}

TEST(HeaderMap, KeepsOrderAndPutsNamesIntoLowerCase) {
  HeaderMap headers;
  headers.add("X-B", "2");
  headers.add(HeaderName::Host, "a.example");
  headers.add("X-A", "");
  EXPECT_EQ(text_of(headers), "x-b=2;host=a.example;x-a=;");
  EXPECT_EQ(headers.get("x-b"), "2");
  EXPECT_EQ(headers.get(HeaderName::Host), "a.example");
  EXPECT_EQ(headers.text_bytes(), 3u + 1 + 4 + 9 + 3);
  EXPECT_TRUE(headers.has(HeaderName::Host));
  EXPECT_FALSE(headers.has(HeaderName::Date));
}

TEST(HeaderMap, ReplacesAValueWhereItStands) {
  HeaderMap headers;
  headers.add("a", "1");
  headers.add(HeaderName::Server, "x");
  headers.add("b", "2");
  headers.set(HeaderName::Server, "much longer than before");
  EXPECT_EQ(text_of(headers), "a=1;server=much longer than before;b=2;");
  headers.set(HeaderName::Server, "s");
  headers.set(HeaderName::Date, "now");
  EXPECT_EQ(text_of(headers), "a=1;server=s;b=2;date=now;");
}

TEST(HeaderMap, RemovesEveryFieldOfAName) {
  HeaderMap headers;
  for (const char* value : {"1", "2"}) {
    headers.add("x", value);
    headers.add(HeaderName::Te, value);
  }
  headers.remove("x");
  EXPECT_EQ(text_of(headers), "te=1;te=2;");
  headers.remove(HeaderName::Te);
  EXPECT_TRUE(headers.empty());
}

TEST(HeaderMap, TakesItsOwnTextAsAValue) {
  HeaderMap headers;
  headers.add("x", "a value that is longer than what a string holds without memory");
  for (int i = 0; i < 20; ++i) headers.add("y", headers.value(0));
  headers.set(HeaderName::Host, headers.value(0));
  headers.join_value(0, ",", headers.value(1));
  EXPECT_EQ(headers.value(20), "a value that is longer than what a string holds without memory");
  EXPECT_EQ(headers.get(HeaderName::Host), headers.value(20));
  EXPECT_EQ(headers.value(0).size(), 2 * headers.value(1).size() + 1);
}

TEST(HeaderMap, PutsAFieldFirst) {
  HeaderMap headers;
  headers.add("a", "1");
  headers.add("b", "2");
  headers.add("c", "3");
  headers.move_to_front(2);
  headers.add_first(HeaderName::Host, "h");
  EXPECT_EQ(text_of(headers), "host=h;c=3;a=1;b=2;");
}

}  // namespace
}  // namespace wire
