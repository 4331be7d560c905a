#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "conformance/stage.h"
#include "world/time.h"

namespace conformance {

/// Values in the order of their instants; of very many the first and the last.
template <class T>
class Kept {
 public:
  static constexpr std::size_t kEach = 256;  ///< At the begin, and as many at the end.

  void add(T value) {
    if (first_.size() < kEach) {
      first_.push_back(std::move(value));
      return;
    }
    last_.push_back(std::move(value));
    if (last_.size() <= kEach) return;
    last_.pop_front();
    ++left_out_;
  }
  bool empty() const { return first_.empty(); }
  T& back() { return last_.empty() ? first_.back() : last_.back(); }
  const T& back() const { return last_.empty() ? first_.back() : last_.back(); }
  std::uint64_t left_out() const { return left_out_; }
  template <class F>
  void each(F&& f) const {
    for (const T& value : first_) f(value);
    for (const T& value : last_) f(value);
  }

 private:
  std::vector<T> first_;
  std::deque<T> last_;
  std::uint64_t left_out_ = 0;
};

/// What pools, health and balancers were at every instant of a run: their changes alone.
///
/// Each has the value that it had at the end of an instant; `most` of a number knows of those
/// between, too. It only looks, so a run is the same with and without.
class Series {
 public:
  /// A change, for a timeline: of a thing, such as "gateway/edge-1", what it became.
  /// `by`: who holds it to be so, if not everybody.
  using OnChange =
      std::function<void(const std::string& of, const std::string& by, const std::string& what)>;

  explicit Series(const Stage& stage) : stage_(stage) {}

  /// Looks at everything. To be called after every event.
  void look(world::TimePoint now, const OnChange& on_change);
  /// What everything is since when, as it was at the last look.
  /// `selects`: whether that of a thing, and what another one holds of it, is wanted.
  using Selects = std::function<bool(const std::string& of, const std::string& by)>;
  std::vector<TimelineEntry> state(const Selects& selects) const;
  /// Everything, as results.json has it; `end`: of the run. Null: there is nothing.
  nlohmann::ordered_json json(world::TimePoint end) const;

 private:
  struct Number {
    std::int64_t most = 0;
    std::int64_t now = 0;
    Kept<std::pair<world::TimePoint, std::int64_t>> points;
  };
  struct Band {
    world::TimePoint from;
    std::string state, why;
  };
  struct State {
    std::string now;
    Kept<Band> bands;
  };
  using Key = std::pair<std::string, std::string>;  // of what, and what of it

  void number(const std::string& of, const char* what, std::uint64_t value);
  template <class Why>
  void state(const std::string& of, const std::string& by, std::string_view state, Why&& why);

  /// Beyond so many what comes new is counted alone.
  static constexpr std::size_t kMost = 512;

  const Stage& stage_;
  world::TimePoint now_{};
  const OnChange* on_change_ = nullptr;
  std::map<Key, Number> numbers_;
  std::map<Key, State> states_;
  std::map<Key, bool> left_out_;
};

}  // namespace conformance
