#include "world/event_loop.h"

#include <bit>
#include <cassert>
#include <map>

namespace world {

/// Counts by host; made only once half of the limit has been used at one instant.
struct EventLoop::Census {
  std::map<HostId, std::uint64_t> tasks;
};

/// What was due while its host was stopped, in that order.
struct EventLoop::Frozen {
  std::map<HostId, List> held;
};

// The slots are left as they are: most worlds are small, and never touch most of them.
EventLoop::EventLoop() {
  for (Level& level : levels_) level.occupied = 0;
}

EventLoop::~EventLoop() {
  clear();
}

void EventLoop::clear() {
  clearing_ = true;
  while (pending_ != 0) {
    // Destroying a closure may cancel other tasks: start again after each.
    Level& level = levels_[static_cast<std::size_t>(std::countr_zero(levels_occupied_))];
    Task& task = *level.slots[static_cast<std::size_t>(std::countr_zero(level.occupied))].first;
    remove(task);
    if (task.posted_) task.run_(task);
  }
  while (frozen_ != nullptr && !frozen_->held.empty()) {
    const auto host = frozen_->held.begin();
    if (host->second.first == nullptr) {
      frozen_->held.erase(host);
      continue;
    }
    Task& task = *host->second.first;
    remove(task);
    if (task.posted_) task.run_(task);
  }
  frozen_.reset();
  clearing_ = false;
}

void EventLoop::schedule_at(Task& task, TimePoint at) {
  if (task.loop_ != nullptr) task.loop_->remove(task);
  task.due_ = at.time_since_epoch().count();
  assert(task.due_ >= now_);
  task.loop_ = this;
  insert(task);
  ++pending_;
}

void EventLoop::insert(Task& task) {
  // The level is the highest digit (base 64) in which the due time differs from the base.
  const auto differs = static_cast<std::uint64_t>(task.due_ ^ base_);
  const int level = differs == 0 ? 0 : (63 - std::countl_zero(differs)) / kBits;
  const auto slot = static_cast<std::uint64_t>(task.due_) >> (level * kBits) & (kSlots - 1);
  task.level_ = static_cast<std::uint8_t>(level);
  task.slot_ = static_cast<std::uint8_t>(slot);

  Level& storage = levels_[static_cast<std::size_t>(level)];
  List& list = storage.slots[slot];
  const std::uint64_t bit = std::uint64_t{1} << slot;
  task.next_ = nullptr;
  if ((storage.occupied & bit) == 0) {
    storage.occupied |= bit;
    levels_occupied_ |= 1U << level;
    task.previous_ = nullptr;
    list.first = list.last = &task;
  } else {
    task.previous_ = list.last;
    list.last->next_ = &task;
    list.last = &task;
  }
}

void EventLoop::append(List& list, Task& task) {
  task.next_ = nullptr;
  task.previous_ = list.last;
  (list.last != nullptr ? list.last->next_ : list.first) = &task;
  list.last = &task;
}

void EventLoop::unlink(List& list, Task& task) {
  (task.previous_ != nullptr ? task.previous_->next_ : list.first) = task.next_;
  (task.next_ != nullptr ? task.next_->previous_ : list.last) = task.previous_;
  task.loop_ = nullptr;
}

void EventLoop::remove(Task& task) {
  if (task.level_ == kHeld) {
    unlink(frozen_->held.find(task.owner_)->second, task);
  } else {
    take(task);
  }
}

inline void EventLoop::take(Task& task) {
  Level& level = levels_[task.level_];
  List& list = level.slots[task.slot_];
  unlink(list, task);
  if (list.first == nullptr) {
    level.occupied &= ~(std::uint64_t{1} << task.slot_);
    if (level.occupied == 0) levels_occupied_ &= ~(1U << task.level_);
  }
  --pending_;
}

bool EventLoop::is_frozen(HostId owner) const {
  return frozen_->held.count(owner) != 0;
}

void EventLoop::freeze(HostId owner) {
  if (!frozen_) frozen_ = std::make_unique<Frozen>();
  frozen_->held.try_emplace(owner, List{nullptr, nullptr});
}

/// A task that is due and was taken out of the queue.
void EventLoop::hold(Task& task) {
  append(frozen_->held.find(task.owner_)->second, task);
  task.level_ = kHeld;
  task.loop_ = this;
}

void EventLoop::thaw(HostId owner) {
  if (!frozen(owner)) return;
  const List& held = frozen_->held.find(owner)->second;
  for (const bool posted : {false, true}) {
    for (Task* task = held.first; task != nullptr;) {
      Task* const next = task->next_;  // it goes into another list
      if (task->posted_ == posted) schedule_at(*task, now());
      task = next;
    }
  }
  frozen_->held.erase(owner);
  if (frozen_->held.empty()) frozen_.reset();
}

/// From where the tasks of a slot are to be told apart: the start of the slot or, when all are due
/// at one instant, that instant. They then go to level 0 in one step.
std::int64_t EventLoop::start_of(const List& list, int level) {
  const std::int64_t due = list.first->due_;
  for (const Task* task = list.first->next_; task != nullptr; task = task->next_) {
    if (task->due_ == due) continue;
    const auto digits = static_cast<std::uint64_t>(due) >> (level * kBits);
    return static_cast<std::int64_t>(digits << (level * kBits));
  }
  return due;
}

Task* EventLoop::settle(std::int64_t deadline) {
  while (true) {
    if (levels_occupied_ == 0) return nullptr;
    const int index = std::countr_zero(levels_occupied_);
    Level& level = levels_[static_cast<std::size_t>(index)];
    const int slot = std::countr_zero(level.occupied);
    List& list = level.slots[static_cast<std::size_t>(slot)];
    if (index == 0 || list.first == list.last) {
      return list.first->due_ <= deadline ? list.first : nullptr;
    }
    const std::int64_t start = start_of(list, index);
    if (start > deadline) return nullptr;
    base_ = start;
    Task* task = list.first;
    level.occupied &= ~(std::uint64_t{1} << slot);
    if (level.occupied == 0) levels_occupied_ &= ~(1U << index);
    while (task != nullptr) {
      Task* const next = task->next_;
      if (next != nullptr) __builtin_prefetch(next->next_);
      insert(*task);
      task = next;
    }
  }
}

bool EventLoop::run_next(std::int64_t deadline) {
  if (stuck_) return false;
  Task* const earliest = settle(deadline);
  if (earliest == nullptr) return false;
  Task& task = *earliest;
  if (task.due_ != now_) move_to(task.due_);
  if (++instant_tasks_ * 2 > instant_limit_) {
    count_instant(task);
    if (stuck_) return false;
  }
  base_ = now_;
  take(task);
  if (frozen_ != nullptr && !task.of_kernel_ && is_frozen(task.owner_)) {
    hold(task);
    return true;
  }
  ++tasks_run_;
  task.run_(task);
  return true;
}

void EventLoop::move_to(std::int64_t instant) {
  now_ = instant;
  instant_tasks_ = 0;
  census_.reset();
}

void EventLoop::count_instant(const Task& task) {
  if (!census_) census_ = std::make_unique<Census>();
  ++census_->tasks[task.owner_];
  if (instant_tasks_ <= instant_limit_) return;
  stuck_ = true;
  std::uint64_t most = 0;
  for (const auto& [owner, tasks] : census_->tasks) {
    if (tasks <= most) continue;
    most = tasks;
    stuck_owner_ = owner;
  }
}

void EventLoop::run_until(TimePoint deadline) {
  while (run_next(deadline.time_since_epoch().count())) {
  }
  if (!stuck_ && deadline > now()) move_to(deadline.time_since_epoch().count());
}

TimePoint EventLoop::next_due() {
  assert(pending_ > 0);
  const int level = std::countr_zero(levels_occupied_);
  Level& lowest = levels_[static_cast<std::size_t>(level)];
  std::int64_t earliest = std::numeric_limits<std::int64_t>::max();
  const int slot = std::countr_zero(lowest.occupied);
  for (Task* task = lowest.slots[static_cast<std::size_t>(slot)].first; task != nullptr;
       task = task->next_) {
    earliest = std::min(earliest, task->due_);
  }
  return TimePoint(Duration(earliest));
}

}  // namespace world
