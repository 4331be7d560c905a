#pragma once

#include <cstdint>

namespace proxy {

/// What one probe of an endpoint has shown.
enum class CheckResult : std::uint8_t {
  Success,
  Failure,           ///< An answer that says no: counts at once.
  RetriableFailure,  ///< An answer that says no, but is to be counted like no answer.
  NetworkFailure,    ///< No answer: a timeout, a refused or lost connection, bytes that are none.
};

/// Whether an endpoint is healthy, by the results of its probes: the real proxy's rules.
///
/// An endpoint begins unhealthy, and its first success is enough. Afterwards `healthy_threshold`
/// successes in a row make it healthy, `unhealthy_threshold` network failures in a row make it
/// unhealthy, and one definite failure does so at once. Source: ENV-HC-06 to -10.
class CheckState {
 public:
  enum class Transition : std::uint8_t {
    Unchanged,
    Pending,  ///< One step nearer to a change.
    Changed,
  };

  CheckState(std::uint32_t healthy_threshold, std::uint32_t unhealthy_threshold)
      : healthy_threshold_(healthy_threshold), unhealthy_threshold_(unhealthy_threshold) {}

  bool healthy() const { return healthy_; }
  bool first() const { return first_; }

  Transition take(CheckResult result) {
    const bool first = first_;
    first_ = false;
    if (result == CheckResult::Success) {
      failures_ = 0;
      if (healthy_) return Transition::Unchanged;
      if (!first && ++successes_ < healthy_threshold_) return Transition::Pending;
      return turn(true);
    }
    successes_ = 0;
    if (!healthy_) return Transition::Unchanged;
    if (result != CheckResult::Failure && ++failures_ < unhealthy_threshold_) {
      return Transition::Pending;
    }
    return turn(false);
  }

 private:
  Transition turn(bool healthy) {
    healthy_ = healthy;
    successes_ = failures_ = 0;
    return Transition::Changed;
  }

  std::uint32_t healthy_threshold_;
  std::uint32_t unhealthy_threshold_;
  std::uint32_t successes_ = 0;  // in a row, while unhealthy
  std::uint32_t failures_ = 0;   // in a row, while healthy
  bool healthy_ = false;
  bool first_ = true;
};

class HostChecker;

/// Who hears what the probes of an endpoint show.
class HostCheckEvents {
 public:
  /// A probe is over, or traffic told that the endpoint is not to be used.
  virtual void on_checked(HostChecker& checker, CheckResult result,
                          CheckState::Transition transition) = 0;

 protected:
  ~HostCheckEvents() = default;
};

}  // namespace proxy
