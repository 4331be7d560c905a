// Properties that hold for any bytes: pieces do not matter, and nothing is read past the end.

#include <fstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "gtest/gtest.h"
#include "wire/http1/chars.h"
#include "wire/http1/fast_head.h"
#include "wire/http1/test_events.h"
#include "world/random.h"

namespace wire::http1 {
namespace {

/// Text of a record is latin-1: one character is one byte.
std::string bytes_of(const std::string& utf8) {
  std::string bytes;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto c = static_cast<unsigned char>(utf8[i]);
    if (c < 0x80) {
      bytes += utf8[i];
    } else {
      const auto next = static_cast<unsigned char>(utf8.at(++i));
      bytes += static_cast<char>(((c & 0x03) << 6) | (next & 0x3f));
    }
  }
  return bytes;
}

struct Recorded {
  std::vector<std::string> requests;   ///< All that an HTTP/1 client sent.
  std::vector<std::string> responses;  ///< All that it got.
};

Recorded read_records() {
  Recorded recorded;
  std::ifstream file(MESHPROOF_RECORDED_HTTP);
  for (std::string line; std::getline(file, line);) {
    const auto record = nlohmann::json::parse(line);
    if (record["stimulus"]["proto"] != "h1") continue;
    std::string sent;
    for (const auto& step : record["stimulus"]["steps"]) {
      if (step.contains("send")) sent += bytes_of(step["send"]);
      if (step.contains("send_repeat")) {
        for (int i = 0; i < step["send_repeat"][1].get<int>(); ++i) {
          sent += bytes_of(step["send_repeat"][0]);
        }
      }
    }
    recorded.requests.push_back(std::move(sent));
    recorded.responses.push_back(bytes_of(record["observed"]["client"]["raw"]));
  }
  return recorded;
}

/// A wrong request line is answered before later control characters are seen, if these come later.
bool same_error(const std::string& a, const std::string& b) {
  const auto early = [](const std::string& error) {
    return error == "http1.codec_error" || error == "http1.invalid_characters";
  };
  return a == b || (early(a) && early(b));
}

void expect_same(const Outcome& whole, const Outcome& pieces, const std::string& bytes) {
  EXPECT_EQ(whole.story, pieces.story) << bytes.substr(0, 400);
  EXPECT_TRUE(same_error(whole.error, pieces.error)) << whole.error << " / " << pieces.error << "\n"
                                                     << bytes.substr(0, 400);
}

/// Changes some bytes, in ways that tend to matter.
std::string mutate(std::string bytes, world::Random& random) {
  static const std::vector<std::string> kTokens = {"\r\n",
                                                   "\n",
                                                   "\r",
                                                   " ",
                                                   "\t",
                                                   ":",
                                                   ",",
                                                   ";",
                                                   std::string(1, '\0'),
                                                   "\x7f",
                                                   "\x80",
                                                   "0",
                                                   "content-length: 2\r\n",
                                                   "transfer-encoding: chunked\r\n",
                                                   "connection: close, te\r\n",
                                                   "host: q\r\n",
                                                   "accept: z\r\n",
                                                   "HTTP/1.0",
                                                   "\r\n\r\n",
                                                   "0\r\n\r\n",
                                                   " fold\r\n",
                                                   "x: \r\n"};
  const auto below = [&random](std::size_t bound) {
    return static_cast<std::size_t>(random.below(bound));
  };
  for (std::size_t changes = 1 + below(3); changes > 0; --changes) {
    const std::size_t at = below(bytes.size() + 1);
    switch (below(3)) {
      case 0:
        bytes.insert(at, kTokens[below(kTokens.size())]);
        break;
      case 1:
        if (at < bytes.size()) bytes[at] = static_cast<char>(below(256));
        break;
      default:
        bytes.erase(at, 1 + below(3));
        break;
    }
  }
  return bytes;
}

TEST(Pieces, DoNotMatterForRecordedRequests) {
  const Recorded recorded = read_records();
  ASSERT_GT(recorded.requests.size(), 300u);
  for (const std::string& bytes : recorded.requests) {
    const Outcome whole = read_requests(bytes);
    for (const std::size_t piece : {1u, 2u, 7u, 64u}) {
      if (piece == 1 && bytes.size() > 20000) continue;
      expect_same(whole, read_requests(bytes, piece), bytes);
    }
  }
}

TEST(Pieces, DoNotMatterForRecordedResponses) {
  for (const std::string& bytes : read_records().responses) {
    for (const std::size_t piece : {1u, 3u, 50u}) {
      expect_same(read_response(bytes), read_response(bytes, piece), bytes);
    }
  }
}

TEST(Pieces, DoNotMatterForSpoiltMessages) {
  const Recorded recorded = read_records();
  world::Random random(20240817);
  for (int round = 0; round < 4000; ++round) {
    const std::size_t which = static_cast<std::size_t>(random.below(recorded.requests.size()));
    const std::string& request = recorded.requests[which];
    const std::string& response = recorded.responses[which];
    if (!request.empty() && request.size() < 2000) {
      const std::string bytes = mutate(request, random);
      expect_same(read_requests(bytes), read_requests(bytes, 1 + random.below(9)), bytes);
    }
    if (!response.empty() && response.size() < 2000) {
      const std::string bytes = mutate(response, random);
      expect_same(read_response(bytes), read_response(bytes, 1 + random.below(9)), bytes);
    }
  }
}

TEST(Pieces, TakeTheExactWayToTheSameHeadAsTheShortCut) {
  // A head in two pieces never takes the short cut; one in a single piece mostly does.
  const Recorded recorded = read_records();
  int short_cuts = 0;
  for (const std::string& bytes : recorded.requests) {
    FirstLine line;
    HeaderMap headers;
    HeaderFacts facts;
    if (read_fast_request(bytes, 100, line, headers, facts) == 0) continue;
    ++short_cuts;
    expect_same(read_requests(bytes), read_requests(bytes, 5), bytes);
  }
  EXPECT_GT(short_cuts, 250);
}

}  // namespace
}  // namespace wire::http1
