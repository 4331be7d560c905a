#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "world/time.h"
#include "world/world.h"

namespace conformance::recorded {

/// Something that was seen on a socket: `["up_req", "c1", "a"]`, or
/// `["response", ID, STATUS, HEADERS, BODY]`. Source: the vocabulary, section 3.1.
struct Event {
  world::TimePoint at{};
  nlohmann::json words;

  bool is(const char* kind) const { return words[0] == kind; }
};

/// Everything that the sockets of a script saw, in order.
class EventLog {
 public:
  explicit EventLog(world::World& world) : world_(world) {}

  void add(nlohmann::json words) {
    events_.push_back({world_.now(), std::move(words)});
    touch();
  }
  /// Something came that is no event of its own.
  void touch() { last_at_ = world_.now(); }

  const std::vector<Event>& all() const { return events_; }
  world::TimePoint last_at() const { return last_at_; }

 private:
  world::World& world_;
  std::vector<Event> events_;
  world::TimePoint last_at_{};
};

/// Of a response's headers only these are kept. Source: the vocabulary, section 3.1.
bool is_kept_header(const std::string& name);

}  // namespace conformance::recorded
