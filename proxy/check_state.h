#pragma once

#include <cstdint>
#include <utility>

#include "proxy/plan.h"

namespace proxy {

/// What one probe of an endpoint has shown.
enum class CheckResult : std::uint8_t {
  Success,
  Failure,           ///< An answer that says no: counts at once.
  RetriableFailure,  ///< An answer that says no, but is to be counted like no answer.
  NetworkFailure,    ///< No answer: a timeout, a refused or lost connection, bytes that are none.
};

/// What the probes of one endpoint have shown so far.
struct CheckRecord {
  std::uint64_t passed = 0;
  std::uint64_t failed = 0;
  std::uint64_t in_a_row = 0;  ///< Like the last one in being passed or failed; it is counted.
  CheckResult last = CheckResult::Success;
  std::uint16_t status = 0;  ///< Of the last one's answer; 0: it had none.

  void add(CheckResult result, std::uint16_t answered) {
    const bool same = (last == CheckResult::Success) == (result == CheckResult::Success);
    in_a_row = same ? in_a_row + 1 : 1;
    ++(result == CheckResult::Success ? passed : failed);
    last = result;
    status = result == CheckResult::NetworkFailure ? std::uint16_t{0} : answered;
  }
};

/// Whether an endpoint is healthy, by the results of its probes. It begins unhealthy.
///
/// By the letter of the documents `healthy_threshold` successes in a row make it healthy, and
/// `unhealthy_threshold` failures in a row unhealthy (HC-02, HC-03). By the real proxy's rules the
/// first success of all is enough, and a definite failure counts at once (ENV-HC-06 to -10).
class CheckState {
 public:
  using Rules = HealthCheckPlan::Rules;
  enum class Transition : std::uint8_t {
    Unchanged,
    Pending,  ///< One step nearer to a change.
    Changed,
  };

  explicit CheckState(const HealthCheckPlan& plan)
      : rules_(plan.rules),
        healthy_threshold_(plan.healthy_threshold),
        unhealthy_threshold_(plan.unhealthy_threshold) {}

  bool healthy() const { return healthy_; }
  /// Whether there was no result yet.
  bool first() const { return first_; }

  Transition take(CheckResult result) {
    const bool first = std::exchange(first_, false);
    const bool success = result == CheckResult::Success;
    if (success == healthy_) {
      in_a_row_ = 0;
      return Transition::Unchanged;
    }
    ++in_a_row_;
    const bool at_once =
        rules_ == Rules::Proxy && (success ? first : result == CheckResult::Failure);
    if (!at_once && in_a_row_ < (success ? healthy_threshold_ : unhealthy_threshold_)) {
      return Transition::Pending;
    }
    healthy_ = success;
    in_a_row_ = 0;
    return Transition::Changed;
  }

 private:
  Rules rules_;
  std::uint32_t healthy_threshold_;
  std::uint32_t unhealthy_threshold_;
  std::uint32_t in_a_row_ = 0;  // results that speak against the present state
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
