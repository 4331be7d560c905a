#include "live/world.h"

#include <chrono>
#include <csignal>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

#include "live/test_peer.h"

namespace live {
namespace {

using namespace std::chrono_literals;

/// Two instants that the machine was busy at, and bytes that came between them.
std::string order_after_a_stall(const RuntimeOptions& options) {
  Runtime runtime(options);
  World world(runtime, {.name = "test", .seed = 1, .listen_address = world::kLoopbackAddress});
  std::string order;
  TestServer server(world, {});
  TestPeer client;
  server.setup = [&](TestPeer& peer) {
    peer.then = [&](std::string_view event) {
      if (event == "data") order += "data ";
    };
  };
  client.transport =
      world.connect({world::kLoopbackAddress, server.listener->local().port}, client);
  while (!client.heard("connected") || server.accepted.empty()) runtime.turn();
  const world::TimePoint now = runtime.loop().now();
  runtime.loop().post_at(now + 1us, [&] {
    order += "first ";
    client.transport->write("x");
  });
  runtime.loop().post_at(now + 1ms, [&] { order += "second "; });
  // Whatever the kernel does takes its time: the clock is past both instants.
  const auto busy_until = std::chrono::steady_clock::now() + 2ms;
  while (std::chrono::steady_clock::now() < busy_until) {
  }
  while (order.size() < std::string_view("first second data ").size()) runtime.turn();
  return order;
}

TEST(Runtime, AClockThatWaitsLetsBytesComeBeforeLaterInstants) {
  EXPECT_EQ(order_after_a_stall({.waits_for_loop = true}), "first data second ");
  EXPECT_EQ(order_after_a_stall({}), "first second data ");
}

TEST(Runtime, APaceMakesSecondsShort) {
  Runtime runtime({.pace = 1000});
  const auto begun = std::chrono::steady_clock::now();
  bool rang = false;
  runtime.loop().post_at(world::TimePoint(30s), [&] { rang = true; });
  while (!rang) runtime.turn();
  EXPECT_GE(runtime.loop().now(), world::TimePoint(30s));
  EXPECT_GE(std::chrono::steady_clock::now() - begun, 29ms);
}

TEST(World, ATakenPortIsAnErrorThatNamesIt) {
  TestWorld at;
  TestServer server(at.world, {});
  const std::uint16_t port = server.listener->local().port;
  const auto again = at.world.listen({0, port}, server);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().text(), "port " + std::to_string(port) + " is in use");

  TestServer own(at.world, {world::kLoopbackAddress, 15001});
  const auto own_again = at.world.listen({world::kLoopbackAddress, 15001}, own);
  ASSERT_FALSE(own_again);
  EXPECT_EQ(own_again.error().text(), "127.0.0.1:15001 is in use");
}

TEST(World, AListenerOnLoopbackIsNoPortOfTheMachine) {
  Runtime runtime;
  World one(runtime);
  World other(runtime);
  TestServer of_one(one, {world::kLoopbackAddress, 15001});
  TestServer of_other(other, {world::kLoopbackAddress, 15001});
  EXPECT_NE(of_one.listener, nullptr);
  EXPECT_NE(of_other.listener, nullptr);
  EXPECT_TRUE(one.listening().empty());
}

TEST(World, SaysWhereItListens) {
  TestWorld at;
  TestServer server(at.world, {});
  server.listener->set_accepting(false);
  ASSERT_EQ(at.world.listening().size(), 1U);
  EXPECT_EQ(at.world.listening()[0].local, server.listener->local());
  EXPECT_FALSE(at.world.listening()[0].accepting);
  server.listener->set_accepting(true);
  EXPECT_TRUE(at.world.listening()[0].accepting);
  server.listener.reset();
  EXPECT_TRUE(at.world.listening().empty());
}

TEST(World, ResolvesWithoutHoldingUpTheLoop) {
  TestWorld at;
  std::string found;
  bool in_call = true;
  at.world.resolve("localhost", [&](const world::Resolution& answer) {
    EXPECT_FALSE(in_call);
    EXPECT_EQ(answer.status, world::Resolution::Status::Found);
    for (const std::uint32_t address : answer.addresses) {
      found += world::Endpoint{address, 0}.address_text();
    }
  });
  in_call = false;
  at.until([&] { return !found.empty(); });
  EXPECT_EQ(found, "127.0.0.1");
}

TEST(World, ResolvesAnAddressToItself) {
  TestWorld at;
  world::Resolution found;
  at.world.resolve("10.1.2.3", [&](const world::Resolution& answer) { found = answer; });
  at.until([&] { return !found.addresses.empty(); });
  EXPECT_EQ(found.addresses, std::vector<std::uint32_t>{0x0a010203});
}

TEST(World, OneSeedGivesTheSameRandomNumbers) {
  Runtime runtime;
  const World one(runtime, {.name = "one", .seed = 7, .listen_address = 0});
  const World same(runtime, {.name = "same", .seed = 7, .listen_address = 0});
  const World other(runtime);
  EXPECT_EQ(one.random("ids").next(), same.random("ids").next());
  EXPECT_NE(one.random("ids").next(), other.random("ids").next());
}

TEST(Runtime, TimersWaitForRealTime) {
  // Before there is a clock: it stands at its begin until it is looked at.
  const auto before = std::chrono::steady_clock::now();
  TestWorld at;
  bool rang = false;
  at.runtime.loop().post_at(at.world.now() + 20ms, [&] { rang = true; });
  at.until([&] { return rang; });
  EXPECT_GE(std::chrono::steady_clock::now() - before, 20ms);
}

TEST(Runtime, ASignalEndsTheRun) {
  TestWorld at;
  at.runtime.stop_on_signals();
  at.runtime.loop().post([] { ::kill(::getpid(), SIGTERM); });
  at.runtime.run();
  EXPECT_TRUE(at.runtime.stopped());
}

}  // namespace
}  // namespace live
