#include "world/event_loop.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "world/random.h"
#include "world/timer.h"

namespace world {
namespace {

using namespace std::chrono_literals;

TimePoint at(Duration since_start) {
  return TimePoint(since_start);
}

/// Appends its letter to a log when it runs.
class Letter : public Task {
 public:
  Letter(std::string& log, char letter, HostId owner = 0)
      : Task(
            [](Task& task) {
              auto& self = static_cast<Letter&>(task);
              self.log_ += self.letter_;
            },
            owner),
        log_(log),
        letter_(letter) {}

 private:
  std::string& log_;
  char letter_;
};

void run_all(EventLoop& loop) {
  while (loop.run_one()) {
  }
}

TEST(EventLoop, RunsTasksInOrderOfTime) {
  EventLoop loop;
  std::string log;
  Letter a(log, 'a');
  Letter b(log, 'b');
  Letter c(log, 'c');
  loop.schedule_after(c, 2h);
  loop.schedule_after(a, 1ns);
  loop.schedule_after(b, 70ms);
  run_all(loop);
  EXPECT_EQ(log, "abc");
  EXPECT_EQ(loop.now(), at(2h));
  EXPECT_EQ(loop.tasks_run(), 3U);
}

TEST(EventLoop, RunsTasksOfOneInstantInOrderOfScheduling) {
  EventLoop loop;
  std::string log;
  Letter a(log, 'a');
  Letter b(log, 'b');
  Letter c(log, 'c');
  loop.schedule_after(b, 5ms);
  loop.schedule_after(a, 5ms);
  loop.schedule_after(c, 5ms);
  run_all(loop);
  EXPECT_EQ(log, "bac");
}

TEST(EventLoop, KeepsTheOrderOfOneInstantThoughScheduledFromFarAndNear) {
  EventLoop loop;
  std::string log;
  Letter far(log, 'a');
  Letter nearer(log, 'b');
  Letter near(log, 'c');
  // The same due time, seen from an hour, a millisecond and a nanosecond before.
  loop.schedule_at(far, at(1h));
  loop.post_at(at(1h - 1ms), [&] { loop.schedule_at(nearer, at(1h)); });
  loop.post_at(at(1h - 1ns), [&] { loop.schedule_at(near, at(1h)); });
  run_all(loop);
  EXPECT_EQ(log, "abc");
}

TEST(EventLoop, RunsWhatIsPostedAfterEverythingThatIsAlreadyDue) {
  EventLoop loop;
  std::string log;
  loop.post([&] {
    log += 'a';
    loop.post([&] { log += 'c'; });
  });
  loop.post([&] { log += 'b'; });
  run_all(loop);
  EXPECT_EQ(log, "abc");
  EXPECT_EQ(loop.now(), at(0ns));
}

TEST(EventLoop, ForgetsACancelledTask) {
  EventLoop loop;
  std::string log;
  Letter a(log, 'a');
  Letter b(log, 'b');
  loop.schedule_after(a, 1ms);
  loop.schedule_after(b, 1ms);
  a.cancel();
  EXPECT_FALSE(a.scheduled());
  EXPECT_EQ(loop.pending(), 1U);
  a.cancel();
  run_all(loop);
  EXPECT_EQ(log, "b");
}

TEST(EventLoop, ForgetsATaskThatIsDestroyed) {
  EventLoop loop;
  std::string log;
  auto a = std::make_unique<Letter>(log, 'a');
  loop.schedule_after(*a, 1ms);
  a.reset();
  EXPECT_EQ(loop.pending(), 0U);
  EXPECT_FALSE(loop.run_one());
}

TEST(EventLoop, ATaskCancelsAnotherOneOfTheSameInstant) {
  EventLoop loop;
  std::string log;
  Letter a(log, 'a');
  loop.post([&] { a.cancel(); });
  loop.schedule_after(a, 0ns);
  run_all(loop);
  EXPECT_EQ(log, "");
}

TEST(EventLoop, ReschedulingMovesATaskBehindThoseOfTheInstant) {
  EventLoop loop;
  std::string log;
  Letter a(log, 'a');
  Letter b(log, 'b');
  loop.schedule_after(a, 1ms);
  loop.schedule_after(b, 2ms);
  loop.schedule_after(a, 2ms);
  EXPECT_EQ(loop.pending(), 2U);
  EXPECT_EQ(a.due(), at(2ms));
  run_all(loop);
  EXPECT_EQ(log, "ba");
}

TEST(EventLoop, ATimerRestartsItselfAndStops) {
  EventLoop loop;
  struct Pulse {
    explicit Pulse(EventLoop& on) : timer(on, 1, bind<&Pulse::beat>(this)) {}
    void beat() {
      if (++beats < 3) timer.start_after(10ms);
    }
    int beats = 0;
    Timer timer;
  } pulse(loop);
  pulse.timer.start_after(10ms);
  run_all(loop);
  EXPECT_EQ(pulse.beats, 3);
  EXPECT_EQ(loop.now(), at(30ms));
  EXPECT_FALSE(pulse.timer.running());
}

TEST(EventLoop, StopsAtTheDeadlineWithTheTimeSetToIt) {
  EventLoop loop;
  std::string log;
  Letter a(log, 'a');
  Letter b(log, 'b');
  loop.schedule_after(a, 10ms);
  loop.schedule_after(b, 10ms + 1ns);
  loop.run_until(at(10ms));
  EXPECT_EQ(log, "a");
  EXPECT_EQ(loop.now(), at(10ms));
  EXPECT_EQ(loop.next_due(), at(10ms + 1ns));
}

TEST(EventLoop, SchedulesCorrectlyAfterTimeWasMovedPastEmptyStretches) {
  EventLoop loop;
  std::string log;
  Letter late(log, 'z');
  Letter a(log, 'a');
  Letter b(log, 'b');
  loop.schedule_at(late, at(10s));
  loop.run_until(at(9s));
  loop.schedule_after(b, 2ns);
  loop.schedule_after(a, 1ns);
  EXPECT_EQ(loop.next_due(), at(9s + 1ns));
  run_all(loop);
  EXPECT_EQ(log, "abz");
  loop.run_until(at(8s));  // the past: nothing happens
  EXPECT_EQ(loop.now(), at(10s));
}

TEST(EventLoop, ReachesTheLastInstantThereIs) {
  EventLoop loop;
  std::string log;
  Letter last(log, 'b');
  Letter first(log, 'a');
  loop.schedule_at(last, TimePoint::max());
  loop.schedule_at(first, at(1ns));
  run_all(loop);
  EXPECT_EQ(log, "ab");
  EXPECT_EQ(loop.now(), TimePoint::max());
}

/// Random schedules, moves and cancels against an ordered map of (time, sequence).
TEST(EventLoop, AgreesWithAnOrderedMapOverRandomSchedules) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Random random(seed);
    EventLoop loop;
    using Key = std::pair<std::int64_t, std::uint64_t>;
    std::map<Key, std::size_t> model;
    std::vector<Key> keys(64);
    std::vector<std::size_t> seen;
    struct Numbered : Task {
      Numbered(std::vector<std::size_t>& seen_by, std::size_t n)
          : Task([](Task& task) {
              auto& self = static_cast<Numbered&>(task);
              self.to.push_back(self.number);
            }),
            to(seen_by),
            number(n) {}
      std::vector<std::size_t>& to;
      std::size_t number;
    };
    std::vector<std::unique_ptr<Numbered>> tasks;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      tasks.push_back(std::make_unique<Numbered>(seen, i));
    }
    std::uint64_t sequence = 0;
    for (int step = 0; step < 4000; ++step) {
      const std::size_t i = random.below(tasks.size());
      const std::uint64_t what = random.below(10);
      if (what < 5) {
        // Every order of magnitude of delay, zero and equal times among them.
        const std::uint64_t magnitude = random.below(seed % 2 == 0 ? 12 : 56);
        const std::uint64_t delay = random.below(std::uint64_t{1} << magnitude);
        const std::int64_t due =
            loop.now().time_since_epoch().count() + static_cast<std::int64_t>(delay);
        if (tasks[i]->scheduled()) model.erase(keys[i]);
        keys[i] = {due, sequence++};
        model.emplace(keys[i], i);
        loop.schedule_at(*tasks[i], at(Duration(due)));
      } else if (what == 5) {
        if (tasks[i]->scheduled()) model.erase(keys[i]);
        tasks[i]->cancel();
      } else if (what == 6 && !model.empty()) {
        // Up to a deadline at, before or after the next task.
        const std::int64_t now = loop.now().time_since_epoch().count();
        const std::int64_t next = model.begin()->first.first;
        const std::int64_t deadline = std::max(now, next - 1 + static_cast<int>(random.below(3)));
        std::vector<std::size_t> expected;
        while (!model.empty() && model.begin()->first.first <= deadline) {
          expected.push_back(model.begin()->second);
          model.erase(model.begin());
        }
        seen.clear();
        loop.run_until(at(Duration(deadline)));
        ASSERT_EQ(seen, expected) << "seed " << seed << " step " << step;
        ASSERT_EQ(loop.now(), at(Duration(deadline)));
      } else if (!model.empty()) {
        ASSERT_EQ(loop.next_due(), at(Duration(model.begin()->first.first)));
        seen.clear();
        ASSERT_TRUE(loop.run_one());
        ASSERT_EQ(seen, std::vector<std::size_t>{model.begin()->second})
            << "seed " << seed << " step " << step;
        ASSERT_EQ(loop.now(), at(Duration(model.begin()->first.first)));
        model.erase(model.begin());
      }
      ASSERT_EQ(loop.pending(), model.size());
    }
  }
}

