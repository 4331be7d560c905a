#include "sim/names.h"

#include <string>

#include <gtest/gtest.h>

#include "sim/simulation.h"
#include "sim/test_peer.h"

namespace sim {
namespace {

using namespace std::chrono_literals;
using Status = world::Resolution::Status;

struct Asked {
  Asked(Simulation& simulation, Host& host, std::string_view name) {
    host.resolve(name, [this, &simulation](const world::Resolution& answer) {
      resolution = answer;
      at = text_of(simulation.now().time_since_epoch());
    });
  }
  world::Resolution resolution;
  std::string at = "never";
};

TEST(Names, FindsAHostByItsNameAfterAMillisecond) {
  Simulation simulation;
  Host& host = simulation.add_host("books.shop.local");
  Asked asked(simulation, host, "books.shop.local");
  EXPECT_EQ(asked.at, "never");
  simulation.run();
  EXPECT_EQ(asked.at, "1ms");
  EXPECT_EQ(asked.resolution.status, Status::Found);
  EXPECT_EQ(asked.resolution.addresses, std::vector<std::uint32_t>{host.address()});
  EXPECT_EQ(asked.resolution.time_to_live, 60s);
}

TEST(Names, IgnoresCaseAndATrailingDot) {
  Names names;
  names.set_address("Books.Shop.LOCAL", 7);
  EXPECT_NE(names.find("books.shop.local"), nullptr);
  EXPECT_NE(names.find("BOOKS.shop.local."), nullptr);
  EXPECT_EQ(names.find("books.shop.local.."), nullptr);
  EXPECT_EQ(names.find("shop.local"), nullptr);
  names.remove("books.shop.Local.");
  EXPECT_EQ(names.find("books.shop.local"), nullptr);
}

TEST(Names, AnUnknownNameIsSaidToBeUnknown) {
  Simulation simulation;
  Host& host = simulation.add_host("client");
  Asked asked(simulation, host, "nowhere.local");
  simulation.run();
  EXPECT_EQ(asked.at, "1ms");
  EXPECT_EQ(asked.resolution.status, Status::NoSuchName);
  EXPECT_TRUE(asked.resolution.addresses.empty());
}

TEST(Names, AFailingServerGivesNoAddresses) {
  Simulation simulation;
  Host& host = simulation.add_host("client");
  simulation.names().set("books", {.addresses = {1, 2}, .delay = 5s, .failing = true});
  Asked asked(simulation, host, "books");
  simulation.run();
  EXPECT_EQ(asked.at, "5s");
  EXPECT_EQ(asked.resolution.status, Status::Failed);
  EXPECT_TRUE(asked.resolution.addresses.empty());
}

TEST(Names, AChangeIsSeenByTheNextLookup) {
  Simulation simulation;
  Host& host = simulation.add_host("client");
  simulation.names().set("books", {.addresses = {2, 1}, .time_to_live = 5s});
  Asked before(simulation, host, "books");
  simulation.run();
  simulation.names().set("books", {.addresses = {3}});
  Asked after(simulation, host, "books");
  simulation.run();
  EXPECT_EQ(before.resolution.addresses, (std::vector<std::uint32_t>{2, 1}));
  EXPECT_EQ(before.resolution.time_to_live, 5s);
  EXPECT_EQ(after.resolution.addresses, std::vector<std::uint32_t>{3});
}

TEST(Names, AnAnswerIsLeftInTheTrace) {
  struct Keep final : world::TraceSink {
    void on_event(const world::TraceEvent& event) override {
      text += std::string(name_of(event.kind)) + " " + std::string(event.text) + "\n";
    }
    std::string text;
  } sink;
  Simulation simulation;
  Host& host = simulation.add_host("client");
  simulation.names().set("books", {.addresses = {0x0a000003, 0x0a000004}});
  simulation.names().set("broken", {.addresses = {}, .failing = true});
  simulation.trace().add_sink(sink);
  for (const char* name : {"books", "broken", "nowhere"}) host.resolve(name, [](const auto&) {});
  simulation.run();
  EXPECT_EQ(sink.text,
            "resolve books -> 10.0.0.3 10.0.0.4\nresolve broken: failure\n"
            "resolve nowhere: no such name\n");
}

TEST(Names, AMaskHidesWhatTheNameStandsForUntilItIsTakenAway) {
  Names names;
  names.set_address("books.local", 1);
  names.mask("Books.Local.", Names::Record{.addresses = {2, 3}, .rotates = true});
  names.set_address("books.local", 4);
  EXPECT_EQ(names.answer("books.local"), (std::vector<std::uint32_t>{2, 3}));
  EXPECT_EQ(names.answer("books.local"), (std::vector<std::uint32_t>{3, 2}));
  names.mask("books.local", std::nullopt);
  EXPECT_EQ(names.find("books.local"), nullptr);
  names.unmask("books.local");
  EXPECT_EQ(names.answer("books.local"), (std::vector<std::uint32_t>{4}));
}

}  // namespace
}  // namespace sim
