#include "wire/http2/session.h"

#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>

namespace wire::http2 {
namespace {

using ::testing::ElementsAre;

std::string text_of(const HeaderMap& headers) {
  std::string text;
  for (std::size_t i = 0; i < headers.size(); ++i) {
    if (i > 0) text += '|';
    text.append(headers.name(i)).append(": ").append(headers.value(i));
  }
  return text;
}

/// Writes down what a stream hears. Answers nothing by itself.
class Recorder final : public Stream {
 public:
  std::vector<std::string> story;
  RequestHead request;
  ResponseHead response;
  std::size_t body_bytes = 0;
  bool open = true;

 private:
  RequestHead& request_head() override { return request; }
  ResponseHead& response_head() override { return response; }
  void on_head(bool ends) override {
    std::string line;
    if (!request.method.empty()) {
      line = request.method + " " + request.target + " " + text_of(request.headers);
    } else {
      line = std::to_string(response.status) + " " + text_of(response.headers);
      if (response.status < 200) response.clear();
    }
    story.push_back(line + (ends ? " end" : ""));
  }
  void on_data(std::string_view bytes, bool ends) override {
    body_bytes += bytes.size();
    const std::string shown =
        bytes.size() > 20 ? std::to_string(bytes.size()) + " bytes" : std::string(bytes);
    story.push_back("{" + shown + "}" + (ends ? " end" : ""));
  }
  void on_trailers(HeaderMap& trailers) override {
    story.push_back("trailers " + text_of(trailers));
  }
  void on_closed(const StreamEnd& end) override {
    open = false;
    std::string line = end.reset ? "reset " : "closed ";
    line += name_of(end.code);
    if (end.by_peer) line += " by peer";
    if (!end.details.empty()) line.append(" ").append(end.details);
    story.push_back(line);
  }
  void on_drained() override { story.emplace_back("drained"); }
};

/// One end: a session and its streams.
class End final : public SessionEvents {
 public:
  explicit End(Session::Role role, const Session::Options& options = {})
      : session(role, options, *this) {}

  Stream& on_stream() override {
    streams.push_back(std::make_unique<Recorder>());
    return *streams.back();
  }
  void on_output() override {}
  void on_goaway(std::int32_t last_stream, ErrorCode code) override {
    goaways.push_back(std::to_string(last_stream) + " " + std::string(name_of(code)));
  }
  void on_max_streams(std::uint32_t most) override { max_streams = most; }

  std::string output() {
    std::string out;
    session.take_output(out);
    return out;
  }

  std::vector<std::unique_ptr<Recorder>> streams;
  std::vector<std::string> goaways;
  std::uint32_t max_streams = 0;
  Session session;
};

/// A client and a server, and nothing between them.
class SessionTest : public ::testing::Test {
 protected:
  /// Hands over bytes until nobody has more, in pieces of that size.
  void exchange(std::size_t piece = std::string_view::npos) {
    for (bool moved = true; moved;) {
      moved = pass(client, server, piece);
      moved = pass(server, client, piece) || moved;
    }
  }
  static bool pass(End& from, End& to, std::size_t piece) {
    const std::string bytes = from.output();
    for (std::string_view left = bytes; !left.empty();) {
      const std::string part(left.substr(0, piece));  // of its own, so that overruns are seen
      left.remove_prefix(part.size());
      if (!to.session.feed(part)) break;
    }
    return !bytes.empty();
  }

  static RequestHead request(std::string method, const std::string& extra_name = "",
                             const std::string& extra_value = "") {
    RequestHead head;
    head.method = std::move(method);
    head.target = "/p";
    head.headers.add(HeaderName::Host, "a.example");
    if (!extra_name.empty()) head.headers.add(extra_name, extra_value);
    return head;
  }
  Recorder& seen(std::size_t i = 0) { return *server.streams.at(i); }
  static HeaderMap headers(const std::string& name, const std::string& value) {
    HeaderMap map;
    map.add(name, value);
    return map;
  }

