#include "sim/link.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "sim/simulation.h"
#include "sim/test_peer.h"

namespace sim {
namespace {

using namespace std::chrono_literals;

/// When each of many single bytes arrived, sent one every 10 s over a link.
std::vector<world::Duration> delays(const LinkOptions& options, int count, std::uint64_t seed = 1) {
  TestPair pair({.seed = seed});
  TestPeer& server = pair.establish();
  pair.simulation.network().set_link(pair.client_host, pair.server_host, options);
  std::vector<world::Duration> result;
  world::TimePoint sent{};
  server.then = [&](std::string_view) { result.push_back(pair.simulation.now() - sent); };
  for (int i = 0; i < count; ++i) {
    sent = pair.simulation.now();
    pair.client.transport->write("x");
    pair.simulation.run_for(10s);
  }
  return result;
}

TEST(Link, LossIsFeltAsARetransmissionTimeoutThatDoubles) {
  int lost[3] = {};
  for (const world::Duration delay : delays({.latency = 1ms, .loss_per_million = 250'000}, 2000)) {
    // 1 ms, then 200 ms more, then 400 ms more, then 800 ms more, ...
    if (delay == 1ms) ++lost[0];
    if (delay == 201ms) ++lost[1];
    if (delay == 601ms) ++lost[2];
    const auto waited = (delay - 1ms) / 200ms;
    EXPECT_EQ(delay, 1ms + waited * 200ms);
    EXPECT_EQ(waited & (waited + 1), 0) << "one less than a power of two";
  }
  EXPECT_NEAR(lost[0], 1500, 80);
  EXPECT_NEAR(lost[1], 375, 60);
  EXPECT_NEAR(lost[2], 94, 40);
}

TEST(Link, LossLeavesTheOrderOfBytesAlone) {
  TestPair pair;
  TestPeer& server = pair.establish();
  pair.set_links({.latency = 1ms, .loss_per_million = 300'000});
  std::string sent;
  for (char c = 'a'; c <= 'z'; ++c) {
    pair.client.transport->write(std::string(1, c));
    sent += c;
  }
  pair.simulation.run();
  EXPECT_EQ(server.bytes, sent);
}

TEST(Link, ALinkThatLosesEverythingIsGivenUp) {
  TestPair pair;
  pair.establish();
  pair.set_links({.latency = 1ms, .loss_per_million = 1'000'000});
  pair.client.transport->write("x");
  pair.simulation.run();
  // 0.2 + 0.4 + ... + 102.4 s, then six times 120 s: 924.6 s, as Linux's tcp_retries2 = 15.
  EXPECT_EQ(pair.client.log, "connection timed out@924604ms");

  TestPeer second(pair.simulation);
  second.transport = pair.client_host.connect(pair.remote(), second);
  const world::TimePoint asked = pair.simulation.now();
  pair.simulation.run();
  EXPECT_EQ(second.log, "connection timed out@" + text_of((asked + 127s).time_since_epoch()));
}

TEST(Link, JitterStaysWithinItsBounds) {
  bool early = false;
  bool late = false;
  for (const world::Duration delay : delays({.latency = 5ms, .jitter = 4ms}, 500)) {
    EXPECT_GE(delay, 5ms);
    EXPECT_LE(delay, 9ms);
    early = early || delay < 5200us;
    late = late || delay > 8800us;
  }
  EXPECT_TRUE(early);
  EXPECT_TRUE(late);
}

TEST(Link, JitterIsTheSameForTheSameSeedOnly) {
  const LinkOptions options{.latency = 5ms, .jitter = 4ms};
  EXPECT_EQ(delays(options, 20, 1), delays(options, 20, 1));
  EXPECT_NE(delays(options, 20, 1), delays(options, 20, 2));
}

TEST(Link, JitterKeepsTheOrderWithinAConnection) {
  TestPair pair;
  TestPeer& server = pair.establish();
  pair.set_links({.latency = 1ms, .jitter = 50ms});
  std::string sent;
  for (int i = 0; i < 200; ++i) {
    const std::string piece = std::to_string(i) + ",";
    sent += piece;
    pair.client.transport->write(piece);
    pair.simulation.run_for(1ms);
  }
  pair.simulation.run();
  EXPECT_EQ(server.bytes, sent);
}

TEST(Link, BandwidthSendsOneSegmentAfterAnother) {
  TestPair pair;
  TestPeer& server = pair.establish();
  // 1 Mbit/s: a segment of 1460 bytes and 40 of headers takes 12 ms; one of 10 bytes 400 us.
  pair.set_links({.latency = 1ms, .bits_per_second = 1'000'000});
  pair.client.transport->write(std::string(1460 + 1460 + 10, 'x'));
  pair.simulation.run();
  EXPECT_EQ(server.log, "data1460@16ms data1460@28ms data10@28400us");
}

TEST(Link, BandwidthIsSharedByTheConnectionsOfALink) {
  TestPair pair;
  TestPeer second(pair.simulation);
  second.transport = pair.client_host.connect(pair.remote(), second);
  pair.establish();
  pair.set_links({.latency = 1ms, .bits_per_second = 1'000'000});
  pair.client.transport->write(std::string(1460, 'x'));
  second.transport->write(std::string(1460, 'y'));
  pair.server.accepted[1]->transport->write("back");  // another direction: not behind them
  pair.simulation.run();
  EXPECT_EQ(pair.server.accepted[1]->log, "data1460@16ms");
  EXPECT_EQ(pair.server.accepted[0]->log, "data1460@28ms");
  EXPECT_EQ(pair.client.log, "data4@4352us");
}

TEST(Link, BandwidthRoundsDownToWholeNanoseconds) {
  TestPair pair;
  TestPeer& server = pair.establish();
  pair.set_links({.latency = 1ms, .bits_per_second = 7'000'000});
  pair.client.transport->write("x");  // 41 bytes: 328 bits: 46857.14 ns
  pair.simulation.run();
  EXPECT_EQ(server.log, "data1@4046857ns");
}

TEST(Link, ChangesAreFeltByOpenConnections) {
  TestPair pair;
  TestPeer& server = pair.establish();
  pair.client.transport->write("a");
  pair.set_links({.latency = 10ms});
  pair.client.transport->write("b");
  pair.simulation.run();
  EXPECT_EQ(server.log, "data1@4ms data1@13ms") << "what is under way keeps its time";
  pair.set_links({.latency = 2ms});
  server.transport->write("c");
  pair.simulation.run();
  EXPECT_EQ(pair.client.log, "data1@15ms");
}

TEST(Link, AFasterLinkDoesNotOvertakeWhatIsUnderWay) {
  TestPair pair;
  TestPeer& server = pair.establish();
  pair.set_links({.latency = 10ms});
  pair.client.transport->write("a");
  pair.set_links({.latency = 1ms});
  pair.client.transport->write("b");
  pair.simulation.run();
  EXPECT_EQ(server.bytes, "ab");
  EXPECT_EQ(server.log, "data1@13ms data1@13ms");
}

TEST(Link, TheDefaultLinkIsThatOfEveryPairWithoutItsOwn) {
  TestPair pair;
  Host& third = pair.simulation.add_host("third");
  Network& network = pair.simulation.network();
  network.set_link(pair.client_host, pair.server_host, {.latency = 7ms});
  network.set_default_link({.latency = 3ms});
  EXPECT_EQ(network.link(pair.client_host, pair.server_host).latency, 7ms);
  EXPECT_EQ(network.link(pair.server_host, pair.client_host).latency, 3ms);
  EXPECT_EQ(network.link(third, pair.client_host).latency, 3ms);
  EXPECT_EQ(network.link(third, third).latency, 0ms);
  pair.connect();
  network.set_default_link({.latency = 4ms});
  pair.simulation.run();
  EXPECT_EQ(pair.client.log, "connected@11ms");
}

TEST(Link, WhatABlackholeSwallowsIsSentAgainWhenItHeals) {
  TestPair pair;
  TestPeer& server = pair.establish();
  pair.client.transport->write("a");
  pair.set_links({.latency = 1ms, .blackhole = true});
  pair.client.transport->write("b");
  pair.run_to(1s);
  EXPECT_EQ(server.log, "");
  pair.set_links({.latency = 1ms});
  pair.simulation.run();
  // Arrivals at 4 ms, then 200, 400 and 800 ms later.
  EXPECT_EQ(server.log, "data1@1404ms data1@1404ms");
  pair.client.transport->write("c");
  pair.simulation.run();
  EXPECT_EQ(server.log, "data1@1404ms data1@1404ms data1@1405ms");
}

TEST(Link, ASenderGivesUpABlackholeAfterAQuarterOfAnHour) {
  TestPair pair;
  TestPeer& server = pair.establish();
  pair.simulation.network().set_link(pair.client_host, pair.server_host,
                                     {.latency = 1ms, .blackhole = true});
  pair.client.transport->write("x");
  pair.simulation.run();
  EXPECT_EQ(pair.client.log, "connection timed out@924604ms");
  EXPECT_EQ(server.log, "") << "the other end cannot know";

  pair.set_links({.latency = 1ms});
  server.transport->write("anyone there?");
  pair.simulation.run();
  EXPECT_EQ(server.log, "reset@924606ms");
  pair.client.transport.reset();
  server.transport.reset();
  EXPECT_EQ(pair.simulation.network().open_connections(), 0U);
}

TEST(Link, OnlyTheSenderIntoABlackholeIsHeldUp) {
  TestPair pair;
  TestPeer& server = pair.establish();
  pair.simulation.network().set_link(pair.client_host, pair.server_host,
                                     {.latency = 1ms, .blackhole = true});
  pair.client.transport->write("x");
  server.transport->write("y");
  pair.run_to(1s);
  EXPECT_EQ(pair.client.log, "data1@4ms");
  EXPECT_EQ(server.log, "");
}

TEST(Link, AnIdleConnectionDoesNotNoticeABlackhole) {
  TestPair pair;
  TestPeer& server = pair.establish();
  pair.set_links({.latency = 1ms, .blackhole = true});
  pair.simulation.run_for(24h);
  pair.set_links({.latency = 1ms});
  pair.client.transport->write("x");
  pair.simulation.run();
  EXPECT_EQ(server.bytes, "x");
}

}  // namespace
}  // namespace sim