TEST(EventLoop, DeclaresTimeThatStandsStillAndNamesTheHost) {
  EventLoop loop;
  loop.set_instant_limit(1000);
  struct Busy : Task {
    Busy(EventLoop& on, HostId owner)
        : Task(
              [](Task& task) {
                auto& self = static_cast<Busy&>(task);
                self.loop.schedule_after(self, 0ns);
              },
              owner),
          loop(on) {}
    EventLoop& loop;
  };
  Busy one(loop, 7);
  Busy two(loop, 3);
  Busy three(loop, 3);
  loop.post_at(at(1s), [&] {
    loop.schedule_after(one, 0ns);
    loop.schedule_after(two, 0ns);
    loop.schedule_after(three, 0ns);
  });
  run_all(loop);
  EXPECT_TRUE(loop.stuck());
  EXPECT_EQ(loop.stuck_owner(), 3U);
  EXPECT_EQ(loop.now(), at(1s));
  EXPECT_EQ(loop.tasks_run(), 1000U);
  EXPECT_FALSE(loop.run_one());
  loop.run_until(at(2s));
  EXPECT_EQ(loop.now(), at(1s)) << "a stuck loop stays where it is";
}

TEST(EventLoop, TakesExactlyAsManyTasksAtOneInstantAsAllowed) {
  for (const Duration instant : {Duration(0), Duration(1s)}) {
    EventLoop loop;
    loop.set_instant_limit(100);
    for (int i = 0; i < 100; ++i) loop.post_at(at(instant), [] {});
    loop.post_at(at(instant + 1ns), [] {});
    run_all(loop);
    EXPECT_FALSE(loop.stuck());
    EXPECT_EQ(loop.tasks_run(), 101U);
  }
}

