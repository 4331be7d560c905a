#include "proxy/host_set.h"

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "proxy/upstream_host.h"
#include "sim/simulation.h"

namespace proxy {
namespace {

using namespace std::chrono_literals;

class HostSetTest : public testing::Test {
 protected:
  /// One endpoint for each letter; 'x' is ejected.
  void have(std::string_view states) {
    HostSet::Hosts hosts;
    for (const char state : states) {
      const auto last = static_cast<std::uint32_t>(hosts.size());
      hosts.push_back(std::make_unique<UpstreamHost>(world::Endpoint{0x0a000001U + last, 80}));
      hosts.back()->outlier.ejected = state == 'x';
    }
    set_.replace(std::move(hosts));
  }
  void set(std::size_t host, bool healthy) {
    set_.all()[host]->outlier.ejected = !healthy;
    set_.changed();
  }
  /// Where `picks` requests go, as a set of endpoint numbers: "013".
  std::string used(int picks = 12) {
    std::set<std::size_t> hosts;
    for (int i = 0; i < picks; ++i) {
      const UpstreamHost* host = set_.next();
      if (host != nullptr) hosts.insert(host->address().endpoint.address - 0x0a000001U);
    }
    std::string out;
    for (const std::size_t host : hosts) out += std::to_string(host);
    return out;
  }
  void until(world::Duration time) { simulation_.run_until(world::TimePoint(time)); }

  sim::Simulation simulation_;
  sim::Host& host_ = simulation_.add_host("edge");
  Cluster cluster_;
  HealthCounts counts_;
  HostSet set_{host_, cluster_, counts_};
};

TEST_F(HostSetTest, EndpointsTakeTurns) {
  have("hhh");
  const UpstreamHost* first = set_.next();
  EXPECT_NE(set_.next(), first);
  EXPECT_EQ(used(1).size(), 1U);
  EXPECT_EQ(set_.next(), first);
}

TEST_F(HostSetTest, HalfOfThemIsNoPanic) {
  have("hx");
  EXPECT_EQ(used(), "0");
  EXPECT_EQ(counts_.panics, 0U);
}

TEST_F(HostSetTest, WithLessThanHalfAllAreUsed) {
  have("hxx");
  EXPECT_EQ(used(), "012");
  EXPECT_EQ(counts_.panics, 12U);
}

TEST_F(HostSetTest, TheThresholdOfPanicIsStrict) {
  cluster_.panic_percent = 33;
  have("hxx");
  EXPECT_EQ(used(), "0");
  cluster_.panic_percent = 34;
  have("hxx");
  EXPECT_EQ(used(), "012");
}

TEST_F(HostSetTest, WithoutPanicNobodyServesWhenAllAreUnhealthy) {
  cluster_.panic_percent = 0;
  have("xx");
  EXPECT_EQ(used(), "");
  EXPECT_EQ(counts_.panics, 0U);
}

TEST_F(HostSetTest, FailOnPanicUsesNone) {
  cluster_.fail_on_panic = true;
  have("hxx");
  EXPECT_EQ(used(), "");
  EXPECT_EQ(counts_.panics, 12U);
}

// With a factor of 1.4 three of four serve all that is asked for; two of three do not.
TEST_F(HostSetTest, EnoughHealthyOnesAreNoPanicWhateverTheThreshold) {
  cluster_.panic_percent = 90;
  have("hhhx");
  EXPECT_EQ(used(), "012");
  have("hhx");
  EXPECT_EQ(used(), "012");
  EXPECT_EQ(counts_.panics, 12U);
}

TEST_F(HostSetTest, WhatIsExcludedDoesNotCountAmongAll) {
  have("hxx");
  set_.all()[1]->excluded = true;
  set_.changed();
  EXPECT_EQ(used(), "0");  // one of two
}

TEST_F(HostSetTest, ChangesAreSeenAtOnceBeforeTheyAreMerged) {
  have("hh");
  set(0, false);
  set(0, true);
  set(1, false);
  EXPECT_EQ(used(), "0");
}

TEST_F(HostSetTest, TheFirstChangeIsSeenAtOnceAndTheNextASecondLater) {
  have("hh");
  set_.start_merging();
  until(100ms);
  set(0, false);
  EXPECT_EQ(used(), "1");
  until(300ms);
  set(0, true);
  until(1300ms - 1ns);
  EXPECT_EQ(used(), "1");
  until(1300ms);
  EXPECT_EQ(used(), "01");
}

TEST_F(HostSetTest, LaterChangesDoNotMoveTheEndOfTheWindow) {
  have("hhh");
  set_.start_merging();
  until(100ms);
  set(0, false);
  until(300ms);
  set(1, false);
  until(900ms);
  set(1, true);
  until(1300ms);
  EXPECT_EQ(used(), "12");
  EXPECT_EQ(counts_.panics, 0U);
}

TEST_F(HostSetTest, AChangeAfterTheWindowIsSeenAtOnceAndEndsIt) {
  have("hh");
  set_.start_merging();
  until(100ms);
  set(0, false);
  until(900ms);
  set(0, true);  // would be seen at 1.9 s
  until(1101ms);
  set(1, false);
  EXPECT_EQ(used(), "0");
  until(1500ms);
  set(1, true);
  until(2s);
  EXPECT_EQ(used(), "0");
  until(2500ms);
  EXPECT_EQ(used(), "01");
}

TEST_F(HostSetTest, WithoutAWindowEveryChangeIsSeenAtOnce) {
  cluster_.merge_window = 0s;
  have("hh");
  set_.start_merging();
  set(0, false);
  set(0, true);
  EXPECT_EQ(used(), "01");
}

TEST_F(HostSetTest, WhatIsTakenOutIsNotUsedAnyMore) {
  have("hhh");
  const auto gone = set_.remove(*set_.all()[1]);
  EXPECT_EQ(gone->address().endpoint.address, 0x0a000002U);
  EXPECT_EQ(used(), "02");
}

}  // namespace
}  // namespace proxy
