#include <fmt/format.h>
#include <gtest/gtest.h>

#include "peers/client.h"
#include "peers/service.h"
#include "sim/simulation.h"

namespace peers {
namespace {

using namespace std::chrono_literals;
using wire::WebSocketOpcode;
using Kind = WebSocketStep::Kind;

std::int64_t ms(world::TimePoint at) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(at.time_since_epoch()).count();
}

std::string text_of(std::span<const WebSocketFrame> frames) {
  std::string text;
  for (const WebSocketFrame& frame : frames) {
    text += fmt::format("{}:{}", static_cast<int>(frame.opcode), frame.bytes);
    if (frame.code != 0) text += fmt::format("/{}", frame.code);
    text += fmt::format("@{} ", ms(frame.at));
  }
  return text;
}

struct Story final : ClientObserver, ServiceObserver {
  void on_outcome(const RequestOutcome& outcome) override {
    text = fmt::format("{} {}@{}", outcome.status, outcome.failure, ms(outcome.ended));
    frames = text_of(outcome.frames);
  }
  void on_websocket(std::uint64_t, std::span<const WebSocketFrame> seen) override {
    service_frames = text_of(seen);
  }
  std::string text, frames, service_frames;
};

WebSocketStep send(std::string text) {
  return {Kind::Send, {WebSocketOpcode::Text, std::move(text)}, {}, 0};
}
WebSocketStep close_frame(std::uint16_t code) {
  return {Kind::Send, {WebSocketOpcode::Close, {}, code}, {}, 0};
}
WebSocketStep await_frames(std::size_t count) {
  return {Kind::Await, {}, {}, count};
}
WebSocketStep act(Kind kind) {
  return {kind, {}, {}, 0};
}

/// A client and a service, 1 ms apart: open after 4 ms.
class WebSocketTest : public testing::Test {
 protected:
  WebSocketTest()
      : client_host(simulation.add_host("client")),
        server_host(simulation.add_host("server")),
        service(server_host, {.port = 80, .observer = &story}),
        client(client_host, {.observer = &story}) {
    EXPECT_TRUE(service.start());
  }
  void serve(WebSocketScript script) {
    Answer answer;
    answer.body = "no socket";
    answer.websocket = std::make_shared<const WebSocketScript>(std::move(script));
    service.set_behaviour(Behaviour::always(answer));
  }
  void ask(std::vector<WebSocketStep> steps) {
    RequestSpec spec;
    spec.host = "server";
    spec.address = world::Endpoint{server_host.address(), 80};
    spec.websocket = std::make_shared<const WebSocketScript>(WebSocketScript{std::move(steps)});
    client.send(spec);
    simulation.run();
  }

  sim::Simulation simulation;
  sim::Host& client_host;
  sim::Host& server_host;
  Story story;
  Service service;
  Client client;
};

TEST_F(WebSocketTest, EchoUntilTheClientCloses) {
  serve({.steps = {}, .echo = true});
  ask({send("one"),
       await_frames(1),
       {Kind::Pause, {}, 10ms, 0},
       send("two"),
       await_frames(1),
       close_frame(1000)});
  // 4 ms open, 6 ms the first echo, 16 ms after the pause, 18 ms the second, 20 ms the end.
  EXPECT_EQ(story.text, "101 @20");
  EXPECT_EQ(story.frames, "1:one@6 1:two@18 8:/1000@20 ");
  EXPECT_EQ(story.service_frames, "1:one@5 1:two@17 8:/1000@19 ");
  EXPECT_EQ(client.counts().connections, 0U);
  EXPECT_EQ(service.counts().connections, 0U);
}

TEST_F(WebSocketTest, TheServiceMayCloseFirst) {
  serve({.steps = {send("hello"), {Kind::Pause, {}, 5ms, 0}, close_frame(1001)}});
  ask({});
  EXPECT_EQ(story.frames, "1:hello@4 8:/1001@9 ");
  EXPECT_EQ(story.text, "101 @11");
}

TEST_F(WebSocketTest, ConnectionsMayEndWithoutAFrame) {
  serve({.steps = {send("hello"), act(Kind::Close)}});
  ask({});
  EXPECT_EQ(story.text, "101 @4");
  EXPECT_EQ(story.frames, "1:hello@4 ");
  serve({.steps = {act(Kind::Reset)}});
  ask({});
  EXPECT_EQ(story.text.substr(0, 48), "101 connection reset in the middle of an answer@");
}

TEST_F(WebSocketTest, ClientMayReset) {
  serve({.steps = {}, .echo = true});
  ask({send("x"), await_frames(1), act(Kind::Reset)});
  EXPECT_EQ(story.text, "101 @6");
  EXPECT_EQ(story.service_frames, "1:x@5 ");
}

TEST_F(WebSocketTest, RefusedLikeAnyRequest) {
  Answer answer;
  answer.status = 403;
  answer.body = "";
  service.set_behaviour(Behaviour::always(answer));
  ask({send("x")});
  EXPECT_EQ(story.text, "403 @4");
}

TEST_F(WebSocketTest, ARequestWithoutUpgradeIsAnswered) {
  serve({.steps = {}, .echo = true});
  RequestSpec spec;
  spec.host = "server";
  client.send(spec);
  simulation.run();
  EXPECT_EQ(story.text.substr(0, 5), "200 @");
}

TEST_F(WebSocketTest, AWrongAcceptIsNoWebSocket) {
  Answer answer;
  answer.raw = {RawStep::send(
      "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
      "sec-websocket-accept: wrong\r\n\r\n")};
  service.set_behaviour(Behaviour::always(answer));
  ask({send("x")});
  EXPECT_EQ(story.text, "101 not an HTTP answer@4");
}

}  // namespace
}  // namespace peers
