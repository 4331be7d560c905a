#include <cstdint>
#include <string>

#include <gtest/gtest.h>

#include "live/test_peer.h"
#include "live/world.h"

namespace live {
namespace {

std::string pattern(std::size_t bytes) {
  std::string text(bytes, ' ');
  for (std::size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>(i * 31 % 251);
  return text;
}

enum class Kind : std::uint8_t { Kernel, InProcess };

/// Two ends of a connection, over the kernel's loopback or within the process: the same holds.
class Transport : public testing::TestWithParam<Kind> {
 protected:
  static constexpr std::uint16_t kOwnPort = 15001;

  world::Endpoint remote() const {
    return {world::kLoopbackAddress, server.listener->local().port};
  }
  void connect() { client.transport = at.world.connect(remote(), client); }
  /// Connected and accepted.
  TestPeer& establish() {
    connect();
    at.until([&] { return client.heard("connected") && server.accepted.size() == 1; });
    client.log.clear();
    return *server.accepted.at(0);
  }
  /// Turns until the kernel has no more room for what `peer` writes, or nothing moves any more.
  void until_held_back(const TestPeer& peer) {
    std::size_t before = 0;
    do {
      before = peer.transport->unsent();
      at.settle();
    } while (peer.transport->unsent() != before);
  }

  TestWorld at;
  TestServer server{at.world, GetParam() == Kind::Kernel
                                  ? world::Endpoint{0, 0}
                                  : world::Endpoint{world::kLoopbackAddress, kOwnPort}};
  TestPeer client;
};

INSTANTIATE_TEST_SUITE_P(Live, Transport, testing::Values(Kind::Kernel, Kind::InProcess),
                         [](const auto& kind) {
                           return kind.param == Kind::Kernel ? "Kernel" : "InProcess";
                         });

TEST_P(Transport, CarriesBytesBothWays) {
  TestPeer& peer = establish();
  client.transport->write("ping");
  peer.transport->write("pong!");
  at.until([&] { return peer.bytes == "ping" && client.bytes == "pong!"; });
  EXPECT_EQ(client.transport->local(), peer.transport->remote());
  EXPECT_EQ(client.transport->remote(), peer.transport->local());
}

TEST_P(Transport, SendsWhatWasWrittenBeforeTheHandshake) {
  connect();
  client.transport->write("early ");
  client.transport->write("bird");
  EXPECT_EQ(client.log, "") << "never inside the call";
  at.until([&] { return !server.accepted.empty() && server.accepted[0]->bytes.size() == 10; });
  EXPECT_EQ(server.accepted[0]->bytes, "early bird");
  EXPECT_TRUE(client.log.starts_with("connected")) << client.log;
}

TEST_P(Transport, IsRefusedWhereNothingListens) {
  const world::Endpoint nobody = remote();
  server.listener.reset();
  client.transport = at.world.connect(nobody, client);
  client.transport->write("anybody?");
  EXPECT_EQ(client.log, "");
  at.until([&] { return !client.log.empty(); });
  EXPECT_EQ(client.log, "refused");
}

TEST_P(Transport, WaitsInTheBacklogWhileTheListenerDoesNotAccept) {
  server.listener->set_accepting(false);
  connect();
  client.transport->write("hello");
  at.until([&] { return client.heard("connected"); });
  at.settle();
  EXPECT_TRUE(server.accepted.empty());
  server.listener->set_accepting(true);
  EXPECT_TRUE(server.accepted.empty()) << "never inside the call";
  at.until([&] { return !server.accepted.empty() && server.accepted[0]->bytes == "hello"; });
}

TEST_P(Transport, CarriesALargeTransferBothWaysAtOnce) {
  TestPeer& peer = establish();
  const std::string sent = pattern(5'000'000);
  client.transport->write(sent);
  peer.transport->write(sent);
  at.until([&] { return peer.bytes.size() == sent.size() && client.bytes.size() == sent.size(); });
  EXPECT_EQ(peer.bytes, sent);
  EXPECT_EQ(client.bytes, sent);
  at.until([&] { return client.heard("drained") && peer.heard("drained"); });
  EXPECT_EQ(client.transport->unsent(), 0U);
}

TEST_P(Transport, APausedReaderHoldsTheSenderBack) {
  TestPeer& peer = establish();
  peer.transport->pause_reading();
  const std::string sent = pattern(20'000'000);
  client.transport->write(sent);
  until_held_back(client);
  EXPECT_GT(client.transport->unsent(), 0U);
  EXPECT_EQ(peer.log, "");
  EXPECT_EQ(client.log, "");

  peer.transport->resume_reading();
  EXPECT_EQ(peer.log, "") << "never inside the call";
  at.until([&] { return peer.bytes.size() == sent.size() && client.heard("drained"); });
  EXPECT_EQ(peer.bytes, sent);
}

TEST_P(Transport, PausingInsideADeliveryHoldsBackTheRest) {
  TestPeer& peer = establish();
  peer.then = [&](std::string_view) { peer.transport->pause_reading(); };
  client.transport->write(pattern(1'000'000));
  at.until([&] { return !peer.bytes.empty(); });
  const std::size_t first = peer.bytes.size();
  at.settle();
  EXPECT_EQ(peer.bytes.size(), first);
  peer.then = [](std::string_view) {};
  peer.transport->resume_reading();
  at.until([&] { return peer.bytes.size() == 1'000'000; });
  EXPECT_EQ(peer.bytes, pattern(1'000'000));
}

TEST_P(Transport, FinFollowsTheLastByteAndLeavesTheOtherDirectionOpen) {
  TestPeer& peer = establish();
  client.transport->write(pattern(1'000'000));
  client.transport->finish();
  at.until([&] { return peer.heard("end"); });
  EXPECT_EQ(peer.bytes, pattern(1'000'000));
  EXPECT_EQ(peer.log, "data end");
  peer.transport->write("answer");
  peer.transport->finish();
  at.until([&] { return client.heard("end"); });
  EXPECT_EQ(client.bytes, "answer");
}

TEST_P(Transport, CloseSendsWhatWasWritten) {
  TestPeer& peer = establish();
  client.transport->write(pattern(5'000'000));
  client.transport.reset();
  at.until([&] { return peer.heard("end"); });
  EXPECT_EQ(peer.bytes, pattern(5'000'000));
  EXPECT_EQ(client.log, "") << "who has closed hears nothing more";
}

TEST_P(Transport, ResetIsHeardByThePeerAlone) {
  TestPeer& peer = establish();
  client.transport->reset();
  at.until([&] { return !peer.log.empty(); });
  EXPECT_EQ(peer.log, "reset");
  at.settle();
  EXPECT_EQ(client.log, "");
}

TEST_P(Transport, APausedReaderHearsOfAReset) {
  TestPeer& peer = establish();
  peer.transport->pause_reading();
  client.transport->write("unread");
  at.settle();
  client.transport->reset();
  at.until([&] { return !peer.log.empty(); });
  EXPECT_EQ(peer.log, "reset");
}

TEST_P(Transport, ClosingWithUnreadBytesIsAReset) {
  TestPeer& peer = establish();
  peer.transport->pause_reading();
  client.transport->write("unread");
  at.settle();
  peer.transport->close();
  at.until([&] { return !client.log.empty(); });
  EXPECT_EQ(client.log, "reset");
}

TEST_P(Transport, WritingToAClosedPeerIsAnsweredByAReset) {
  TestPeer& peer = establish();
  peer.transport->close();
  at.until([&] { return client.heard("end"); });
  client.in_call = true;
  client.transport->write("too late");
  client.in_call = false;
  at.until([&] { return client.heard("reset"); });
  EXPECT_EQ(client.log, "end reset");
}

TEST_P(Transport, WhatCameBeforeAResetIsReadFirst) {
  TestPeer& peer = establish();
  peer.transport->write("last words");
  at.settle();
  peer.transport->reset();
  at.until([&] { return client.heard("reset"); });
  EXPECT_EQ(client.bytes, "last words");
  EXPECT_EQ(client.log, "data reset");
}

TEST_P(Transport, CanBeDestroyedInAnyCall) {
  for (const std::string event : {"connected", "data", "end", "drained"}) {
    SCOPED_TRACE(event);
    TestPeer other;
    server.accepted.clear();
    server.setup = [](TestPeer& peer) {
      peer.transport->write("bytes");
      peer.transport->finish();
    };
    bool gone = false;
    other.then = [&](std::string_view told) {
      if (told != event) return;
      other.transport.reset();
      gone = true;
    };
    other.transport = at.world.connect(remote(), other);
    other.transport->write(pattern(300'000));
    at.until([&] { return gone; });
    const std::string log = other.log;
    at.settle();
    EXPECT_EQ(other.log, log);
  }
}

TEST_P(Transport, TheListenerCanGoInsideItsCall) {
  server.setup = [&](TestPeer&) { server.listener.reset(); };
  TestPeer second;
  const world::Endpoint to = remote();
  client.transport = at.world.connect(to, client);
  second.transport = at.world.connect(to, second);
  at.until([&] { return server.accepted.size() == 1 && second.heard("re"); });
  EXPECT_TRUE(second.heard("reset") || second.heard("refused")) << second.log;
}

TEST_P(Transport, EndsThatAreLeftWhenTheWorldGoesAreNoMatter) {
  TestPeer& peer = establish();
  client.transport->write(pattern(20'000'000));
  client.transport.reset();
  peer.transport.reset();
  at.settle();
}

}  // namespace
}  // namespace live
