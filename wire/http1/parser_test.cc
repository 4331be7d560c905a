#include "wire/http1/parser.h"

#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "wire/http1/serializer.h"
#include "wire/http1/test_events.h"

namespace {
std::size_t allocations = 0;
}

void* operator new(std::size_t size) {
  ++allocations;
  if (void* const memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace wire::http1 {
namespace {

/// Takes everything and keeps nothing.
class Sink final : public RequestParser::Events {
 public:
  void on_head(RequestHead& head) override {
    out.clear();
    append_request_head(out, head.method, head.target, head.headers);
  }
  void on_body(std::string_view bytes) override { out += bytes; }
  void on_complete() override {}

  std::string out;
};

struct Case {
  std::string bytes;
  std::string expected;
};

/// Each of `cases` is what follows `before`; expected are the whole story or the error's details.
void expect_outcomes(const std::string& before, const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    const Outcome outcome = read_requests(before + c.bytes);
    EXPECT_EQ(outcome.error.empty() ? outcome.story : outcome.error, c.expected) << c.bytes;
  }
}

const std::string kGet = "GET / HTTP/1.1\r\nhost: a\r\n";
const std::string kPost = "POST / HTTP/1.1\r\nhost: a\r\n";
const std::string kChunked = kPost + "transfer-encoding: chunked\r\n\r\n";
const std::string kChunkedHead = "[POST / chunked host: a|transfer-encoding: chunked";

TEST(RequestParser, ReadsAHead) {
  EXPECT_EQ(read_requests("GET /a?b HTTP/1.1\r\nHost: x.example\r\nX-Y:  z \r\n\r\n").story,
            "[GET /a?b none host: x.example|x-y: z end]");
}

TEST(RequestParser, StopsAfterEachMessage) {
  RequestParser parser;
  Recorder<RequestHead> events;
  const std::string two = kGet + "\r\n" + kPost + "content-length: 2\r\n\r\nhi";
  const std::size_t used = parser.feed(two, events);
  EXPECT_EQ(used, kGet.size() + 2);
  EXPECT_FALSE(parser.in_message());
  EXPECT_EQ(parser.feed(std::string_view(two).substr(used), events), two.size() - used);
  EXPECT_EQ(events.story,
            "[GET / none host: a end][POST / length host: a|content-length: 2 {hi} end]");
}

TEST(RequestParser, KnowsHowFarItIs) {
  RequestParser parser;
  Recorder<RequestHead> events;
  EXPECT_FALSE(parser.in_message());
  parser.feed("\r\n", events);  // A line end before the message is already a part of it.
  EXPECT_TRUE(parser.in_message());
  parser.feed(kPost, events);
  EXPECT_FALSE(parser.after_head());
  parser.feed("content-length: 2\r\n\r\nh", events);
  EXPECT_TRUE(parser.after_head());
  parser.feed("i", events);
  EXPECT_FALSE(parser.in_message());
  parser.release();
}

TEST(RequestParser, HandsItsHeadOverAndTakesAnother) {
  RequestParser parser;
  Recorder<RequestHead> events;
  auto mine = std::make_unique<RequestHead>();
  const RequestHead* const address = mine.get();
  parser.lend(std::move(mine));
  parser.feed(kGet + "\r\n", events);
  const std::unique_ptr<RequestHead> head = parser.take_head();
  EXPECT_EQ(head.get(), address);
  EXPECT_EQ(head->method, "GET");
  parser.feed(kGet + "\r\n", events);
  EXPECT_NE(parser.take_head(), nullptr);
}

TEST(RequestParser, IsSmall) {
  EXPECT_LE(sizeof(RequestParser), 96u);
}

TEST(RequestParser, AllocatesNothingOnceItsBuffersHaveGrown) {
  RequestParser parser;
  Sink events;
  const std::string request =
      "POST /chapter/1?a=b HTTP/1.1\r\nhost: www.example.com\r\nuser-agent: test\r\naccept: */*\r\n"
      "x-request-id: 1234\r\ncontent-length: 5\r\n\r\nhello";
  parser.feed(request, events);
  const std::size_t before = allocations;
  for (int i = 0; i < 100; ++i) parser.feed(request, events);
  EXPECT_EQ(allocations, before);
  EXPECT_EQ(events.out.substr(events.out.size() - 9), "\r\n\r\nhello");
}

// Source: ENV-HTTP-75.
TEST(RequestParser, IsLaxWhereTheRealOneIs) {
  const std::string plain = "[GET / none host: a end]";
  expect_outcomes("", {
                          {"\r\n\n\rGET / HTTP/1.1\r\nhost: a\r\n\r\n", plain},
                          {"GET / HTTP/1.1\nhost: a\n\n", plain},
                          {"GET / HTTP/1.1\r\nhost: a\n\r\n", plain},
                          {"GET  / \t HTTP/1.1  \r\nhost: a\r\n\r\n", plain},
                          {"GET\t/\tHTTP/1.1\r\nhost:a\r\n\r\n", plain},
                          {"GET / HTTP/1.1\r\nhost: a\r\r\n\r\n", plain},
                      });
  expect_outcomes(
      kGet, {
                {"a: 1\r\n 2\r\n\r\n", "[GET / none host: a|a: 1 2 end]"},
                {"a: 1\r\n   2  \r\n\t3\r\n\r\n", "[GET / none host: a|a: 1   2  \t3 end]"},
                {"a:\r\n 2\r\n\r\n", "[GET / none host: a|a: 2 end]"},
                {"a: x\ry\r\n\r\n", "[GET / none host: a|a: xy end]"},
                {"a: \x80\xff\r\n\r\n", "[GET / none host: a|a: \x80\xff end]"},
                {"a:\r\n\r\n", "[GET / none host: a|a:  end]"},
                {"a!#$%&'*+-.^_`|~b: 1\r\n\r\n", "[GET / none host: a|a!#$%&'*+-.^_`|~b: 1 end]"},
            });
}

TEST(RequestParser, RefusesMalformedHeaderLines) {
  for (const std::string line :
       {"foo : 1", ": 1", "foo", "a@b: 1", "a/b: 1", "a\"b: 1", "\xc3\xa9: 1", "a\rb: 1",
        "fo\r\n o: 1", "a: 1\r\n\r ", "a b: 1"}) {
    EXPECT_EQ(read_requests(kGet + line + "\r\n\r\n").error, "http1.codec_error") << line;
  }
  EXPECT_EQ(read_requests("GET / HTTP/1.1\r\n a: 1\r\n\r\n").error, "http1.codec_error");
}

// Source: ENV-HTTP-70.
TEST(RequestParser, NamesControlCharactersBeforeAnyOtherFault) {
  for (const char c : {'\0', '\x01', '\x0b', '\x1f', '\x7f'}) {
    const std::string bad(1, c);
    EXPECT_EQ(read_requests(kGet + "a: x" + bad + "y\r\n\r\n").error, "http1.invalid_characters");
    EXPECT_EQ(read_requests(kGet + "no colon" + bad + "\r\n\r\n").error,
              "http1.invalid_characters");
    EXPECT_EQ(read_requests("get /" + bad + " HTTP/1.1\r\nhost: a\r\n\r\n").error,
              "http1.invalid_characters");
  }
}

// Source: ENV-HTTP-72, -74.
TEST(RequestParser, AnswersAWrongRequestLineAtOnce) {
  expect_outcomes("", {
                          {"get / HTTP/1.1\r\n", "http1.codec_error"},
                          {"FOO / HTTP/1.1\r\n", "http1.codec_error"},
                          {"M-SEARCH / HTTP/1.1\r\n", "http1.codec_error"},
                          {" ", "http1.codec_error"},
                          {"GET /a b HTTP/1.1\r\n", "http1.codec_error"},
                          {"GET /\x80 HTTP/1.1\r\n", "http1.codec_error"},
                          {"GET a/b HTTP/1.1\r\n", "http1.codec_error"},
                          {"GET / http/1.1\r\n", "http1.codec_error"},
                          {"GET / HTTP/1.1x\r\n", "http1.codec_error"},
                          {"GET / HTTP/01.1\r\n", "http1.codec_error"},
                          {"GET\r\n", "http1.codec_error"},
                          {"GET /\r\n", "low_version"},
                      });
}

TEST(RequestParser, WantsAnUpgradeOfOtherVersions) {
  for (const char* version : {"HTTP/1.0", "HTTP/0.9", "HTTP/1.2", "HTTP/2.0", "HTTP/9.9"}) {
    EXPECT_EQ(read_requests(std::string("GET / ") + version + "\r\nhost: a b\r\n\r\n").error,
              "low_version");
  }
}

TEST(RequestParser, KnowsTheMethodsOfTheRealProxy) {
  for (const std::string method : {"PROPFIND", "SOURCE", "QUERY", "MSEARCH", "TRACE", "ACL"}) {
    EXPECT_EQ(read_requests(method + " / HTTP/1.1\r\nhost: a\r\n\r\n").story,
              "[" + method + " / none host: a end]");
  }
}

// Source: ENV-HTTP-18.
TEST(RequestParser, TakesAbsoluteTargetsApart) {
  const auto get = [](const std::string& target) {
    return "GET " + target + " HTTP/1.1\r\nx: 1\r\nhost: old\r\n\r\n";
  };
  expect_outcomes("", {
                          {get("http://b/c?d"), "[GET /c?d none host: b|x: 1 end]"},
                          {get("http://b"), "[GET / none host: b|x: 1 end]"},
                          {get("HTTPS://u:p@b:80?q"), "[GET ?q none host: b:80|x: 1 end]"},
                          {get("http://[::1]:8/"), "[GET / none host: [::1]:8|x: 1 end]"},
                          {get("ftp://b/"), "http1.invalid_scheme"},
                          {get("http:///c"), "http1.invalid_url"},
                          {get("http://b:/c"), "http1.invalid_url"},
                          {get("http://b:65536/c"), "http1.invalid_url"},
                          {get("http://[zz]/c"), "http1.invalid_url"},
                          {get("http://a,b/"), "http1.invalid_url"},
                          {get("http://a_b/"), "http1.invalid_url"},
                          {get("http://a@b@c/"), "http1.invalid_url"},
                          {get("*"), "http1.invalid_url"},
                          {"OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n", "[OPTIONS * none host: a end]"},
                      });
  RequestParser parser;
  Recorder<RequestHead> events;
  parser.feed(get("HTTPS://b/"), events);
  EXPECT_EQ(parser.take_head()->scheme, "https");
}

TEST(RequestParser, ReadsWhatConnectAsksFor) {
  const auto ask = [](const std::string& target, const std::string& more = "") {
    return "CONNECT " + target + " HTTP/1.1\r\nhost: x\r\n" + more + "\r\n";
  };
  expect_outcomes(
      "", {
              {ask("a.example:443"), "[CONNECT  tunnel host: a.example:443"},
              {ask("a:80", "content-length: 0\r\n"), "[CONNECT  tunnel host: a:80"},
              {ask("a"), "http1.invalid_url"},
              {ask("/"), "http1.invalid_url"},
              {ask("a:80", "content-length: 5\r\n"), "http1.body_disallowed"},
              {ask("a:80", "transfer-encoding: chunked\r\n"), "http1.invalid_transfer_encoding"},
          });
}

// Source: ENV-HTTP-22, -23, -40.
TEST(RequestParser, PutsHostFirstAndJoinsItsLines) {
  expect_outcomes("GET / HTTP/1.1\r\nx: 1\r\n",
                  {
                      {"host: a\r\nhost: b\r\n\r\n", "[GET / none host: a,b|x: 1 end]"},
                      {"host:\r\n\r\n", "[GET / none host: |x: 1 end]"},
                      {"\r\n", "[GET / none x: 1 end]"},
                      {"host: a b\r\n\r\n", "http.invalid_authority"},
                      {"host: a/b\r\n\r\n", "http.invalid_authority"},
                      {"host: a,%_:99999\r\n\r\n", "[GET / none host: a,%_:99999|x: 1 end]"},
                  });
}

// Source: ENV-HTTP-30.
TEST(RequestParser, JoinsRepeatedSingleSlotHeaders) {
  expect_outcomes(
      kGet,
      {
          {"accept: x\r\ny: 1\r\nAccept: z\r\n\r\n", "[GET / none host: a|accept: x,z|y: 1 end]"},
          {"accept: \r\naccept: x\r\naccept:\r\n\r\n", "[GET / none host: a|accept: x end]"},
          {"y: 1\r\ny: 2\r\n\r\n", "[GET / none host: a|y: 1|y: 2 end]"},
          {"cookie: 1\r\ncookie: 2\r\n\r\n", "[GET / none host: a|cookie: 1|cookie: 2 end]"},
      });
}

// Source: ENV-HTTP-45.
TEST(RequestParser, RemovesWhatConnectionNames) {
  expect_outcomes(
      kGet, {
                {"connection: foo, close, foo\r\nfoo: 1\r\nFoo: 2\r\n\r\n",
                 "[GET / none host: a|connection: close end]"},
                {"connection: foo\r\nfoo: 1\r\n\r\n", "[GET / none host: a end]"},
                {"connection: te\r\nte: gzip, trailers\r\n\r\n",
                 "[GET / none host: a|connection: te|te: trailers end]"},
                {"connection: te\r\nte: gzip\r\n\r\n", "[GET / none host: a end]"},
                {"connection: connection\r\n\r\n", "[GET / none host: a end]"},
                {"connection: host\r\n\r\n", "[GET / none  end]"},
                {"connection: x-forwarded-for\r\n\r\n", "http1.connection_header_rejected"},
                {"connection: :path\r\n\r\n", "http1.connection_header_rejected"},
                {"connection: a,b,c,d,e,f,g,h,i\r\n\r\n", "[GET / none host: a end]"},
                {"connection: a,b,c,d,e,f,g,h,i,j\r\n\r\n", "http1.connection_header_rejected"},
                {"connection: te\r\nte: " + std::string(256, 'a') + "\r\n\r\n",
                 "http1.connection_header_rejected"},
                // The length is gone, the body is not.
                {"connection: content-length\r\ncontent-length: 2\r\n\r\nhi",
                 "[GET / length host: a {hi} end]"},
            });
}

TEST(RequestParser, TurnsAnUpgradeIntoATunnelButNotH2c) {
  expect_outcomes(
      kGet, {
                {"connection: Upgrade, foo\r\nupgrade: websocket\r\nfoo: 1\r\n\r\nraw",
                 "[GET / tunnel host: a|connection: Upgrade, foo|upgrade: websocket|foo: 1 {raw"},
                {"upgrade: websocket\r\n\r\n", "[GET / none host: a|upgrade: websocket end]"},
                {"connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: x\r\n\r\n",
                 "[GET / none host: a end]"},
            });
}

// Source: ENV-HTTP-70, -73, -75.
TEST(RequestParser, ReadsTheFramingHeadersStrictly) {
  const std::string te = "transfer-encoding: ";
  const std::string cl = "content-length: ";
  expect_outcomes(
      kPost,
      {
          {cl + "0002\r\n\r\nhi", "[POST / length host: a|content-length: 0002 {hi} end]"},
          {cl + "0\r\n\r\n", "[POST / none host: a|content-length: 0 end]"},
          {cl + "2\r\n" + cl + "2\r\n\r\nhi", "http1.codec_error"},
          {cl + "2, 2\r\n\r\nhi", "http1.codec_error"},
          {cl + "+2\r\n\r\nhi", "http1.codec_error"},
          {cl + "\r\n\r\n", "http1.codec_error"},
          {cl + "18446744073709551616\r\n\r\n", "http1.codec_error"},
          {cl + "18446744073709551615\r\n\r\nx",
           "[POST / length host: a|content-length: 18446744073709551615 {x"},
          {cl + "2\r\n" + te + "chunked\r\n\r\n", "http1.content_length_and_chunked_not_allowed"},
          {cl + "x\r\n" + te + "chunked\r\n\r\n", "http1.content_length_and_chunked_not_allowed"},
          {cl + "2\r\n" + te + "identity\r\n\r\n", "http1.content_length_and_chunked_not_allowed"},
          {te + "gzip, chunked\r\n\r\n", "http1.invalid_transfer_encoding"},
          {te + "chunked\r\n" + te + "chunked\r\n\r\n", "http1.invalid_transfer_encoding"},
          {te + "identity\r\n\r\n", "http1.invalid_transfer_encoding"},
          {te + "CHUNKED\r\n\r\n0\r\n\r\n",
           "[POST / chunked host: a|transfer-encoding: CHUNKED end]"},
          {"\r\n", "[POST / none host: a end]"},
      });
}

// Source: ENV-HTTP-47, -76.
TEST(RequestParser, ReadsChunksAsLaxlyAsTheRealOne) {
  const std::string hi = kChunkedHead + " {hi} end]";
  expect_outcomes(kChunked,
                  {
                      {"2\r\nhi\r\n0\r\n\r\n", hi},
                      {"0002 \t\r\nhi\r\n000\r\n\r\n", hi},
                      {"2;a=\"x\"\r\nhi\r\n0;b\r\n\r\n", hi},
                      {"2 anything\r\nhi\r\n0\r\n\r\n", hi},
                      {"2\r\nhiX\r\n0\r\n\r\n", hi},
                      {"2\r\nhi\n0\r\n\r\n", hi},
                      {"2\r\nhi\r\n0\r\n\n", hi},
                      {"2\r\nhi\r\n0\r\n\r\r\n\r\n", hi},
                      {"2\r\nhi\r\n0\r\nX: 1\r\n Y\r\n\r\n", hi},
                      {"A\r\n0123456789\r\n0\r\n\r\n", kChunkedHead + " {0123456789} end]"},
                      {"0\r\n\r\n", kChunkedHead + " end]"},
                  });
}

TEST(RequestParser, RefusesChunksAfterItHandedTheHeadOver) {
  for (const std::string bad : {"zz\r\n", "0x2\r\n", "-2\r\n", " 2\r\n", "\r\n", ";\r\n",
                                "10000000000000000\r\n", "2\nhi", "2\r\r\n", "2;a\rb\r\n", "0\n"}) {
    const Outcome outcome = read_requests(kChunked + bad);
    EXPECT_EQ(outcome.error, "http1.codec_error") << bad;
    EXPECT_EQ(outcome.story, kChunkedHead) << bad;
  }
}

TEST(RequestParser, RefusesWrongTrailers) {
  expect_outcomes(kChunked + "0\r\n",
                  {
                      {"X\r\n\r\n", "http1.codec_error"},
                      {"X : 1\r\n\r\n", "http1.codec_error"},
                      {" X: 1\r\n\r\n", "http1.codec_error"},
                      {"X: \x01\r\n\r\n", "http1.invalid_characters"},
                      {"x: " + std::string(60 * 1024, 'a') + "\r\n\r\n", "http1.headers_too_large"},
                  });
}

// Source: ENV-HTTP-77.
TEST(RequestParser, CountsHeadersAfterJoiningThem) {
  const auto with = [](std::size_t lines, const std::string& more) {
    std::string bytes = kGet;
    for (std::size_t i = 1; i < lines; ++i) bytes += "h" + std::to_string(i) + ": 1\r\n";
    return bytes + more + "\r\n";
  };
  EXPECT_EQ(read_requests(with(100, "")).error, "");
  EXPECT_EQ(read_requests(with(101, "")).error, "http1.too_many_headers");
  EXPECT_EQ(read_requests(with(99, "accept: 1\r\naccept: 2\r\n")).error, "");
  EXPECT_EQ(read_requests(with(101, "no colon\r\n")).error, "http1.codec_error");
}

TEST(RequestParser, BoundsTheHeadTo60KiB) {
  const std::string before = kGet + "a: ";
  const std::size_t room = 60 * 1024 - before.size() - 4;
  EXPECT_EQ(read_requests(before + std::string(room, 'x') + "\r\n\r\n").error, "");
  EXPECT_EQ(read_requests(before + std::string(room + 1, 'x') + "\r\n\r\n").error,
            "http1.headers_too_large");
  // It does not wait for the end of a head that is too long.
  EXPECT_EQ(read_requests(std::string("GET /") + std::string(60 * 1024, 'x')).error,
            "http1.headers_too_large");
  EXPECT_EQ(
      read_requests(std::string("\r\n\r\n") + before + std::string(room, 'x') + "\r\n\r\n").error,
      "");
}

TEST(RequestParser, GivesTheAnswerWithTheError) {
  RequestParser parser;
  Recorder<RequestHead> events;
  parser.feed("GET / HTTP/1.0\r\n\r\n", events);
  EXPECT_EQ(parser.error().status, 426);
  EXPECT_EQ(parser.error().reason, "Upgrade Required");
  EXPECT_EQ(parser.feed(kGet, events), 0u);
}

}  // namespace
}  // namespace wire::http1
