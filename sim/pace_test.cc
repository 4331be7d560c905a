#include <string>

#include <gtest/gtest.h>

#include "sim/connection.h"
#include "sim/test_peer.h"

namespace sim {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kSegmentASecond = Network::kSegmentBytes * 8;

TEST(Pace, ASlowReaderTakesASegmentAndThenWaitsForAsLongAsItsBytesLast) {
  TestPair pair;
  TestPeer& server = pair.establish();
  pair.server_host.set_pace(kSegmentASecond, 0);
  pair.client.transport->write(std::string(3 * Network::kSegmentBytes, 'x'));
  pair.client.transport->finish();
  pair.simulation.run();
  EXPECT_EQ(server.log, "data1460@4ms data1460@1004ms data1460@2004ms end@2004ms");
}

TEST(Pace, ASlowReaderHoldsBackWhoWritesMoreThanItsWindow) {
  TestPair pair;
  TestPeer& server = pair.establish();
  pair.server_host.set_pace(kSegmentASecond, 0);
  // 44 segments fit the window; another goes for each that is read.
  pair.client.transport->write(std::string(50 * Network::kSegmentBytes, 'x'));
  pair.run_to(500ms);
  EXPECT_EQ(pair.client.transport->unsent(), 5 * Network::kSegmentBytes);
  pair.run_to(3s);
  EXPECT_EQ(pair.client.transport->unsent(), 3 * Network::kSegmentBytes);
  pair.simulation.run();
  EXPECT_EQ(server.bytes.size(), 50 * Network::kSegmentBytes);
}

TEST(Pace, ASlowWriterSendsTenPiecesASecond) {
  TestPair pair;
  TestPeer& server = pair.establish();
  pair.client_host.set_pace(0, 800);  // 100 bytes a second
  pair.client.transport->write(std::string(25, 'x'));
  pair.client.transport->finish();
  pair.simulation.run();
  EXPECT_EQ(server.log, "data10@4ms data10@104ms data5@204ms end@204ms");
  EXPECT_EQ(pair.client.log, "drained@203ms");
}

TEST(Pace, WhatWaitsGoesOnAtOnceWhenItIsFastAgain) {
  TestPair pair;
  TestPeer& server = pair.establish();
  pair.client_host.set_pace(0, 8);
  pair.server_host.set_pace(8, 0);
  pair.client.transport->write("abc");
  pair.run_to(1500ms);
  EXPECT_EQ(server.bytes, "ab");
  pair.client_host.set_pace(0, 0);
  pair.server_host.set_pace(0, 0);
  pair.simulation.run();
  EXPECT_EQ(server.log, "data1@4ms data1@1004ms data1@1501ms");
}

TEST(Pace, AHostThatTalksToItselfIsNotSlow) {
  TestPair pair;
  TestServer own(pair.simulation, pair.client_host, 81);
  pair.client.transport = pair.client_host.connect({world::kLoopbackAddress, 81}, pair.client);
  pair.client_host.set_pace(8, 8);
  pair.client.transport->write("abc");
  pair.simulation.run();
  EXPECT_EQ(own.accepted.at(0)->log, "data3@0ms");
}

}  // namespace
}  // namespace sim
