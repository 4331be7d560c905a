#include "sim/connection.h"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "sim/simulation.h"
#include "sim/test_peer.h"

namespace sim {
namespace {

using namespace std::chrono_literals;

std::string pattern(std::size_t bytes) {
  std::string text(bytes, ' ');
  for (std::size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>(i * 31 % 251);
  return text;
}

TEST(Connection, CarriesBytesBothWaysInOneLatency) {
  TestPair pair;
  TestPeer& server = pair.establish();
  pair.client.transport->write("ping");
  server.transport->write("pong!");
  EXPECT_EQ(server.log, "");
  pair.simulation.run();
  EXPECT_EQ(server.log, "data4@4ms");
  EXPECT_EQ(pair.client.log, "data5@4ms");
  EXPECT_EQ(server.bytes + pair.client.bytes, "pingpong!");
}

TEST(Connection, CutsBytesIntoSegmentsOfTheLink) {
  TestPair pair;
  TestPeer& server = pair.establish();
  const std::string sent = pattern(3000);
  pair.client.transport->write(sent);
  pair.simulation.run();
  EXPECT_EQ(server.log, "data1460@4ms data1460@4ms data80@4ms");
  EXPECT_EQ(server.bytes, sent);
}

TEST(Connection, LoopbackTakesNoTimeAndLargeSegments) {
  Simulation simulation;
  Host& host = simulation.add_host("gateway");
  TestServer server(simulation, host);
  TestPeer client(simulation);
  client.transport = host.connect({world::kLoopbackAddress, 80}, client);
  client.transport->write(pattern(60000));
  simulation.run();
  EXPECT_EQ(client.log, "connected@0ms drained@0ms");
  EXPECT_EQ(server.accepted[0]->log, "data60000@0ms");
}

TEST(Connection, APausedReaderHoldsTheSenderAtTheWindow) {
  TestPair pair;
  TestPeer& server = pair.establish();
  server.transport->pause_reading();
  const std::string sent = pattern(100'000);
  pair.client.transport->write(sent);
  // 44 whole segments of 1460 bytes fit into 65536.
  EXPECT_EQ(pair.client.transport->unsent(), 100'000U - 44 * 1460);
  pair.run_to(1s);
  EXPECT_EQ(pair.client.transport->unsent(), 100'000U - 44 * 1460);
  EXPECT_EQ(server.log, "");

  server.transport->resume_reading();
  EXPECT_EQ(server.log, "") << "never inside the call";
  pair.simulation.run();
  EXPECT_EQ(server.bytes, sent);
  // Read at 1 s; the sender hears of the room one latency later.
  EXPECT_EQ(pair.client.log, "drained@1001ms");
  EXPECT_EQ(pair.simulation.now().time_since_epoch(), 1002ms);
}

TEST(Connection, ALongTransferMovesOneWindowARoundTrip) {
  TestPair pair;
  TestPeer& server = pair.establish();
  const std::string sent = pattern(1'000'000);
  pair.client.transport->write(sent);
  pair.simulation.run();
  EXPECT_EQ(server.bytes, sent);
  // 1,000,000 bytes are 685 segments; 44 fit a window: 16 windows. The first arrives at 4 ms, each
  // further one a round trip later.
  EXPECT_EQ(pair.simulation.now().time_since_epoch(), 4ms + 15 * 2ms);
  EXPECT_EQ(pair.client.transport->unsent(), 0U);
  EXPECT_EQ(pair.client.log, "drained@33ms");
}

TEST(Connection, PausingInsideADeliveryHoldsBackTheRest) {
  TestPair pair;
  TestPeer& server = pair.establish();
  server.then = [&](std::string_view) {
    if (server.bytes.size() == 1460) server.transport->pause_reading();
  };
  pair.client.transport->write(pattern(3000));
  pair.client.transport->finish();
  pair.run_to(10ms);
  EXPECT_EQ(server.log, "data1460@4ms");
  server.transport->resume_reading();
  pair.simulation.run();
  EXPECT_EQ(server.log, "data1460@4ms data1460@10ms data80@10ms end@10ms");
}

TEST(Connection, PausingAgainWithinTheResumedDeliveryHoldsBackTheRest) {
  TestPair pair;
  TestPeer& server = pair.establish();
  server.then = [&](std::string_view) { server.transport->pause_reading(); };
  pair.client.transport->write(pattern(3000));
  pair.run_to(10ms);
  server.transport->resume_reading();
  pair.run_to(20ms);
  server.transport->resume_reading();
  pair.simulation.run();
  EXPECT_EQ(server.log, "data1460@4ms data1460@10ms data80@20ms");
}

TEST(Connection, FinFollowsTheLastByteAndLeavesTheOtherDirectionOpen) {
  TestPair pair;
  TestPeer& server = pair.establish();
  pair.client.transport->write("request");
  pair.client.transport->finish();
  pair.simulation.run();
  EXPECT_EQ(server.log, "data7@4ms end@4ms");
  server.transport->write("answer");
  server.transport->finish();
  pair.simulation.run();
  EXPECT_EQ(pair.client.log, "data6@5ms end@5ms");
}

TEST(Connection, FinWaitsForTheWindowLikeTheBytesBeforeIt) {
  TestPair pair;
  TestPeer& server = pair.establish();
  pair.client.transport->write(pattern(100'000));
  pair.client.transport->close();
  pair.simulation.run();
  EXPECT_EQ(server.bytes.size(), 100'000U);
  EXPECT_EQ(server.log.substr(server.log.rfind(' ') + 1), "end@6ms");
  EXPECT_EQ(pair.client.log, "") << "who has closed hears nothing more";
}

TEST(Connection, BothEndsClosedLeavesNothing) {
  TestPair pair;
  TestPeer& server = pair.establish();
  pair.client.transport->close();
  pair.simulation.run();
  EXPECT_EQ(server.log, "end@4ms");
  EXPECT_EQ(pair.simulation.network().open_connections(), 1U);
  server.transport->close();
  pair.client.transport.reset();
  server.transport.reset();
  pair.simulation.run();
  EXPECT_EQ(pair.simulation.network().open_connections(), 0U);
}

TEST(Connection, ResetLosesWhatWasNotSent) {
  TestPair pair;
  TestPeer& server = pair.establish();
  pair.client.transport->write(pattern(100'000));
  pair.client.transport->reset();
  pair.simulation.run();
  EXPECT_EQ(server.bytes.size(), 44U * 1460) << "what was in flight came first";
  EXPECT_EQ(server.log.substr(server.log.rfind(' ') + 1), "reset@4ms");
  EXPECT_EQ(pair.client.log, "");
}

TEST(Connection, ResetLosesWhatThePeerHasNotRead) {
  TestPair pair;
  TestPeer& server = pair.establish();
  server.transport->pause_reading();
  pair.client.transport->write("unread");
  pair.client.transport->reset();
  pair.simulation.run();
  server.transport->resume_reading();
  pair.simulation.run();
  EXPECT_EQ(server.log, "reset@4ms");
}

TEST(Connection, ClosingWithUnreadBytesIsAReset) {
  TestPair pair;
  TestPeer& server = pair.establish();
  server.transport->pause_reading();
  pair.client.transport->write("unread");
  pair.simulation.run();
  server.transport->close();
  pair.simulation.run();
  EXPECT_EQ(pair.client.log, "reset@5ms");
}

TEST(Connection, WritingToAClosedPeerIsAnsweredByAReset) {
  TestPair pair;
  TestPeer& server = pair.establish();
  server.transport->close();
  pair.simulation.run();
  EXPECT_EQ(pair.client.log, "end@4ms");
  pair.client.transport->write("too late");
  pair.simulation.run();
  EXPECT_EQ(pair.client.log, "end@4ms reset@6ms");
  EXPECT_EQ(server.log, "");
  pair.client.transport->write("ignored");
  pair.simulation.run();
  pair.client.transport.reset();
  server.transport.reset();
  EXPECT_EQ(pair.simulation.network().open_connections(), 0U);
}

TEST(Connection, BytesForAnEndThatClosedWhileItStillHadToSendResetBoth) {
  TestPair pair;
  TestPeer& server = pair.establish();
  pair.client.transport->pause_reading();
  server.transport->write(pattern(100'000));
  server.transport.reset();  // closes with 35,760 bytes unsent
  pair.client.transport->write("not read by anyone");
  pair.simulation.run();
  EXPECT_EQ(pair.client.log, "reset@5ms");
  pair.client.transport.reset();
  pair.simulation.run();
  EXPECT_EQ(pair.simulation.network().open_connections(), 0U);
}

TEST(Connection, DeadEndsTakeCallsWithoutHarm) {
  TestPair pair;
  TestPeer& server = pair.establish();
  pair.client.transport->reset();
  pair.simulation.run();
  EXPECT_EQ(server.log, "reset@4ms");
  server.transport->write("x");
  server.transport->pause_reading();
  server.transport->resume_reading();
  server.transport->finish();
  server.transport->reset();
  server.transport->close();
  pair.client.transport->close();
  pair.client.transport->reset();
  pair.simulation.run();
  EXPECT_EQ(server.log, "reset@4ms");
}

TEST(Connection, AnEndlessExchangeAtOneInstantIsDeclaredStuck) {
  Simulation simulation({.instant_limit = 10'000});
  simulation.add_host("other");
  Host& host = simulation.add_host("gateway");
  TestServer server(simulation, host);
  TestPeer client(simulation);
  server.setup = [&](TestPeer& peer) {
    peer.then = [&](std::string_view) { client.transport->write("x"); };
  };
  client.transport = host.connect({world::kLoopbackAddress, 80}, client);
  client.transport->write("x");
  simulation.run();
  EXPECT_TRUE(simulation.loop().stuck());
  EXPECT_EQ(simulation.host_name(simulation.loop().stuck_owner()), "gateway");
}

/// Whoever is told something may destroy its end, or the whole peer, there and then.
class DestroyedInside : public testing::TestWithParam<std::string> {};

TEST_P(DestroyedInside, LeavesNothingBehind) {
  for (const bool reset_first : {false, true}) {
    TestPair pair;
    std::unique_ptr<TestPeer> client = std::make_unique<TestPeer>(pair.simulation);
    const auto destroy = [reset_first, event = GetParam()](std::unique_ptr<TestPeer>& peer) {
      return [reset_first, event, &peer](std::string_view what) {
        if (what != event || !peer) return;
        if (reset_first) peer->transport->reset();
        peer.reset();
      };
    };
    client->then = destroy(client);
    pair.server.setup = [&](TestPeer& accepted) {
      accepted.then = destroy(pair.server.accepted.back());
      accepted.transport->pause_reading();
      accepted.transport->write("hello");
    };
    client->transport = pair.client_host.connect(pair.remote(), *client);
    client->transport->write(pattern(100'000));
    client->transport->finish();
    pair.run_to(10ms);
    for (auto& peer : pair.server.accepted) {
      if (peer) peer->transport->resume_reading();
    }
    pair.run_to(20ms);
    for (auto& peer : pair.server.accepted) {
      if (peer && GetParam() == "reset") client->transport->reset();
    }
    pair.run_to(30ms);
    client.reset();
    pair.server.accepted.clear();
    pair.simulation.run();
    EXPECT_EQ(pair.simulation.network().open_connections(), 0U);
  }
}

INSTANTIATE_TEST_SUITE_P(Connection, DestroyedInside,
                         testing::Values("connected", "data", "end", "drained", "reset"),
                         [](const auto& each) { return each.param; });

TEST(Connection, DestroyedInsideARefusalLeavesNothingBehind) {
  TestPair pair;
  auto client = std::make_unique<TestPeer>(pair.simulation);
  client->then = [&](std::string_view) { client.reset(); };
  client->transport = pair.client_host.connect(pair.remote(81), *client);
  auto stray = std::make_unique<TestPeer>(pair.simulation);
  stray->then = [&](std::string_view) { stray.reset(); };
  stray->transport = pair.client_host.connect({0x0a0000ff, 81}, *stray);
  pair.simulation.run();
  EXPECT_EQ(client, nullptr);
  EXPECT_EQ(stray, nullptr);
  EXPECT_EQ(pair.simulation.network().open_connections(), 0U);
}

TEST(Connection, DestroyedWhileItIsAcceptedLeavesNothingBehind) {
  TestPair pair;
  pair.server.setup = [&](TestPeer&) { pair.server.accepted.clear(); };
  pair.connect();
  pair.client.transport->write("early");
  pair.simulation.run();
  EXPECT_EQ(pair.client.log, "connected@2ms drained@2ms end@4ms reset@4ms");
  pair.client.transport.reset();
  EXPECT_EQ(pair.simulation.network().open_connections(), 0U);
}

}  // namespace
}  // namespace sim
