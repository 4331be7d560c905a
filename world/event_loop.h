#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <type_traits>
#include <utility>

#include "world/time.h"

namespace world {

class EventLoop;

/// Which host of a world something belongs to. 0 is the world itself.
using HostId = std::uint32_t;

/// One entry in the event queue. Embed it in what it belongs to: scheduling then allocates nothing.
///
/// A task is in the queue once at most, and leaves it when it is destroyed.
class Task {
 public:
  using Run = void (*)(Task&);

  /// `of_kernel`: it goes on while its host's process is stopped.
  explicit Task(Run run, HostId owner = 0, bool of_kernel = false)
      : run_(run), owner_(owner), of_kernel_(of_kernel) {}
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  ~Task() { cancel(); }

  bool scheduled() const { return loop_ != nullptr; }
  /// The instant it is due. Requires: scheduled().
  TimePoint due() const { return TimePoint(Duration(due_)); }
  HostId owner() const { return owner_; }
  /// Takes it out of the queue. Does nothing when it is not in it.
  inline void cancel();

 private:
  friend class EventLoop;

  Task* previous_ = nullptr;
  Task* next_ = nullptr;
  EventLoop* loop_ = nullptr;
  std::int64_t due_ = 0;
  Run run_;
  HostId owner_;
  std::uint8_t level_ = 0;
  std::uint8_t slot_ = 0;
  bool posted_ = false;  // the loop owns it: it is a closure
  bool of_kernel_;
};

/// Virtual time and the one ordered queue of everything that is to happen.
///
/// Tasks run in order of (due time, sequence of scheduling). Two tasks due at one instant run in
/// the order in which they were scheduled, on every machine. Time moves only when the next task
/// is due later; the loop never reads a clock. At virtual pace the caller runs task after task;
/// at real pace it awaits next_due() before it calls run_until().
///
/// The queue is a hierarchical timing wheel of 64 slots a level (after Varghese and Lauck, 1987)
/// over nanoseconds: scheduling and cancelling cost the same at any number of pending tasks.
class EventLoop {
 public:
  EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;
  ~EventLoop();  ///< Pending tasks are forgotten without running.

  /// Forgets every pending task. What was posted is destroyed without running.
  void clear();

  TimePoint now() const { return TimePoint(Duration(now_)); }
  std::uint64_t tasks_run() const { return tasks_run_; }
  std::size_t pending() const { return pending_; }

  /// Requires: at >= now(). A task that is already scheduled is moved.
  void schedule_at(Task& task, TimePoint at);
  void schedule_after(Task& task, Duration after) { schedule_at(task, now() + after); }

  /// Runs `f` once, at `at`. For rare things: it allocates.
  template <class F>
  void post_at(TimePoint at, F&& f, HostId owner = 0);
  /// Runs `f` at this instant, after everything that is already due.
  template <class F>
  void post(F&& f, HostId owner = 0) {
    post_at(now(), std::forward<F>(f), owner);
  }

  /// Runs the next task, if there is one: time moves to it.
  bool run_one() { return run_next(std::numeric_limits<std::int64_t>::max()); }
  /// Runs every task due at `deadline` or before, then sets the time to it.
  void run_until(TimePoint deadline);

  /// When the next task is due. Requires: pending() > 0.
  TimePoint next_due();

  /// Stops the process of a host: what is due there waits, and what its kernel does goes on.
  void freeze(HostId owner);
  /// Lets it go on: first the timers that are overdue, in the order in which they were due, then
  /// what was posted to it. Source: measured on the real proxy, stopped and continued by signals:
  /// a timeout that passed meanwhile wins over an answer that had come before it.
  void thaw(HostId owner);
  bool frozen(HostId owner) const { return frozen_ != nullptr && is_frozen(owner); }

  /// How many tasks may run at one instant before the loop declares that time stands still.
  void set_instant_limit(std::uint64_t tasks) { instant_limit_ = tasks; }
  /// True once the limit was passed: nothing more is run. See stuck_owner().
  bool stuck() const { return stuck_; }
  /// The host that ran the most tasks in the second half of the stuck instant.
  HostId stuck_owner() const { return stuck_owner_; }

 private:
  friend class Task;

  static constexpr int kBits = 6;
  static constexpr int kSlots = 1 << kBits;
  static constexpr int kLevels = 11;           // 66 bits cover every time
  static constexpr std::uint8_t kHeld = 0xff;  // in place of a level: it waits for its host

  struct List {
    Task* first;
    Task* last;
  };
  struct Level {
    std::uint64_t occupied;
    std::array<List, kSlots> slots;  // those that are not occupied hold nothing, not even null
  };

  struct Census;  // who runs tasks at an instant that does not end
  struct Frozen;  // the hosts that are stopped, and what waits for them

  bool run_next(std::int64_t deadline);
  void insert(Task& task);
  void remove(Task& task);
  /// Takes it out of the wheel, where it is unless it waits for its host.
  void take(Task& task);
  static std::int64_t start_of(const List& list, int level);
  /// Moves tasks down until the earliest one stands alone or in level 0. Returns it, or nullptr.
  Task* settle(std::int64_t deadline);
  void move_to(std::int64_t instant);
  void count_instant(const Task& task);
  bool is_frozen(HostId owner) const;
  void hold(Task& task);
  static void append(List& list, Task& task);
  static void unlink(List& list, Task& task);

  std::int64_t now_ = 0;
  std::int64_t base_ = 0;  // what the levels are relative to; never after the earliest task
  std::uint64_t tasks_run_ = 0;
  std::size_t pending_ = 0;
  std::uint32_t levels_occupied_ = 0;
  bool stuck_ = false;
  bool clearing_ = false;
  HostId stuck_owner_ = 0;
  std::uint64_t instant_limit_ = 10'000'000;
  std::uint64_t instant_tasks_ = 0;
  std::unique_ptr<Census> census_;
  std::unique_ptr<Frozen> frozen_;  // almost always none
  std::array<Level, kLevels> levels_;
};

inline void Task::cancel() {
  if (loop_ != nullptr) loop_->remove(*this);
}

template <class F>
void EventLoop::post_at(TimePoint at, F&& f, HostId owner) {
  struct Once : Task {
    Once(EventLoop& loop, F&& function, HostId host)
        : Task(
              [](Task& task) {
                std::unique_ptr<Once> self(static_cast<Once*>(&task));
                if (self->on.clearing_) return;
                std::decay_t<F> run = std::move(self->f);
                self.reset();
                run();
              },
              host),
          on(loop),
          f(std::forward<F>(function)) {}
    EventLoop& on;
    std::decay_t<F> f;
  };
  auto task = std::make_unique<Once>(*this, std::forward<F>(f), owner);
  task->posted_ = true;
  schedule_at(*task.release(), at);
}

}  // namespace world
