#include "peers/service.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "peers/raw_connection.h"
#include "sim/simulation.h"

namespace peers {
namespace {

using namespace std::chrono_literals;

std::int64_t ms(world::TimePoint at) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(at.time_since_epoch()).count();
}

/// What a service saw, one word each.
struct Story final : ServiceObserver {
  void on_request(const SeenRequest& request) override {
    text += fmt::format("{}:{}:{}({})@{} ", request.connection, request.head.method,
                        request.head.target, request.body, ms(request.at));
    raw += request.raw;
  }
  void on_connection(std::uint64_t connection, ConnectionEvent event) override {
    const char* const names[] = {"accepted", "end", "reset", "bad", "closed"};
    text += fmt::format("{}:{} ", connection, names[static_cast<int>(event)]);
  }
  void on_bytes(std::uint64_t connection, std::string_view bytes) override {
    text += fmt::format("{}+{} ", connection, bytes);
  }
  std::string text;
  std::string raw;
};

class ServiceTest : public testing::Test {
 protected:
  ServiceTest()
      : client(simulation.add_host("client")),
        server(simulation.add_host("server")),
        service(server, {.service = "books.local",
                         .endpoint = "books-1",
                         .port = 80,
                         .observer = &story,
                         .keep_raw = true}) {
    EXPECT_TRUE(service.start());
    connect();
  }
  void connect() {
    raw = std::make_unique<RawConnection>(client, world::Endpoint{server.address(), 80});
    simulation.run();
    start = simulation.now();
    story.text.clear();
  }
  static Answer fixed(std::string body) {
    Answer answer;
    answer.body = std::move(body);
    return answer;
  }
  std::int64_t since_start(world::TimePoint at) const { return ms(world::TimePoint(at - start)); }

  static constexpr const char* kGet = "GET /1 HTTP/1.1\r\nHost: books\r\n\r\n";
  static constexpr const char* kOk = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

