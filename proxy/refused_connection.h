#pragma once

#include <memory>
#include <string_view>
#include <system_error>
#include <utility>

#include "world/timer.h"
#include "world/world.h"

namespace proxy {

/// A connection beyond a listener's limit: accepted, told nothing, and ended. Source: ENV-POOL-34.
class RefusedConnection final : private world::TransportEvents {
 public:
  RefusedConnection(world::World& world, std::unique_ptr<world::Transport> transport,
                    world::Duration delay)
      : transport_(std::move(transport)),
        end_(world.timer(world::bind<&RefusedConnection::end>(this))) {
    transport_->set_events(*this);
    end_.start_after(delay);
  }

  bool over() const { return over_; }

 private:
  void on_connected() override {}
  void on_data(std::string_view) override {}
  void on_end() override { end(); }
  void on_error(std::error_code) override { over_ = true; }
  void on_drained() override {}
  void end() {
    if (!std::exchange(over_, true)) transport_->close();
  }

  std::unique_ptr<world::Transport> transport_;
  world::Timer end_;
  bool over_ = false;
};

}  // namespace proxy
