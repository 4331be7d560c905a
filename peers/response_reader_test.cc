#include "peers/response_reader.h"

#include <string>

#include <gtest/gtest.h>

#include "peers/http_text.h"

namespace peers {
namespace {

/// What is found, as one line: "H200 B(abc) C". Fed `piece` bytes at a time.
std::string story(std::string_view bytes, std::size_t piece, bool skip_body = false) {
  ResponseReader reader;
  std::string out;
  std::string body;
  const auto flush = [&] {
    if (!body.empty()) out += "B(" + body + ") ";
    body.clear();
  };
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    // A copy of its own, so that a sanitizer sees views that outlive the bytes.
    const std::string copy(bytes.substr(at, piece));
    std::string_view rest = copy;
    while (true) {
      const auto found = reader.next(rest);
      if (found == ResponseReader::Found::NeedMore) break;
      if (found == ResponseReader::Found::Body) {
        body += reader.piece();
        continue;
      }
      flush();
      if (found == ResponseReader::Found::Bad) return out + "bad";
      if (found == ResponseReader::Found::Complete) out += reader.keeps_alive() ? "C " : "last ";
      if (found == ResponseReader::Found::Head) {
        out += "H" + std::to_string(reader.status()) + " ";
        EXPECT_EQ(reader.head().substr(0, 5), "HTTP/");
        EXPECT_EQ(reader.head().back(), '\n');
        if (skip_body) reader.skip_body();
      }
    }
  }
  flush();
  if (reader.end()) out += "until-end";
  return out;
}

struct Case {
  const char* bytes;
  const char* story;
  bool skip_body = false;
};

TEST(ResponseReader, FindsTheSameInPiecesOfAnySize) {
  const Case cases[] = {
      {"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc", "H200 B(abc) C "},
      {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 404 No\r\ncontent-length:1\r\n\r\nx",
       "H200 C H404 B(x) C "},
      {"HTTP/1.1 200 OK\r\ntransfer-encoding: "
       "chunked\r\n\r\n2;a=b\r\nab\r\nA\r\n0123456789\r\n0\r\n"
       "trailer: 1\r\n\r\nHTTP/1.1 204 No\r\n\r\n",
       "H200 B(ab0123456789) C H204 C "},
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nlink: x\r\n\r\nHTTP/1.1 304 Not "
       "Modified\r\ncontent-length: 9\r\n\r\n",
       "H100 H103 H304 C "},
      {"HTTP/1.1 200 OK\r\nconnection: Close\r\ncontent-length: 1\r\n\r\nz", "H200 B(z) last "},
      {"HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\nz", "H200 B(z) last "},
      {"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 1\r\n\r\nz", "H200 B(z) C "},
      {"HTTP/1.1 200 OK\r\n\r\nall of it", "H200 B(all of it) until-end"},
      {"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", "H200 C H200 C ",
       true},
      {"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n", "H101 last "},
      {"HTTP/1.1 200\ncontent-length: 2\n\nok", "H200 B(ok) C "},
      {"HTTP/1.1 200 \ncontent-length: 2\n\nok", "H200 B(ok) C "},
      {"HTTP/2 200 OK\r\n\r\n", "bad"},
      {"HTTP/1.1 200 OK\r\ncontent-length: 1x\r\n\r\n", "bad"},
      {"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n", "H200 bad"},
  };
  for (const Case& one : cases) {
    for (const std::size_t piece : {1U, 2U, 3U, 7U, 1000U}) {
      EXPECT_EQ(story(one.bytes, piece, one.skip_body), one.story) << one.bytes << " by " << piece;
    }
  }
}

TEST(HeaderLines, KeepsOrderSpellingAndRepetition) {
  const auto lines = header_lines("HTTP/1.1 200 OK\r\nB: 1 \r\na:2\r\nB:\t3\r\n\r\n");
  const HeaderLines expected{{"B", "1"}, {"a", "2"}, {"B", "3"}};
  EXPECT_EQ(lines, expected);
}

}  // namespace
}  // namespace peers
