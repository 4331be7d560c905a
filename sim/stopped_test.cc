#include <string>

#include <gtest/gtest.h>

#include "sim/connection.h"
#include "sim/test_peer.h"

namespace sim {
namespace {

using namespace std::chrono_literals;

/// The process of a host is stopped, as by a signal; its kernel goes on.
struct StoppedTest : testing::Test {
  void stop(Host& host) { pair.simulation.loop().freeze(host.id()); }
  void go_on(Host& host) { pair.simulation.loop().thaw(host.id()); }

  TestPair pair;
};

TEST_F(StoppedTest, ItsKernelAcceptsAndTheProcessHearsOfItLater) {
  stop(pair.server_host);
  pair.connect();
  pair.client.transport->write("hello");
  pair.run_to(1s);
  EXPECT_EQ(pair.client.log, "connected@2ms drained@2ms");
  EXPECT_EQ(pair.server.log, "");
  go_on(pair.server_host);
  pair.simulation.run();
  EXPECT_EQ(pair.server.log, "1s");
  EXPECT_EQ(pair.server.accepted.at(0)->log, "data5@1s");
}

TEST_F(StoppedTest, BytesWaitInItsWindowAndHoldTheSenderBackWhenItIsFull) {
  TestPeer& server = pair.establish();
  stop(pair.server_host);
  pair.client.transport->write(std::string(100'000, 'x'));
  pair.run_to(1s);
  EXPECT_EQ(server.log, "");
  EXPECT_GT(pair.client.transport->unsent(), 100'000 - Network::kWindowBytes);
  go_on(pair.server_host);
  pair.simulation.run();
  EXPECT_EQ(server.bytes.size(), 100'000U);
  EXPECT_EQ(server.log.substr(0, 11), "data1460@1s");
  EXPECT_EQ(pair.client.transport->unsent(), 0U);
}

TEST_F(StoppedTest, TheEndComesAfterTheBytes) {
  TestPeer& server = pair.establish();
  stop(pair.server_host);
  pair.client.transport->write("bye");
  pair.client.transport->finish();
  pair.run_to(1s);
  go_on(pair.server_host);
  pair.simulation.run();
  EXPECT_EQ(server.log, "data3@1s end@1s");
}

TEST_F(StoppedTest, AResetIsHeardOfLaterAndTheBytesBeforeItAreLost) {
  TestPeer& server = pair.establish();
  stop(pair.server_host);
  pair.client.transport->write("bye");
  pair.client.transport->reset();
  pair.run_to(1s);
  EXPECT_EQ(server.log, "");
  go_on(pair.server_host);
  pair.simulation.run();
  EXPECT_EQ(server.log, "reset@1s");
}

TEST_F(StoppedTest, ATimerThatIsOverdueMayCloseWhatWouldHaveBeenTold) {
  TestPeer& server = pair.establish();
  world::Timer timer(pair.simulation.loop(), pair.server_host.id(),
                     world::bind<&TestPeer::on_drained>(&server));
  server.then = [&](std::string_view event) {
    if (event == "drained") server.transport.reset();
  };
  timer.start_at(world::TimePoint(500ms));
  stop(pair.server_host);
  pair.client.transport->write("late");
  pair.run_to(400ms);
  pair.client.transport->reset();
  pair.run_to(1s);
  go_on(pair.server_host);
  pair.simulation.run();
  EXPECT_EQ(server.log, "drained@1s");
}

TEST_F(StoppedTest, AClientIsConnectedMeanwhileAndLearnsItLater) {
  pair.connect();
  pair.client.transport->write("early");
  stop(pair.client_host);
  pair.run_to(1s);
  EXPECT_EQ(pair.server.accepted.at(0)->log, "data5@3ms");
  EXPECT_EQ(pair.client.log, "");
  go_on(pair.client_host);
  pair.simulation.run();
  EXPECT_EQ(pair.client.log, "connected@1s drained@1s");
}

TEST_F(StoppedTest, ANameIsKnownLater) {
  std::string log;
  pair.client_host.resolve("server", [&](const world::Resolution&) {
    log += text_of(pair.simulation.now().time_since_epoch());
  });
  stop(pair.client_host);
  pair.run_to(1s);
  EXPECT_EQ(log, "");
  go_on(pair.client_host);
  pair.simulation.run();
  EXPECT_EQ(log, "1s");
}

TEST_F(StoppedTest, ItsKernelStillAnswersProbes) {
  pair.client_host.set_keep_alive({.idle = 1s, .interval = 1s, .probes = 2});
  pair.connect();
  pair.run_to(10ms);  // not to the end: it never stops asking
  pair.client.log.clear();
  stop(pair.server_host);
  pair.run_to(60s);
  EXPECT_EQ(pair.client.log, "");
}

TEST(HalfOpen, TheOtherEndHearsOfItWhenItSends) {
  TestPair pair;
  TestPeer& server = pair.establish();
  pair.simulation.network().abandon_connections(pair.server_host, &pair.client_host);
  pair.run_to(1s);
  EXPECT_NE(server.log.find("@3ms"), std::string::npos) << server.log;
  EXPECT_EQ(pair.client.log, "");
  pair.client.transport->write("still there?");
  pair.simulation.run();
  EXPECT_EQ(pair.client.log, "reset@1002ms");
}

TEST(HalfOpen, OnlyThoseWithThatPeerAreMeant) {
  TestPair pair;
  Host& third = pair.simulation.add_host("third");
  TestPeer& server = pair.establish();
  pair.simulation.network().abandon_connections(pair.server_host, &third);
  pair.client.transport->write("hi");
  pair.simulation.run();
  EXPECT_EQ(server.bytes, "hi");
}

TEST(ResetBetween, BothEndsHearOfItAtOnceAndMayEndOtherConnections) {
  TestPair pair;
  TestPeer& first = pair.establish();
  TestPeer other(pair.simulation);
  other.transport = pair.client_host.connect(pair.remote(), other);
  pair.run_to(10ms);
  other.log.clear();
  other.then = [&](std::string_view) { pair.client.transport.reset(); };
  pair.simulation.network().reset_connections(pair.client_host, pair.server_host);
  pair.simulation.run();
  EXPECT_EQ(other.log, "reset@10ms");
  EXPECT_EQ(pair.client.log, "");  // its user had left
  EXPECT_NE(first.log, "");
  other.transport.reset();
  pair.server.accepted.clear();
  EXPECT_EQ(pair.simulation.network().open_connections(), 0U);
}

}  // namespace
}  // namespace sim
