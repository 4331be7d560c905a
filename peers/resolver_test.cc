#include "peers/resolver.h"

#include <gtest/gtest.h>

#include "sim/simulation.h"

namespace peers {
namespace {

using namespace std::chrono_literals;
using world::Resolution;

TEST(Resolver, KeepsAnAnswerForItsTimeToLive) {
  sim::Simulation simulation;
  sim::Host& client = simulation.add_host("client");
  simulation.names().set("edge", {.addresses = {7, 5}, .time_to_live = 10s, .delay = 2ms});
  Resolver resolver(client);
  EXPECT_EQ(resolver.cached("edge"), nullptr);

  world::TimePoint answered{};
  int answers = 0;
  for (int i = 0; i < 2; ++i) {
    resolver.ask("edge", [&](const Resolution& answer) {
      answered = simulation.now();
      ++answers;
      EXPECT_EQ(answer.addresses, (std::vector<std::uint32_t>{7, 5}));
    });
  }
  simulation.run();
  EXPECT_EQ(answers, 2);
  EXPECT_EQ(answered.time_since_epoch(), 2ms);

  simulation.names().set_address("edge", 9);
  simulation.run_until(world::TimePoint(10s + 2ms - 1ns));
  ASSERT_NE(resolver.cached("edge"), nullptr);
  EXPECT_EQ(resolver.cached("edge")->addresses.front(), 7U);
  simulation.run_until(world::TimePoint(10s + 2ms));
  EXPECT_EQ(resolver.cached("edge"), nullptr);
}

TEST(Resolver, DoesNotKeepFailures) {
  sim::Simulation simulation;
  sim::Host& client = simulation.add_host("client");
  Resolver resolver(client);
  std::string story;
  const auto ask = [&] {
    resolver.ask("new", [&](const Resolution& answer) {
      story += answer.status == Resolution::Status::Found ? "found " : "none ";
    });
    simulation.run();
  };
  ask();
  simulation.names().set_address("new", 1);
  ask();
  EXPECT_EQ(story, "none found ");
}

TEST(Resolver, KnowsAnAddressWithoutAsking) {
  sim::Simulation simulation;
  sim::Host& client = simulation.add_host("client");
  Resolver resolver(client);
  ASSERT_NE(resolver.cached("10.1.2.3"), nullptr);
  EXPECT_EQ(resolver.cached("10.1.2.3")->addresses.front(), 0x0a010203U);
}

TEST(Resolver, CallsNobodyOnceItIsGone) {
  sim::Simulation simulation;
  sim::Host& client = simulation.add_host("client");
  auto resolver = std::make_unique<Resolver>(client);
  resolver->ask("client", [](const Resolution&) { FAIL(); });
  resolver.reset();
  simulation.run();
}

}  // namespace
}  // namespace peers
