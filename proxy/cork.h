#pragma once

#include <string>

#include "world/transport.h"

namespace proxy {

/// Gathers what one event writes to a transport, so that a head and its body leave together, as
/// the real proxy writes its buffers at the end of an event.
class Cork {
 public:
  /// Where to append bytes for that transport; they leave at the latest when the event ends.
  std::string& to(world::Transport& transport) {
    if (target_ != &transport) {
      flush();
      target_ = &transport;
    }
    return buffer_;
  }

  /// To be called before a transport is finished, closed or destroyed.
  void flush() {
    if (target_ != nullptr && !buffer_.empty()) target_->write(buffer_);
    target_ = nullptr;
    buffer_.clear();
  }

  /// Bytes of that transport that have not left yet.
  std::size_t held(const world::Transport& transport) const {
    return target_ == &transport ? buffer_.size() : 0;
  }

  /// The extent of one event: whoever is called from outside makes one.
  class Event {
   public:
    explicit Event(Cork& cork) : cork_(cork) { ++cork.depth_; }
    ~Event() {
      if (--cork_.depth_ == 0) cork_.flush();
    }
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;

   private:
    Cork& cork_;
  };

 private:
  std::string buffer_;
  world::Transport* target_ = nullptr;
  int depth_ = 0;
};

}  // namespace proxy
