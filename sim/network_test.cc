#include "sim/network.h"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "sim/simulation.h"
#include "sim/test_peer.h"

namespace sim {
namespace {

using namespace std::chrono_literals;

TEST(Network, ConnectTakesOneRoundTripAndAcceptAHalfMore) {
  TestPair pair;
  pair.connect();
  pair.simulation.run();
  EXPECT_EQ(pair.client.log, "connected@2ms");
  EXPECT_EQ(pair.server.log, "3ms");
  EXPECT_EQ(pair.client.transport->local(), (world::Endpoint{0x0a000001, 32768}));
  EXPECT_EQ(pair.client.transport->remote(), (world::Endpoint{0x0a000002, 80}));
  const world::Transport& accepted = *pair.server.accepted[0]->transport;
  EXPECT_EQ(accepted.local(), pair.client.transport->remote());
  EXPECT_EQ(accepted.remote(), pair.client.transport->local());
  EXPECT_EQ(accepted.flow(), pair.client.transport->flow());
}

TEST(Network, ConnectIsRefusedAfterOneRoundTripWhereNothingListens) {
  TestPair pair;
  pair.connect(81);
  pair.simulation.run();
  EXPECT_EQ(pair.client.log, "connection refused@2ms");
  pair.client.transport.reset();
  EXPECT_EQ(pair.simulation.network().open_connections(), 0U);
}

TEST(Network, ConnectToNoHostFailsAtOnceButNotInsideTheCall) {
  TestPair pair;
  pair.client.transport = pair.client_host.connect({0x0a0000ff, 80}, pair.client);
  EXPECT_EQ(pair.client.log, "");
  pair.simulation.run();
  EXPECT_EQ(pair.client.log, "no route to host@0ms");
}

TEST(Network, NothingIsHeardOfAConnectThatWasGivenUpAtOnce) {
  TestPair pair;
  pair.client.transport = pair.client_host.connect({0x0a0000ff, 80}, pair.client);
  pair.client.transport->close();
  pair.simulation.run();
  EXPECT_EQ(pair.client.log, "");
}

TEST(Network, ConnectThroughABlackholeTimesOutAfter127Seconds) {
  for (const bool answers_are_lost : {false, true}) {
    TestPair pair;
    LinkOptions hole{.latency = 1ms, .blackhole = true};
    if (answers_are_lost) {
      pair.simulation.network().set_link(pair.server_host, pair.client_host, hole);
    } else {
      pair.simulation.network().set_link(pair.client_host, pair.server_host, hole);
    }
    pair.connect();
    pair.simulation.run();
    EXPECT_EQ(pair.client.log, "connection timed out@127s");
    pair.client.transport.reset();
    EXPECT_EQ(pair.simulation.network().open_connections(), 0U);
  }
}

TEST(Network, SynIsSentAgainAndArrivesWhenTheBlackholeHeals) {
  TestPair pair;
  pair.set_links({.latency = 1ms, .blackhole = true});
  pair.connect();
  pair.run_to(5s);  // tries at 0, 1 and 3 s have failed; the next is at 7 s
  pair.set_links({.latency = 1ms});
  pair.simulation.run();
  EXPECT_EQ(pair.client.log, "connected@7002ms");
}

TEST(Network, SynIsTriedForTheLastTimeAt63Seconds) {
  TestPair pair;
  pair.set_links({.latency = 1ms, .blackhole = true});
  pair.connect();
  pair.run_to(64s);
  pair.set_links({.latency = 1ms});
  pair.simulation.run();
  EXPECT_EQ(pair.client.log, "connection timed out@127s");
}

TEST(Network, ConnectionsWaitInTheBacklogUntilAccepted) {
  TestPair pair;
  pair.server.listener->set_accepting(false);
  TestPeer second(pair.simulation);
  pair.connect();
  second.transport = pair.client_host.connect(pair.remote(), second);
  pair.client.transport->write("first");
  pair.run_to(1s);
  EXPECT_EQ(pair.client.log, "connected@2ms drained@2ms");
  EXPECT_EQ(second.log, "connected@2ms");
  EXPECT_EQ(pair.server.log, "");
  pair.server.listener->set_accepting(true);
  pair.simulation.run();
  EXPECT_EQ(pair.server.log, "1s 1s");
  EXPECT_EQ(pair.server.accepted[0]->log, "data5@1s") << "what came meanwhile is not lost";
  EXPECT_EQ(pair.server.accepted[1]->transport->remote(), second.transport->local());
}

TEST(Network, NewConnectionsQueueBehindThoseInTheBacklog) {
  TestPair pair;
  pair.server.listener->set_accepting(false);
  pair.connect();
  pair.run_to(1ms);
  TestPeer second(pair.simulation);
  second.transport = pair.client_host.connect(pair.remote(), second);
  // Accepting again, and the second handshake ending, fall on one instant.
  pair.run_to(4ms - 1ns);
  pair.simulation.loop().post_at(world::TimePoint(4ms), [] {});
  pair.server.listener->set_accepting(false);
  pair.run_to(4ms);
  pair.server.listener->set_accepting(true);
  pair.simulation.run();
  ASSERT_EQ(pair.server.accepted.size(), 2U);
  EXPECT_EQ(pair.server.accepted[0]->transport->remote(), pair.client.transport->local());
  EXPECT_EQ(pair.server.accepted[1]->transport->remote(), second.transport->local());
}

TEST(Network, AFullBacklogDropsTheSynWhichIsTriedAgain) {
  TestPair pair;
  pair.server.listener->set_accepting(false);
  std::vector<std::unique_ptr<TestPeer>> crowd;
  for (std::size_t i = 0; i < Network::kBacklog; ++i) {
    crowd.push_back(std::make_unique<TestPeer>(pair.simulation));
    crowd.back()->transport = pair.client_host.connect(pair.remote(), *crowd.back());
  }
  pair.run_to(10ms);
  pair.connect();
  pair.run_to(500ms);
  EXPECT_EQ(pair.client.log, "");
  pair.server.listener->set_accepting(true);
  pair.simulation.run();
  EXPECT_EQ(pair.client.log, "connected@1012ms");
  EXPECT_EQ(pair.server.accepted.size(), Network::kBacklog + 1);
}

TEST(Network, AConnectionResetInTheBacklogIsAcceptedAndThenFails) {
  TestPair pair;
  pair.server.listener->set_accepting(false);
  pair.connect();
  pair.run_to(10ms);
  pair.client.transport->write("lost");
  pair.client.transport->reset();
  pair.run_to(1s);
  pair.server.listener->set_accepting(true);
  pair.simulation.run();
  ASSERT_EQ(pair.server.accepted.size(), 1U);
  EXPECT_EQ(pair.server.accepted[0]->log, "reset@1s");
}

TEST(Network, ClosingAListenerResetsItsBacklogButNotWhatWasAccepted) {
  TestPair pair;
  TestPeer& accepted = pair.establish();
  pair.server.listener->set_accepting(false);
  TestPeer waiting(pair.simulation);
  waiting.transport = pair.client_host.connect(pair.remote(), waiting);
  pair.run_to(10ms);
  pair.server.listener.reset();
  pair.client.transport->write("on");
  pair.simulation.run();
  EXPECT_EQ(waiting.log, "connected@5ms reset@11ms");
  EXPECT_EQ(accepted.bytes, "on");
}

TEST(Network, AListenerMayBeClosedWhileItHandsOverItsBacklog) {
  TestPair pair;
  pair.server.listener->set_accepting(false);
  TestPeer second(pair.simulation);
  pair.connect();
  second.transport = pair.client_host.connect(pair.remote(), second);
  pair.run_to(10ms);
  pair.server.setup = [&](TestPeer&) { pair.server.listener.reset(); };
  pair.server.listener->set_accepting(true);
  pair.simulation.run();
  EXPECT_EQ(pair.server.log, "10ms");
  EXPECT_EQ(second.log, "connected@2ms reset@11ms");
}

TEST(Network, APortIsListenedOnOnce) {
  TestPair pair;
  TestServer other(pair.simulation, pair.server_host);
  EXPECT_EQ(other.listener, nullptr);
  pair.server.listener.reset();
  TestServer again(pair.simulation, pair.server_host);
  EXPECT_NE(again.listener, nullptr);
  EXPECT_EQ(again.listener->local(), (world::Endpoint{0, 80}));
  EXPECT_FALSE(pair.server_host.listen({0, 0}, again));
}

TEST(Network, AListenerOnLoopbackIsNotSeenFromOutside) {
  TestPair pair;
  TestServer inner(pair.simulation, pair.server_host, 15001, world::kLoopbackAddress);
  pair.connect(15001);
  TestPeer own(pair.simulation);
  own.transport = pair.server_host.connect({world::kLoopbackAddress, 15001}, own);
  pair.simulation.run();
  EXPECT_EQ(pair.client.log, "connection refused@2ms");
  EXPECT_EQ(own.log, "connected@0ms") << "a host's way to itself takes no time";
  EXPECT_EQ(own.transport->local().address, world::kLoopbackAddress);
  EXPECT_EQ(inner.log, "0ms");
}

TEST(Network, PortsAreTakenInTurnAndFreedWhenTheConnectionIsOver) {
  TestPair pair;
  pair.connect();
  pair.simulation.run();
  EXPECT_EQ(pair.client.transport->local().port, 32768);
  pair.client.transport->close();
  pair.client.transport.reset();
  pair.server.accepted.clear();
  pair.simulation.run();
  EXPECT_EQ(pair.simulation.network().open_connections(), 0U);
  pair.connect();
  EXPECT_EQ(pair.client.transport->local().port, 32769);
}

TEST(Network, PortsRunOutTowardsOneRemoteEndAndAreUsedAgain) {
  TestPair pair;
  constexpr std::size_t kPorts = 60999 - 32768 + 1;
  std::vector<std::unique_ptr<world::Transport>> open;
  for (std::size_t i = 0; i < kPorts; ++i) {
    open.push_back(pair.client_host.connect(pair.remote(), pair.client));
  }
  pair.simulation.run();
  pair.client.log.clear();

  TestPeer one_more(pair.simulation);
  one_more.transport = pair.client_host.connect(pair.remote(), one_more);
  TestPeer elsewhere(pair.simulation);
  elsewhere.transport = pair.client_host.connect(pair.remote(81), elsewhere);
  pair.simulation.run();
  EXPECT_EQ(one_more.log, "no local port is free@3ms");
  EXPECT_EQ(elsewhere.log, "connection refused@5ms") << "towards another port there are ports";

  const std::uint16_t freed = open[100]->local().port;
  open[100].reset();
  pair.server.accepted[100].reset();
  pair.simulation.run();
  TestPeer again(pair.simulation);
  again.transport = pair.client_host.connect(pair.remote(), again);
  EXPECT_EQ(again.transport->local().port, freed);
}

TEST(Network, WhatIsWrittenBeforeTheHandshakeIsSentAfterIt) {
  TestPair pair;
  pair.connect();
  pair.client.transport->write("early");
  pair.client.transport->finish();
  EXPECT_EQ(pair.client.transport->unsent(), 5U);
  pair.simulation.run();
  EXPECT_EQ(pair.client.log, "connected@2ms drained@2ms");
  EXPECT_EQ(pair.server.accepted[0]->log, "data5@3ms end@3ms");
}

TEST(Network, ClosingBeforeTheHandshakeIsOverAbandonsTheConnection) {
  TestPair pair;
  pair.connect();
  pair.client.transport->write("early");
  pair.client.transport.reset();
  pair.simulation.run();
  EXPECT_EQ(pair.server.log, "");
  EXPECT_EQ(pair.simulation.network().open_connections(), 0U);
}

TEST(CutOff, AHostThatIsGoneAnswersNobody) {
  TestPair pair;
  TestPeer& accepted = pair.establish();
  pair.server_host.set_cut_off(true);
  pair.client.transport->write("lost");
  pair.run_to(1s);
  EXPECT_EQ(accepted.log, "");
  pair.server_host.set_cut_off(false);
  pair.run_to(2s);
  EXPECT_EQ(accepted.bytes, "lost");
}

}  // namespace
}  // namespace sim
