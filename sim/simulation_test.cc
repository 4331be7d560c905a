#include "sim/simulation.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "sim/test_peer.h"

namespace sim {
namespace {

using namespace std::chrono_literals;

/// A world with some of everything; its hash.
std::string story(std::uint64_t seed, world::Duration latency = 1ms) {
  TestPair pair({.seed = seed, .default_link = {.latency = latency, .jitter = 1ms}});
  pair.server.setup = [](TestPeer& peer) {
    peer.then = [&peer](std::string_view what) {
      if (what == "data") peer.transport->write("answer");
      if (what == "end") peer.transport->close();
    };
  };
  pair.connect();
  for (int i = 0; i < 5; ++i) {
    pair.client.transport->write("question " + std::to_string(i));
    pair.simulation.run_for(10ms);
  }
  pair.client.transport->finish();
  pair.simulation.run();
  return pair.simulation.trace().hash().text();
}

TEST(Simulation, LeavesTheSameTraceForTheSameSeed) {
  EXPECT_EQ(story(1), story(1));
}

TEST(Simulation, LeavesAnotherTraceForAnotherSeed) {
  EXPECT_NE(story(1), story(2));
}

/// A changed number here is a changed world: say in the commit which event differs first.
TEST(Simulation, LeavesTheTraceThatEveryCompilerMustLeave) {
  EXPECT_EQ(story(42), "c55c95ef2f37d62824dd4d877c9eaf42");
}

TEST(Simulation, IsNotChangedByAnotherOneThatRanBefore) {
  const std::string first = story(1);
  const std::string other = story(2, 5ms);
  EXPECT_EQ(story(1), first);
  EXPECT_NE(first, other);
}

TEST(Simulation, TwoInOneProcessDoNotSeeEachOther) {
  const auto run = [](TestPair& pair, int steps) {
    for (int i = 0; i < steps; ++i) {
      pair.client.transport->write("x");
      pair.simulation.run_for(1ms);
    }
  };
  TestPair alone;
  alone.connect();
  run(alone, 20);

  TestPair one;
  TestPair two;
  one.connect();
  two.connect();
  two.connect();  // the second takes another port, in its own world only
  for (int i = 0; i < 20; ++i) {
    run(one, 1);
    run(two, 1);
  }
  EXPECT_EQ(one.simulation.trace().hash(), alone.simulation.trace().hash());
  EXPECT_NE(two.simulation.trace().hash(), alone.simulation.trace().hash());
  EXPECT_EQ(one.client.transport->local(), alone.client.transport->local());
}

TEST(Simulation, HostsHaveAddressesNamesAndNumbersInOrder) {
  Simulation simulation;
  Host& first = simulation.add_host("a");
  Host& second = simulation.add_host("b");
  EXPECT_EQ(first.address(), 0x0a000001U);
  EXPECT_EQ(second.address(), 0x0a000002U);
  EXPECT_EQ(simulation.find_host("b"), &second);
  EXPECT_EQ(simulation.find_host("c"), nullptr);
  EXPECT_EQ(simulation.host_name(first.id()), "a");
  EXPECT_EQ(simulation.host_name(0), "world");
  EXPECT_EQ(simulation.host_name(99), "world");
}

TEST(Simulation, CalendarsRunWithTheClockAndCanBeStepped) {
  Simulation simulation;
  Host& steady = simulation.add_host("steady");
  Host& stepped = simulation.add_host("stepped");
  const world::CalendarTime start{std::chrono::seconds(1'767'225'600)};
  stepped.step_calendar(-1h);
  simulation.run_for(90s);
  EXPECT_EQ(steady.calendar(), start + 90s);
  EXPECT_EQ(stepped.calendar(), start + 90s - 1h);
}

TEST(Simulation, HostsDrawFromStreamsOfTheirOwn) {
  Simulation simulation({.seed = 5});
  Simulation again({.seed = 5});
  Host& a = simulation.add_host("a");
  Host& b = simulation.add_host("b");
  again.add_host("another");
  EXPECT_NE(a.random("x").next(), b.random("x").next());
  EXPECT_NE(a.random("x").next(), a.random("y").next());
  EXPECT_EQ(a.random("x").next(), again.add_host("a").random("x").next());
}

TEST(Simulation, FilesAreKeptByHostAndMayBeUnwritable) {
  Simulation simulation;
  Host& host = simulation.add_host("gateway");
  EXPECT_TRUE(host.append("/dev/stdout", "one\n"));
  EXPECT_TRUE(host.append("/dev/stdout", "two\n"));
  host.make_unwritable("/var/log/x");
  EXPECT_FALSE(host.append("/var/log/x", "three\n"));
  EXPECT_EQ(host.files().at("/dev/stdout"), "one\ntwo\n");
  EXPECT_EQ(host.files().size(), 1U);
}

TEST(Simulation, MayBeDroppedInTheMiddleOfEverything) {
  for (int steps = 0; steps < 40; ++steps) {
    TestPair pair;
    pair.connect();
    pair.client.transport->write(std::string(100'000, 'x'));
    pair.server.setup = [](TestPeer& peer) { peer.transport->write("hello"); };
    pair.client_host.resolve("server", [](const auto&) {});
    for (int i = 0; i < steps && pair.simulation.loop().run_one(); ++i) {
    }
    pair.client.transport.reset();
    pair.server.accepted.clear();
  }
}

}  // namespace
}  // namespace sim