TEST(EventLoop, CountsAnInstantFromItsOwnStartWhenTimeIsMovedFromOutside) {
  EventLoop loop;
  loop.set_instant_limit(10);
  for (int i = 0; i < 100; ++i) {
    loop.post([] {});
    loop.run_until(loop.now() + 1ms);
  }
  EXPECT_FALSE(loop.stuck());
  EXPECT_EQ(loop.tasks_run(), 100U);
}

TEST(EventLoop, DestroysWhatWasPostedWithoutRunningItWhenCleared) {
  EventLoop loop;
  std::string log;
  Letter a(log, 'a');
  const auto shared = std::make_shared<int>(1);
  loop.schedule_after(a, 1ms);
  loop.post([shared, &log] { log += 'p'; });
  loop.post_at(at(1h), [shared, &log] { log += 'q'; });
  EXPECT_EQ(shared.use_count(), 3);
  loop.clear();
  EXPECT_EQ(shared.use_count(), 1);
  EXPECT_EQ(loop.pending(), 0U);
  EXPECT_FALSE(a.scheduled());
  loop.schedule_after(a, 2ms);
  run_all(loop);
  EXPECT_EQ(log, "a");
}

TEST(EventLoop, TheTasksOfAFrozenHostWaitTimersFirst) {
  EventLoop loop;
  std::string log;
  const auto note = [&](char c) {
    return
        [&log, &loop, c] { log += c + std::to_string(loop.now().time_since_epoch() / 1ms) + " "; };
  };
  struct Owned : Task {
    Owned(std::function<void()> f, HostId host, bool of_kernel = false)
        : Task([](Task& task) { static_cast<Owned&>(task).run(); }, host, of_kernel),
          run(std::move(f)) {}
    std::function<void()> run;
  };
  Owned late(note('b'), 1);
  Owned early(note('a'), 1);
  Owned stopped(note('x'), 1);
  Owned other(note('o'), 2);
  Owned kernel(note('k'), 1, true);
  loop.schedule_at(late, at(4ms));
  loop.schedule_at(early, at(3ms));
  loop.schedule_at(stopped, at(3ms));
  loop.schedule_at(other, at(5ms));
  loop.schedule_at(kernel, at(6ms));
  loop.post_at(at(2ms), note('p'), 1);
  loop.freeze(1);
  EXPECT_TRUE(loop.frozen(1));
  EXPECT_FALSE(loop.frozen(2));
  loop.run_until(at(10ms));
  EXPECT_EQ(log, "o5 k6 ");
  EXPECT_EQ(loop.pending(), 0U);
  EXPECT_TRUE(early.scheduled());
  stopped.cancel();
  loop.thaw(1);
  EXPECT_FALSE(loop.frozen(1));
  run_all(loop);
  EXPECT_EQ(log, "o5 k6 a10 b10 p10 ");
}

TEST(EventLoop, WhatWaitsForAFrozenHostGoesWithTheLoop) {
  const auto shared = std::make_shared<int>(1);
  std::string log;
  Letter a(log, 'a');
  {
    EventLoop loop;
    loop.freeze(0);
    loop.schedule_after(a, 1ms);
    loop.post([shared] {});
    loop.run_until(at(2ms));
    EXPECT_EQ(shared.use_count(), 2);
  }
  EXPECT_EQ(shared.use_count(), 1);
  EXPECT_FALSE(a.scheduled());
  EXPECT_EQ(log, "");
}

TEST(EventLoop, AClosureMayOwnTasksThatArePendingWhenTheLoopGoes) {
  std::string log;
  auto owned = std::make_shared<Letter>(log, 'a');
  {
    EventLoop loop;
    loop.schedule_after(*owned, 1ms);
    loop.post_at(at(2ms), [task = std::move(owned)] {});
  }
  EXPECT_EQ(log, "");
}

}  // namespace
}  // namespace world
