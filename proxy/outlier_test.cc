#include "proxy/outlier.h"

#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "sim/simulation.h"

namespace proxy {
namespace {

using namespace std::chrono_literals;

class OutlierTest : public testing::Test, public OutlierEvents {
 protected:
  void begin(std::size_t endpoints) {
    states_.resize(endpoints);
    detector_.emplace(host_, plan_, counts_, *this);
  }
  void answer(std::size_t endpoint, std::initializer_list<int> statuses) {
    for (const int status : statuses) {
      detector_->report(states_[endpoint], static_cast<std::uint16_t>(status));
    }
  }
  /// 'E' for each that is ejected.
  std::string seen() const {
    std::string out;
    for (const OutlierState& state : states_) out += state.ejected ? 'E' : '.';
    return out;
  }
  void until(world::Duration time) { simulation_.run_until(world::TimePoint(time)); }

  std::vector<OutlierState*> outlier_states() override {
    std::vector<OutlierState*> states;
    for (OutlierState& state : states_) states.push_back(&state);
    return states;
  }
  void on_ejections_changed() override { ++changes_; }

  sim::Simulation simulation_;
  sim::Host& host_ = simulation_.add_host("edge");
  OutlierPlan plan_{.consecutive_5xx = 3,
                    .interval = 400ms,
                    .base_ejection_time = 600ms,
                    .max_ejection_percent = 50};
  HealthCounts counts_;
  std::vector<OutlierState> states_;
  std::optional<OutlierDetector> detector_;
  int changes_ = 0;
};

TEST_F(OutlierTest, TheLastOfSoManyErrorsInARowEjects) {
  begin(2);
  answer(0, {500, 503});
  EXPECT_EQ(seen(), "..");
  answer(0, {599});
  EXPECT_EQ(seen(), "E.");
  EXPECT_EQ(counts_.ejections, 1U);
  EXPECT_EQ(changes_, 1);
}

TEST_F(OutlierTest, AnAnswerThatIsNoErrorBeginsTheCountAnew) {
  begin(2);
  answer(0, {500, 500, 499, 500, 500});
  EXPECT_EQ(seen(), "..");
}

TEST_F(OutlierTest, NoMoreAreEjectedThanTheShareAllows) {
  begin(2);
  answer(0, {500, 500, 500});
  answer(1, {500, 500, 500});
  EXPECT_EQ(seen(), "E.");
  EXPECT_EQ(counts_.ejections_overflow, 1U);
}

TEST_F(OutlierTest, OneAloneIsNeverEjectedBelowTheWholeShare) {
  begin(1);
  answer(0, {500, 500, 500});
  EXPECT_EQ(seen(), ".");
  plan_.max_ejection_percent = 100;
  answer(0, {500, 500, 500});
  EXPECT_EQ(seen(), "E");
}

TEST_F(OutlierTest, ItComesBackAtTheFirstTickAfterItsTime) {
  begin(2);
  until(100ms);
  answer(0, {500, 500, 500});
  until(800ms - 1ns);  // 700 ms are gone since 100 ms; ticks are at 400, 800 ms
  EXPECT_EQ(seen(), "E.");
  until(800ms);
  EXPECT_EQ(seen(), "..");
  EXPECT_EQ(changes_, 2);
}

TEST_F(OutlierTest, TheSecondEjectionLastsTwiceAsLong) {
  begin(2);
  answer(0, {500, 500, 500});
  until(800ms);
  answer(0, {500, 500, 500});
  until(2000ms - 1ns);  // 2 * 600 ms since 800 ms
  EXPECT_EQ(seen(), "E.");
  until(2000ms);
  EXPECT_EQ(seen(), "..");
}

}  // namespace
}  // namespace proxy
