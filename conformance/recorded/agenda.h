#pragma once

#include <functional>
#include <list>
#include <memory>
#include <utility>

#include "world/world.h"

namespace conformance::recorded {

/// What an owner is going to do later. Nothing of it happens after the owner has gone.
class Agenda {
 public:
  explicit Agenda(world::World& world) : world_(world) {}

  void after(world::Duration time, std::function<void()> act) {
    items_.remove_if([](const auto& item) { return item->done; });
    items_.push_back(std::make_unique<Item>(world_, std::move(act)));
    items_.back()->timer.start_after(time);
  }

 private:
  struct Item {
    Item(world::World& world, std::function<void()> what)
        : timer(world.timer(world::bind<&Item::happen>(this))), act(std::move(what)) {}
    void happen() {
      done = true;
      const auto run = std::move(act);  // this item may go while it runs
      run();
    }
    world::Timer timer;
    std::function<void()> act;
    bool done = false;
  };

  world::World& world_;
  std::list<std::unique_ptr<Item>> items_;
};

}  // namespace conformance::recorded
