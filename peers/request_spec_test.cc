#include "peers/request_spec.h"

#include <gtest/gtest.h>

namespace peers {
namespace {

TEST(ParseUrl, KeepsTheTargetAsItIsWritten) {
  const auto spec = parse_url("GET", "http://edge:8080/a/../b//c?x=%2f#y");
  ASSERT_TRUE(spec);
  EXPECT_EQ(spec->host, "edge");
  EXPECT_EQ(spec->port, 8080);
  EXPECT_EQ(spec->target, "/a/../b//c?x=%2f#y");
  EXPECT_EQ(spec->authority(), "edge:8080");
}

TEST(ParseUrl, AsksForTheRootWhereThereIsNoPath) {
  EXPECT_EQ(parse_url("GET", "http://edge")->target, "/");
  EXPECT_EQ(parse_url("GET", "http://edge?a=1")->target, "/?a=1");
  EXPECT_EQ(parse_url("GET", "http://edge")->authority(), "edge");
}

TEST(ParseUrl, RefusesWhatIsNotAUrl) {
  for (const char* url : {"edge/a", "https://edge/", "ftp://edge/", "http:///a", "http://edge:/",
                          "http://edge:0/", "http://edge:65536/", "http://edge:8x/"}) {
    EXPECT_FALSE(parse_url("GET", url)) << url;
  }
  EXPECT_EQ(parse_url("GET", "http://edge:0/").error().message,
            "port of a URL must be between 1 and 65535, is \"http://edge:0/\"");
}

TEST(ParseAddress, TakesFourNumbersOnly) {
  EXPECT_EQ(parse_address("10.0.0.1"), 0x0a000001U);
  EXPECT_EQ(parse_address("255.255.255.255"), 0xffffffffU);
  for (const char* text :
       {"", "10.0.0", "10.0.0.1.", "10.0.0.256", "edge", "10..0.1", "1.2.3.4a"}) {
    EXPECT_FALSE(parse_address(text)) << text;
  }
}

TEST(PreparedRequest, PutsHostFirstAndCountsTheBody) {
  RequestSpec spec;
  spec.method = "POST";
  spec.host = "edge";
  spec.port = 8080;
  spec.headers = {{"X-One", "1"}, {"x-two", "2"}};
  spec.body = "hello";
  const PreparedRequest request(spec);
  EXPECT_EQ(request.head(),
            "POST / HTTP/1.1\r\nHost: edge:8080\r\nX-One: 1\r\nx-two: 2\r\n"
            "Content-Length: 5\r\n\r\n");
  EXPECT_EQ(request.body(), "hello");
}

TEST(PreparedRequest, LeavesHostAndLengthToTheUserWhoGivesThem) {
  RequestSpec spec;
  spec.host = "edge";
  spec.headers = {{"a", "b"}, {"HOST", "other"}, {"Content-Length", "99"}};
  spec.body = "x";
  EXPECT_EQ(PreparedRequest(spec).bytes,
            "GET / HTTP/1.1\r\na: b\r\nHOST: other\r\nContent-Length: 99\r\n\r\nx");
  spec.headers.clear();
  spec.body.reset();
  spec.omit_host = true;
  EXPECT_EQ(PreparedRequest(spec).bytes, "GET / HTTP/1.1\r\n\r\n");
}

TEST(PreparedRequest, SendsPiecesAsChunks) {
  RequestSpec spec;
  spec.host = "edge";
  spec.chunks = {"abc", "0123456789abcdef"};
  EXPECT_EQ(PreparedRequest(spec).bytes,
            "GET / HTTP/1.1\r\nHost: edge\r\nTransfer-Encoding: chunked\r\n\r\n"
            "3\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n");
}

}  // namespace
}  // namespace peers