  End client{Session::Role::Client};
  End server{Session::Role::Server};
  Recorder asked;
};

TEST_F(SessionTest, BeginsWithTheSettingsOfTheRealProxy) {
  // ENV-HTTP-110: table size 4096, no CONNECT protocol, 1024 streams, windows of 16 and 24 MiB.
  const std::string settings(
      "\x00\x00\x18\x04\x00\x00\x00\x00\x00"
      "\x00\x01\x00\x00\x10\x00"
      "\x00\x08\x00\x00\x00\x00"
      "\x00\x03\x00\x00\x04\x00"
      "\x00\x04\x01\x00\x00\x00"
      "\x00\x00\x04\x08\x00\x00\x00\x00\x00\x01\x7f\x00\x01",
      46);
  EXPECT_EQ(server.output(), settings);
}

TEST_F(SessionTest, CarriesARequestAndItsAnswer) {
  ASSERT_TRUE(client.session.send_request(asked, request("POST"), false));
  asked.send_data("hel", false);
  exchange();
  asked.send_data("lo", true);
  exchange();
  EXPECT_THAT(seen().story, ElementsAre("POST /p host: a.example", "{hel}", "{lo} end"));
  EXPECT_EQ(seen().request.framing, Framing::Chunked);

  server.session.send_response(seen(), 200, headers("x-a", "1"), false);
  seen().send_data("ok", true);
  exchange();
  EXPECT_THAT(asked.story,
              ElementsAre("drained", "drained", "200 x-a: 1", "{ok} end", "closed NO_ERROR"));
  EXPECT_FALSE(seen().open);
  EXPECT_EQ(client.session.open_streams(), 0U);
  EXPECT_EQ(server.session.open_streams(), 0U);
}

TEST_F(SessionTest, FindsTheSameInAnyPieces) {
  RequestHead head = request("POST", "cookie", "a=1");
  head.headers.add("cookie", "b=2");
  ASSERT_TRUE(client.session.send_request(asked, head, false));
  asked.send_data("0123456789", false);
  asked.send_trailers(headers("x-sum", "45"));
  exchange(1);
  // Cookies are joined, and stand last (ENV-HTTP-46).
  EXPECT_THAT(seen().story, ElementsAre("POST /p host: a.example|cookie: a=1; b=2", "{0123456789}",
                                        "trailers x-sum: 45"));
}

TEST_F(SessionTest, KeepsTheOrderOfThePseudoHeaders) {
  RequestHead head = request("GET");
  head.pseudo_order = {HeaderName::PseudoMethod, HeaderName::PseudoScheme, HeaderName::PseudoPath,
                       HeaderName::PseudoAuthority};
  ASSERT_TRUE(client.session.send_request(asked, head, true));
  exchange();
  EXPECT_EQ(seen().request.pseudo_order, head.pseudo_order);
  EXPECT_EQ(seen().request.scheme, "http");
  EXPECT_EQ(seen().request.framing, Framing::None);
}

TEST_F(SessionTest, TellsInterimAnswersAndTrailers) {
  ASSERT_TRUE(client.session.send_request(asked, request("GET"), true));
  exchange();
  server.session.send_interim(seen(), 103, headers("link", "x"));
  server.session.send_response(seen(), 200, {}, false);
  seen().send_trailers(headers("grpc-status", "0"));
  exchange();
  EXPECT_THAT(asked.story,
              ElementsAre("103 link: x", "200 ", "trailers grpc-status: 0", "closed NO_ERROR"));
}

TEST_F(SessionTest, ABrokenMessageEndsTheConnectionWithoutAFrame) {
  exchange();
  ASSERT_TRUE(client.session.send_request(asked, request("GET", "te", "gzip"), true));
  exchange();
  EXPECT_TRUE(server.session.failed());
  EXPECT_EQ(server.session.error(), "codec_error:The_user_callback_function_failed");
  EXPECT_EQ(seen().details(), "http2.invalid.header.field");
  EXPECT_THAT(seen().story, ElementsAre());
  EXPECT_EQ(server.output(), "");
}

TEST_F(SessionTest, AHeadBeyondTheLimitsEndsItsStreamAlone) {
  RequestHead head = request("GET");
  // With the four pseudo headers there are 101.
  for (int i = 0; i < 97; ++i) head.headers.add("x-" + std::to_string(i), "1");
  ASSERT_TRUE(client.session.send_request(asked, head, true));
  exchange();
  EXPECT_THAT(seen().story, ElementsAre("reset INTERNAL_ERROR http2.too_many_headers"));
  EXPECT_THAT(asked.story, ElementsAre("reset INTERNAL_ERROR by peer"));

  Recorder next;
  ASSERT_TRUE(client.session.send_request(next, request("GET"), true));
  exchange();
  EXPECT_THAT(seen(1).story, ElementsAre("GET /p host: a.example end"));
}

TEST_F(SessionTest, ABodyLongerThanItsLengthIsAProtocolError) {
  ASSERT_TRUE(client.session.send_request(asked, request("POST", "content-length", "2"), false));
  asked.send_data("hello", true);
  exchange();
  EXPECT_THAT(seen().story,
              ElementsAre("POST /p host: a.example|content-length: 2", "reset PROTOCOL_ERROR"));
  EXPECT_FALSE(server.session.failed());
}

TEST_F(SessionTest, AReaderThatPausesHoldsBackItsSender) {
  constexpr std::size_t kWindow = 16 * 1024 * 1024;
  constexpr std::size_t kBody = kWindow + 1000;
  ASSERT_TRUE(client.session.send_request(asked, request("POST"), false));
  exchange();
  seen().pause_reading();
  asked.send_data(std::string(kBody, 'x'), true);
  exchange();
  EXPECT_EQ(seen().body_bytes, kWindow);
  EXPECT_EQ(asked.unsent(), 1000U);
  seen().resume_reading();
  exchange();
  EXPECT_EQ(seen().body_bytes, kBody);
  EXPECT_EQ(asked.unsent(), 0U);
  EXPECT_THAT(asked.story, ElementsAre("drained"));
}

TEST_F(SessionTest, AStreamIsResetFromEitherSide) {
  ASSERT_TRUE(client.session.send_request(asked, request("GET"), true));
  exchange();
  asked.reset(ErrorCode::Cancel);
  exchange();
  EXPECT_THAT(asked.story, ElementsAre()) << "who resets is not told of it";
  EXPECT_THAT(seen().story, ElementsAre("GET /p host: a.example end", "reset CANCEL by peer"));

  Recorder refused;
  ASSERT_TRUE(client.session.send_request(refused, request("GET"), true));
  exchange();
  seen(1).reset(ErrorCode::RefusedStream);
  exchange();
  EXPECT_THAT(refused.story, ElementsAre("reset REFUSED_STREAM by peer"));
}

TEST_F(SessionTest, AnAnswerBeforeTheEndOfTheRequestIsFollowedByAResetWithoutError) {
  ASSERT_TRUE(client.session.send_request(asked, request("POST"), false));
  exchange();
  server.session.send_response(seen(), 404, {}, true);
  seen().reset_when_sent();
  exchange();
  EXPECT_THAT(asked.story, ElementsAre("404  end", "reset NO_ERROR by peer"));  // ENV-HTTP-114
}

TEST_F(SessionTest, AShutdownIsAnnouncedThenDone) {
  ASSERT_TRUE(client.session.send_request(asked, request("GET"), true));
  exchange();
  server.session.announce_shutdown();
  Recorder late;
  ASSERT_TRUE(client.session.send_request(late, request("GET"), true));
  exchange();
  EXPECT_THAT(seen(1).story, ElementsAre("GET /p host: a.example end"));
  Recorder too_late;
  EXPECT_FALSE(client.session.send_request(too_late, request("GET"), true));
  server.session.send_goaway(ErrorCode::NoError);
  exchange();
  // ENV-HTTP-115
  EXPECT_THAT(client.goaways, ElementsAre("2147483647 NO_ERROR", "3 NO_ERROR"));
}

TEST_F(SessionTest, SaysHowManyStreamsThePeerTakes) {
  End few{Session::Role::Server, {.max_streams = 2}};
  client.session.feed(few.output());
  EXPECT_EQ(client.max_streams, 2U);
  EXPECT_EQ(client.session.peer_max_streams(), 2U);
}

TEST_F(SessionTest, BytesThatAreNoPrefaceFail) {
  EXPECT_FALSE(server.session.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_TRUE(is_preface("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
  EXPECT_FALSE(is_preface("PRI * HTTP"));
}

TEST_F(SessionTest, PriorityFramesAreLeftOutWhateverTheySay) {
  // On stream 0: nghttp2 itself would end the connection.
  const std::string priority("\x00\x00\x05\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x10", 14);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{4}, std::string_view::npos}) {
    End other{Session::Role::Server};
    End with{Session::Role::Client};
    Recorder one;
    std::string bytes = with.output() + priority;
    ASSERT_TRUE(with.session.send_request(one, request("GET"), true));
    bytes += with.output() + priority;
    for (std::string_view left = bytes; !left.empty();) {
      const std::string part(left.substr(0, piece));
      left.remove_prefix(part.size());
      ASSERT_TRUE(other.session.feed(part));
    }
    EXPECT_THAT(other.streams.at(0)->story, ElementsAre("GET /p host: a.example end"));
  }
}

TEST_F(SessionTest, PriorityFramesAreLimitedByTheStreams) {
  const std::string priority("\x00\x00\x05\x02\x00\x00\x00\x00\x03\x00\x00\x00\x00\x10", 14);
  ASSERT_TRUE(server.session.feed(client.output()));
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(server.session.feed(priority));
  EXPECT_FALSE(server.session.feed(priority));
  EXPECT_EQ(server.session.error(), "codec_error:Too_many_PRIORITY_frames");
}

TEST_F(SessionTest, OneEmptyFrameIsTakenAndTheNextIsAFlood) {
  ASSERT_TRUE(client.session.send_request(asked, request("POST"), false));
  exchange();
  const std::string empty("\x00\x00\x00\x00\x00\x00\x00\x00\x01", 9);
  EXPECT_TRUE(server.session.feed(empty));
  EXPECT_FALSE(server.session.feed(empty));
  EXPECT_EQ(seen().details(), "http2.inbound_empty_frames_flood");
}

TEST_F(SessionTest, WindowUpdatesAreLimitedByWhatIsSent) {
  ASSERT_TRUE(client.session.send_request(asked, request("GET"), true));
  ASSERT_TRUE(server.session.feed(client.output()));
  const std::string update("\x00\x00\x04\x08\x00\x00\x00\x00\x00\x00\x00\x00\x01", 13);
  // The client's first window update came with its settings.
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(server.session.feed(update)) << i;
  EXPECT_FALSE(server.session.feed(update));
  EXPECT_EQ(server.session.error(), "codec_error:Too_many_WINDOW_UPDATE_frames");
}

TEST_F(SessionTest, AStreamMayGoWhileItIsOpen) {
  {
    Recorder gone;
    ASSERT_TRUE(client.session.send_request(gone, request("POST"), false));
    exchange();
  }
  seen().send_data({}, true);
  server.session.send_response(seen(), 200, {}, true);
  exchange();
  EXPECT_FALSE(client.session.failed());
}

}  // namespace
}  // namespace wire::http2
