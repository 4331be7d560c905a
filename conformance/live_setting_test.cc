#include "conformance/live_setting.h"

#include <chrono>

#include <gmock/gmock.h>

#include "conformance/engine.h"
#include "conformance/test_scenario.h"
#include "peers/raw_connection.h"

namespace conformance {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

std::unique_ptr<LiveSetting> opened() {
  auto setting = LiveSetting::open({});
  EXPECT_TRUE(setting) << (setting ? "" : setting.error().text());
  return setting ? std::move(*setting) : nullptr;
}

/// Accepts, and keeps what it is told apart from the bytes.
struct Acceptor final : world::AcceptEvents, world::TransportEvents {
  void on_accept(std::unique_ptr<world::Transport> accepted) override {
    transport = std::move(accepted);
    transport->set_events(*this);
  }
  void on_data(std::string_view bytes) override { heard += bytes; }
  void on_end() override { heard += "."; }
  void on_error(std::error_code) override { heard += "!"; }

  std::unique_ptr<world::Transport> transport;
  std::string heard;
};

template <class Condition>
bool pass_time(Setting& setting, Condition holds) {
  const world::TimePoint limit = setting.now() + 20s;
  while (!holds() && setting.step(limit)) {
  }
  return holds();
}

TEST(LiveSetting, BothEndsHaveTheAddressesOfTheScenarioAndOneFlow) {
  const auto setting = opened();
  world::World& server = setting->add_host("server");
  world::World& client = setting->add_host("client");
  Acceptor acceptor;
  const auto listener = server.listen({0, 80}, acceptor);
  ASSERT_TRUE(listener);
  peers::RawConnection raw(client, "server", 80);
  raw.send("hello");
  raw.finish();
  ASSERT_TRUE(pass_time(*setting, [&] { return acceptor.heard == "hello."; })) << acceptor.heard;
  EXPECT_EQ(acceptor.transport->local().text(), "10.0.0.1:80");
  EXPECT_EQ(acceptor.transport->remote().address_text(), "10.0.0.2");
  EXPECT_EQ(acceptor.transport->flow(), raw.flow());
}

TEST(LiveSetting, TwoOfThemDoNotSeeEachOther) {
  const auto one = opened();
  const auto other = opened();
  Acceptor acceptor;
  const auto listener = one->add_host("server").listen({0, 9080}, acceptor);
  ASSERT_TRUE(listener);
  other->add_host("server");
  peers::RawConnection raw(other->add_host("client"), "server", 9080);
  raw.send("hello");
  const auto refused = [&] { return raw.ending() == peers::RawConnection::Ending::Refused; };
  EXPECT_TRUE(pass_time(*other, refused));
}

TEST(LiveSetting, AnAddressOutsideIsRefusedAndNotAsked) {
  const auto setting = opened();
  peers::RawConnection raw(setting->add_host("client"), "192.0.2.1", 80);
  raw.send("hello");
  const auto refused = [&] { return raw.ending() == peers::RawConnection::Ending::Refused; };
  EXPECT_TRUE(pass_time(*setting, refused));
}

TEST(LiveSetting, FilesAreAHostsOwn) {
  const auto setting = opened();
  world::World& one = setting->add_host("one");
  world::World& other = setting->add_host("other");
  setting->make_unwritable(other, "/var/log/access.log");
  EXPECT_TRUE(one.append("/var/log/access.log", "a line\n"));
  EXPECT_FALSE(other.append("/var/log/access.log", "a line\n"));
  pass_time(*setting, [&] { return !setting->file(one, "/var/log/access.log").empty(); });
  EXPECT_EQ(setting->file(one, "/var/log/access.log"), "a line\n");
  EXPECT_EQ(setting->file(other, "/var/log/access.log"), "");
}

TEST(LiveSetting, TimeStandsAtTheInstantThatIsWaitedFor) {
  auto setting = LiveSetting::open({.time_scale = 1000});
  ASSERT_TRUE(setting);
  EXPECT_FALSE((*setting)->step(world::TimePoint(7s)));
  EXPECT_EQ((*setting)->now(), world::TimePoint(7s));
}

RunResult run_live(const std::string& text, const LiveOptions& options = {.time_scale = 100}) {
  return run(must_read(text), {.seed = {}, .live = options});
}

std::vector<std::string> broken(const RunResult& result) {
  std::vector<std::string> all;
  for (const Check& check : result.checks) {
    if (!check.passed) all.push_back(check.name + ": " + check.actual);
  }
  return all;
}

TEST(LiveRun, TheSmallestScenarioPassesAndItsTimeIsNotJudged) {
  const RunResult result = run_live(with_edge(R"(
steps:
  - request: GET http://edge/chapter/1
    expect:
      status: 200
      service: { name: books.shop.local, path: /1, host: books.shop.local, count: 1 }
      route: chapters
      answeredAt: 9ms
)"));
  EXPECT_EQ(result.outcome, Outcome::Passed);
  EXPECT_THAT(broken(result), ElementsAre());
  EXPECT_EQ(result.unjudged_times, 1U);
  EXPECT_EQ(result.trace_hash, "");
  EXPECT_THAT(result.replay, HasSubstr(" --target gateway --time-scale 100"));
}

TEST(LiveRun, ABrokenExpectationFails) {
  const RunResult result = run_live(with_edge(R"(
steps:
  - request: GET http://edge/chapter/1
    expect: { status: 404 }
)"));
  EXPECT_EQ(result.outcome, Outcome::Failed);
  EXPECT_THAT(broken(result), ElementsAre("steps/0/status: 200"));
  EXPECT_FALSE(result.timeline.empty());
}

TEST(LiveRun, WhatIsNotThereAtItsInstantFails) {
  const RunResult result = run_live(with_edge(R"(
steps:
  - at: 1s
    expect: { gateway/edge: { requests: 1 } }
)"));
  EXPECT_THAT(broken(result), ElementsAre("steps/0/gateway/edge.requests: 0"));
}

TEST(LiveRun, WhatTakesTooLongIsSkipped) {
  const std::string text = with_edge(R"(
steps:
  - at: 60s
    request: GET http://edge/chapter/1
    expect: { status: 200 }
)");
  const RunResult result = run_live(text, {.time_scale = 2, .limit = 10s});
  EXPECT_EQ(result.outcome, Outcome::Skipped);
  EXPECT_THAT(result.reason, HasSubstr("of real time, the limit is 10s"));
  EXPECT_THAT(result.reason, HasSubstr("takes 30.00"));
}

TEST(LiveRun, WhatSocketsLackIsSkippedWithTheReason) {
  const std::string steps = R"(
steps:
  - request: GET http://edge/chapter/1
    expect: { status: 200 }
)";
  const auto reason = [&](const std::string& world) {
    return run_live(with_edge("world: { " + world + " }\n" + steps)).reason;
  };
  EXPECT_EQ(reason("links: { default: 20ms }"),
            "sets links, between sockets of one machine there are none");
  EXPECT_EQ(reason("services: { books: { blackhole: true } }"),
            "services/books is a blackhole, an address of this machine always answers");
}

}  // namespace
}  // namespace conformance
