#include "wire/http1/response_parser.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "wire/http1/test_events.h"

namespace wire::http1 {
namespace {

struct Case {
  std::string bytes;
  std::string expected;
};

void expect_outcomes(const std::vector<Case>& cases, bool head = false, bool upgrade = false) {
  for (const Case& c : cases) {
    const Outcome outcome = read_response(c.bytes, std::string_view::npos, head, upgrade);
    EXPECT_EQ(outcome.error.empty() ? outcome.story : outcome.error, c.expected) << c.bytes;
  }
}

const std::string kOk = "HTTP/1.1 200 OK\r\n";

TEST(ResponseParser, ReadsBodiesOfEveryFraming) {
  expect_outcomes({
      {kOk + "Content-Length: 2\r\n\r\nok", "[200 length content-length: 2 {ok} end]"},
      {kOk + "content-length: 0\r\n\r\n", "[200 none content-length: 0 end]"},
      {kOk + "transfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nx: 1\r\n\r\n",
       "[200 chunked transfer-encoding: chunked {ok} end]"},
      {kOk + "\r\nto the end", "[200 until-close  {to the end} end]"},
      {kOk + "\r\n", "[200 until-close  end]"},
  });
}

TEST(ResponseParser, TellsOfTheLastChunkBeforeWrongTrailers) {
  struct Events final : ParserEvents<ResponseHead> {
    std::string story;
    void on_head(ResponseHead&) override { story += "head "; }
    void on_body(std::string_view bytes) override { story.append(bytes).append(" "); }
    void on_last_chunk() override { story += "last "; }
    void on_complete() override { story += "end"; }
  };
  ResponseParser parser;
  Events events;
  parser.expect(false, false);
  parser.feed(kOk + "transfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nbad\r\n\r\n", events);
  EXPECT_EQ(events.story, "head ok last ");
  EXPECT_TRUE(parser.error());
}

// Source: ENV-HTTP-51, -55.
TEST(ResponseParser, ReadsStatusLinesAsTheRealOne) {
  const std::string rest = "\r\ncontent-length: 0\r\n\r\n";
  for (const std::string line :
       {"HTTP/1.1 200", "HTTP/1.1  200  Any  words ", "HTTP/1.1\t200", "HTTP/1.0 200 OK",
        "HTTP/2.0 200 OK", "HTTP/1.1 0200 OK", "HTTP/1.1 +200 OK", "HTTP/1.1 65736 OK"}) {
    EXPECT_EQ(read_response(line + rest).story, "[200 none content-length: 0 end]") << line;
  }
  for (const std::string line :
       {"http/1.1 200 OK", "HTTP/1.10 200 OK", "HTTP 200 OK", "HTTP/1.1", "HTTP/1.1 OK",
        "HTTP/1.1 -200 OK", "HTTP/1.1 200x OK", " HTTP/1.1 200 OK", "\r\nHTTP/1.1 200 OK",
        "HTTP/1.1 18446744073709551816 OK"}) {
    EXPECT_EQ(read_response(line + rest).error, "http1.codec_error") << line;
  }
  EXPECT_EQ(read_response("HTTP/1.1 999 x" + rest).story, "[999 none content-length: 0 end]");
}

// Source: ENV-HTTP-54.
TEST(ResponseParser, KnowsWhichAnswersHaveNoBody) {
  expect_outcomes({
      {"HTTP/1.1 204 x\r\n\r\n", "[204 none  end]"},
      {"HTTP/1.1 204 x\r\ncontent-length: 0\r\n\r\n", "[204 none  end]"},
      {"HTTP/1.1 204 x\r\ncontent-length: 2\r\n\r\n", "http1.content_length_not_allowed"},
      {"HTTP/1.1 204 x\r\ntransfer-encoding: chunked\r\n\r\n",
       "http1.transfer_encoding_not_allowed"},
      {"HTTP/1.1 304 x\r\ncontent-length: 5\r\n\r\n", "[304 none content-length: 5 end]"},
      {"HTTP/1.1 304 x\r\ntransfer-encoding: chunked\r\n\r\n",
       "[304 none transfer-encoding: chunked end]"},
      {"HTTP/1.1 304 x\r\ncontent-length: x\r\n\r\n", "[304 none content-length: x end]"},
  });
  expect_outcomes({{kOk + "content-length: 5\r\n\r\n", "[200 none content-length: 5 end]"},
                   {kOk + "\r\n", "[200 none  end]"},
                   {kOk + "content-length: x\r\n\r\n", "http1.codec_error"}},
                  /*head=*/true);
}

TEST(ResponseParser, RefusesAmbiguousFraming) {
  expect_outcomes({
      {kOk + "content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n",
       "http1.content_length_and_chunked_not_allowed"},
      {kOk + "content-length: 2\r\ncontent-length: 2\r\n\r\n", "http1.codec_error"},
      {kOk + "transfer-encoding: gzip\r\n\r\n", "http1.invalid_transfer_encoding"},
  });
}

TEST(ResponseParser, SwallowsInterimResponses) {
  ResponseParser parser;
  Recorder<ResponseHead> events;
  parser.expect(false, false);
  parser.feed("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 x\r\na: 1\r\n\r\n", events);
  EXPECT_TRUE(parser.saw_interim());
  EXPECT_FALSE(parser.in_message());
  parser.feed(kOk + "content-length: 2\r\n\r\nok", events);
  EXPECT_EQ(events.story, "[200 length content-length: 2 {ok} end]");
  expect_outcomes(
      {{"HTTP/1.1 100 x\r\n\r\n\r\n" + kOk, "http1.codec_error"},
       {"HTTP/1.1 100 x\r\ncontent-length: 2\r\n\r\n", "http1.content_length_not_allowed"}});
}

TEST(ResponseParser, HandsSwitchingProtocolsOver) {
  const std::string granted = "HTTP/1.1 101 x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
  const std::string headers = "connection: upgrade|upgrade: websocket";
  expect_outcomes(
      {{granted + "raw", "[101 tunnel " + headers + " {raw"},
       {"HTTP/1.1 101 x\r\n\r\n", "[101 none  end]"},
       {"HTTP/1.1 403 x\r\ncontent-length: 0\r\n\r\n", "[403 none content-length: 0 end]"}},
      /*head=*/false, /*upgrade=*/true);
  expect_outcomes({{granted, "[101 none " + headers + " end]"}});
}

// Source: ENV-HTTP-63, -64.
TEST(ResponseParser, FailsWhereTheConnectionEndsTooEarly) {
  for (const std::string cut :
       {"H", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhi",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n"}) {
    EXPECT_EQ(read_response(cut).error, "http1.codec_error") << cut;
  }
  EXPECT_EQ(read_response("").error, "");  // Nothing came: that is the connection's failure.
}

TEST(ResponseParser, LeavesWhatComesAfterTheResponse) {
  EXPECT_EQ(read_response(kOk + "content-length: 2\r\n\r\nokMORE").left, 4u);
  ResponseParser parser;
  Recorder<ResponseHead> events;
  parser.feed(kOk, events);  // Nobody asked.
  EXPECT_TRUE(parser.error());
}

// Source: ENV-HTTP-79.
TEST(ResponseParser, TellsWhetherTheConnectionCanBeUsedAgain) {
  struct Reuse {
    std::string bytes;
    bool keep_alive;
  };
  const std::string empty = "content-length: 0\r\n";
  for (const Reuse& c :
       std::vector<Reuse>{{kOk + empty, true},
                          {kOk + empty + "connection: foo, Close\r\n", false},
                          {kOk + empty + "proxy-connection: close\r\n", false},
                          {"HTTP/1.0 200 OK\r\n" + empty, false},
                          {"HTTP/1.0 200 OK\r\n" + empty + "connection: keep-alive\r\n", true},
                          {kOk, false}}) {
    ResponseParser parser;
    Recorder<ResponseHead> events;
    parser.expect(false, false);
    parser.feed(c.bytes + "\r\n", events);
    EXPECT_EQ(parser.keep_alive(), c.keep_alive) << c.bytes;
  }
}

TEST(ResponseParser, BoundsTheHead) {
  const auto with = [](int lines) {
    std::string bytes = kOk + "content-length: 0\r\n";
    for (int i = 1; i < lines; ++i) bytes += "h" + std::to_string(i) + ": 1\r\n";
    return bytes + "\r\n";
  };
  EXPECT_EQ(read_response(with(100)).error, "");
  EXPECT_EQ(read_response(with(101)).error, "http1.too_many_headers");
  const std::string before = kOk + "content-length: 0\r\na: ";
  const std::size_t room = 80 * 1024 - before.size() - 4;
  EXPECT_EQ(read_response(before + std::string(room, 'x') + "\r\n\r\n").error, "");
  EXPECT_EQ(read_response(before + std::string(room + 1, 'x') + "\r\n\r\n").error,
            "http1.headers_too_large");
}

TEST(ResponseParser, JoinsRepeatedSingleSlotHeaders) {
  expect_outcomes(
      {{kOk + "vary: a\r\nset-cookie: 1\r\nvary: b\r\nset-cookie: 2\r\nserver: x\r\n\r\n",
        "[200 until-close vary: a,b|set-cookie: 1|set-cookie: 2|server: x end]"}});
}

}  // namespace
}  // namespace wire::http1