  sim::Simulation simulation;
  sim::Host& client;
  sim::Host& server;
  Story story;
  Service service;
  std::unique_ptr<RawConnection> raw;
  world::TimePoint start{};
};

TEST_F(ServiceTest, EchoesWhatItSaw) {
  raw->send(
      "POST /a?b HTTP/1.1\r\nHost: Books\r\nX-One: 1\r\nx-one: 2\r\ncontent-length: 2\r\n\r\nhi");
  simulation.run();
  const std::string body =
      R"({"service":"books.local","endpoint":"books-1","method":"POST","path":"/a?b",)"
      R"("host":"Books","headers":[["host","Books"],["x-one","1"],["x-one","2"],)"
      R"(["content-length","2"]],"body":"hi"})";
  EXPECT_EQ(raw->received(),
            fmt::format("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: "
                        "{}\r\n\r\n{}",
                        body.size(), body));
  EXPECT_EQ(since_start(raw->first_byte_at()), 2);
}

TEST_F(ServiceTest, EchoesBytesThatAreNoTextInHexadecimal) {
  raw->send("POST / HTTP/1.1\r\nHost: b\r\ncontent-length: 2\r\n\r\n\xff\x01");
  simulation.run();
  EXPECT_NE(raw->received().find(R"("body":{"hex":"ff01"})"), std::string::npos);
}

TEST_F(ServiceTest, AnswersRequestsOfOneConnectionInTurn) {
  Answer slow = fixed("ok");
  slow.after = 10ms;
  service.set_behaviour({.answers = {slow, fixed("2")}});
  raw->send(std::string(kGet) + kGet);
  simulation.run();
  EXPECT_EQ(raw->received(), std::string(kOk) + "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n2");
  EXPECT_EQ(since_start(raw->last_byte_at()), 12);
  EXPECT_EQ(story.text, "1:GET:/1()@4 1:GET:/1()@14 ");
  EXPECT_EQ(story.raw, std::string(kGet) + kGet);
}

TEST_F(ServiceTest, TheLastAnswerIsThatOfAllFurtherRequests) {
  service.set_behaviour({.answers = {fixed("a"), fixed("b")}});
  for (int i = 0; i < 4; ++i) raw->send(kGet);
  simulation.run();
  std::string bodies;
  for (const char c : raw->received()) {
    if (c == 'a' || c == 'b') bodies += c;
  }
  EXPECT_EQ(raw->received().size(), 4 * std::string(kOk).size() - 4);
  EXPECT_EQ(service.counts().requests, 4U);
  EXPECT_EQ(service.counts().answers, 4U);
}

TEST_F(ServiceTest, SendsRawPiecesWithPauses) {
  Answer answer;
  answer.raw = {RawStep::send("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nab"),
                RawStep::wait(30ms), RawStep::send("cd")};
  answer.then = Answer::Then::Close;
  answer.then_after = 20ms;
  service.set_behaviour(Behaviour::always(answer));
  raw->send(kGet);
  simulation.run();
  EXPECT_EQ(since_start(raw->first_byte_at()), 2);
  EXPECT_EQ(since_start(raw->last_byte_at()), 32);
  EXPECT_EQ(since_start(raw->ended_at()), 52);
  EXPECT_EQ(raw->ending(), RawConnection::Ending::Fin);
}

TEST_F(ServiceTest, AnswersAHeadBeforeItsBodyCame) {
  Answer early = fixed("ok");
  early.trigger = Answer::Trigger::Head;
  service.set_behaviour({.answers = {early, fixed("ok")}});
  raw->send("POST /1 HTTP/1.1\r\nHost: b\r\ncontent-length: 4\r\n\r\n12");
  simulation.run();
  EXPECT_EQ(raw->received(), kOk);
  raw->send("34");
  raw->send(kGet);
  simulation.run();
  EXPECT_EQ(raw->received(), std::string(kOk) + kOk);
  EXPECT_EQ(story.text, "1:POST:/1()@4 1:GET:/1()@6 ");
  EXPECT_EQ(story.raw,
            "POST /1 HTTP/1.1\r\nHost: b\r\ncontent-length: 4\r\n\r\n" + std::string(kGet));
}

TEST_F(ServiceTest, HangsResetsAndCloses) {
  service.set_behaviour({.answers = {Answer::abort(), Answer::hang()}});
  raw->send(kGet);
  simulation.run();
  EXPECT_EQ(raw->ending(), RawConnection::Ending::Reset);
  connect();
  raw->send(kGet);
  raw->send("more");
  simulation.run();
  EXPECT_EQ(raw->received(), "");
  EXPECT_EQ(raw->ending(), RawConnection::Ending::None);
  raw->finish();
  simulation.run();
  EXPECT_EQ(story.text, "2:GET:/1()@9 2+more 2:end 2:closed ");
}

TEST_F(ServiceTest, TunnelsAfterAnUpgrade) {
  Answer upgraded;
  upgraded.raw = {
      RawStep::send("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: "
                    "x\r\n\r\n"),
      RawStep::await(4), RawStep::send("pong"), RawStep::act(RawStep::Kind::Close)};
  upgraded.tunnel = true;
  service.set_behaviour(Behaviour::always(upgraded));
  raw->send("GET /1 HTTP/1.1\r\nHost: b\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\npi");
  simulation.run();
  raw->send("ng");
  simulation.run();
  EXPECT_EQ(raw->received().substr(raw->received().size() - 8), "\r\n\r\npong");
  EXPECT_EQ(story.text, "1:GET:/1()@4 1+pi 1+ng 1:closed ");
}

TEST_F(ServiceTest, ClosesWhenTheRequestAsksForIt) {
  service.set_behaviour(Behaviour::always(fixed("ok")));
  raw->send("GET / HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n");
  simulation.run();
  EXPECT_EQ(raw->received(), kOk);
  EXPECT_EQ(raw->ending(), RawConnection::Ending::Fin);
}

TEST_F(ServiceTest, RefusesWhatIsNotHttp) {
  raw->send("\x16\x03\x01 hello\r\n\r\n");
  simulation.run();
  EXPECT_EQ(raw->received().substr(0, 24), "HTTP/1.1 400 Bad Request");
  EXPECT_EQ(story.text.substr(0, 6), "1:bad ");
}

TEST_F(ServiceTest, MayRefuseToServeConnections) {
  service.set_behaviour({.on_connect = {OnConnect::Close, OnConnect::Reset}});
  connect();
  EXPECT_EQ(raw->ending(), RawConnection::Ending::Fin);
  connect();
  EXPECT_EQ(raw->ending(), RawConnection::Ending::Reset);
  connect();
  EXPECT_EQ(raw->ending(), RawConnection::Ending::None);
  service.stop();
  connect();
  EXPECT_EQ(raw->ending(), RawConnection::Ending::Refused);
}

TEST_F(ServiceTest, ClosesConnectionsThatAreIdleTooLong) {
  service.set_behaviour({.answers = {fixed("ok")}, .idle_timeout = 10s});
  raw = std::make_unique<RawConnection>(client, world::Endpoint{server.address(), 80});
  raw->send(kGet);
  simulation.run();
  EXPECT_EQ(raw->ended_at() - raw->first_byte_at(), 10s);
}

TEST_F(ServiceTest, AnswersAClientThatClosedItsHalf) {
  Answer slow = fixed("ok");
  slow.after = 10ms;
  service.set_behaviour(Behaviour::always(slow));
  raw->send(kGet);
  raw->finish();
  simulation.run();
  EXPECT_EQ(raw->received(), kOk);
  EXPECT_EQ(since_start(raw->ended_at()), 12);
}

TEST_F(ServiceTest, ATakenPortIsAnError) {
  Service second(server, {.port = 80});
  const auto started = second.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().message, "port 80 of host server is taken");
}

}  // namespace
}  // namespace peers
