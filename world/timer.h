#pragma once

#include "world/action.h"
#include "world/event_loop.h"

namespace world {

/// Calls one member function of its owner at a set time. Restarting moves it; destruction stops it.
class Timer : private Task {
 public:
  Timer(EventLoop& loop, HostId owner, Action action)
      : Task([](Task& task) { static_cast<Timer&>(task).action_(); }, owner),
        loop_(loop),
        action_(action) {}

  void start_after(Duration after) { loop_.schedule_after(*this, after); }
  void start_at(TimePoint at) { loop_.schedule_at(*this, at); }
  void stop() { cancel(); }
  bool running() const { return scheduled(); }
  using Task::due;

 private:
  EventLoop& loop_;
  Action action_;
};

}  // namespace world
