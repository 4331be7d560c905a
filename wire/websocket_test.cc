#include "wire/websocket.h"

#include <gtest/gtest.h>

namespace wire {
namespace {

/// One end, and what it was told.
struct End final : WebSocketEvents {
  explicit End(WebSocket::Role role, std::uint64_t seed = 1)
      : socket(role, world::Random(seed), *this) {}
  void on_message(WebSocketOpcode opcode, std::string_view bytes, std::uint16_t code) override {
    told += std::to_string(static_cast<int>(opcode)) + ":" + std::string(bytes);
    if (code != 0) told += "/" + std::to_string(code);
    told += ' ';
  }
  std::string output() {
    std::string out;
    socket.take_output(out);
    return out;
  }
  std::string told;
  WebSocket socket;
};

TEST(WebSocket, MessagesPassBothWays) {
  End client(WebSocket::Role::Client);
  End server(WebSocket::Role::Server);
  client.socket.send(WebSocketOpcode::Text, "hello");
  client.socket.send(WebSocketOpcode::Binary, std::string(70000, 'b'));
  for (const char c : client.output()) ASSERT_TRUE(server.socket.feed({&c, 1}));
  EXPECT_EQ(server.told.substr(0, 8), "1:hello ");
  EXPECT_EQ(server.told.size(), 8 + 2 + 70000 + 1U);
  server.socket.send(WebSocketOpcode::Text, "back");
  const std::string bytes = server.output();
  EXPECT_EQ(bytes,
            "\x81\x04"
            "back");  // a server does not mask
  EXPECT_TRUE(client.socket.feed(bytes));
  EXPECT_EQ(client.told, "1:back ");
}

TEST(WebSocket, PingAndCloseAreAnswered) {
  End client(WebSocket::Role::Client);
  End server(WebSocket::Role::Server);
  client.socket.send(WebSocketOpcode::Ping, "p");
  EXPECT_TRUE(server.socket.feed(client.output()));
  EXPECT_TRUE(client.socket.feed(server.output()));
  client.socket.close(1001, "bye");
  EXPECT_TRUE(server.socket.feed(client.output()));
  EXPECT_EQ(server.told, "9:p 8:bye/1001 ");
  EXPECT_TRUE(client.socket.feed(server.output()));
  EXPECT_EQ(client.told, "10:p 8:bye/1001 ");
  EXPECT_TRUE(client.socket.close_sent() && client.socket.close_received());
  EXPECT_TRUE(server.socket.close_sent() && server.socket.close_received());
}

TEST(WebSocket, MasksComeFromTheSeed) {
  const auto bytes = [](std::uint64_t seed) {
    End client(WebSocket::Role::Client, seed);
    client.socket.send(WebSocketOpcode::Text, "hello");
    return client.output();
  };
  EXPECT_EQ(bytes(1), bytes(1));
  EXPECT_NE(bytes(1), bytes(2));
}

TEST(WebSocket, BrokenFramesEndIt) {
  End server(WebSocket::Role::Server);
  EXPECT_FALSE(server.socket.feed("\x81\x02hi"));  // a client must mask
  EXPECT_EQ(server.output(), "\x88\x02\x03\xea");  // 1002
}

// Source: RFC 6455, section 1.3.
TEST(WebSocket, AcceptAnswersTheKey) {
  EXPECT_EQ(websocket_accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  world::Random random(1);
  EXPECT_EQ(websocket_key(random).size(), 24U);
}

}  // namespace
}  // namespace wire
