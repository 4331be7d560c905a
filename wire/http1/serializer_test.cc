#include "wire/http1/serializer.h"

#include <string>

#include "gtest/gtest.h"
#include "wire/http1/test_events.h"

namespace wire::http1 {
namespace {

TEST(Serializer, WritesARequestHeadInTheMapsOrder) {
  HeaderMap headers;
  headers.add(HeaderName::PseudoMethod, "GET");
  headers.add(HeaderName::PseudoAuthority, "a.example");
  headers.add("X-One", "1");
  headers.add("x-empty", "");
  std::string out = "before ";
  append_request_head(out, "GET", "/a?b", headers);
  EXPECT_EQ(out, "before GET /a?b HTTP/1.1\r\nhost: a.example\r\nx-one: 1\r\nx-empty: \r\n\r\n");
}

TEST(Serializer, WritesTheRealProxysPhrases) {
  struct Case {
    std::uint16_t status;
    const char* line;
  };
  for (const Case& c :
       {Case{200, "HTTP/1.1 200 OK\r\n\r\n"}, Case{101, "HTTP/1.1 101 Switching Protocols\r\n\r\n"},
        Case{418, "HTTP/1.1 418 Unknown\r\n\r\n"},
        Case{431, "HTTP/1.1 431 Request Header Fields Too Large\r\n\r\n"},
        Case{599, "HTTP/1.1 599 Last Unassigned Server Error Code\r\n\r\n"},
        Case{1000, "HTTP/1.1 1000 Unknown\r\n\r\n"}}) {
    std::string out;
    append_response_head(out, c.status, {});
    EXPECT_EQ(out, c.line);
  }
}

TEST(Serializer, WritesChunksThatTheParserReads) {
  std::string out = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
  append_chunk(out, "0123456789");
  append_chunk(out, "");
  append_chunk(out, std::string(300, 'x'));
  append_last_chunk(out);
  EXPECT_NE(out.find("a\r\n0123456789\r\n12c\r\nxxx"), std::string::npos);
  EXPECT_EQ(read_response(out).story, "[200 chunked transfer-encoding: chunked {0123456789" +
                                          std::string(300, 'x') + "} end]");
}

}  // namespace
}  // namespace wire::http1
