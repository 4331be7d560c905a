#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace peers {

enum class HealthVerdict : std::uint8_t { Initial, Healthy, Unhealthy };

/// So many results of a kind in a row change a verdict. Source: NLB-80, NLB-88.
struct HealthThresholds {
  std::uint32_t healthy = 5;
  std::uint32_t unhealthy = 2;
  std::uint32_t first = 5;  ///< From Initial to Healthy (NLB-62).
};

/// What one checker thinks of one target.
class CheckerView {
 public:
  explicit CheckerView(const HealthThresholds& thresholds) : thresholds_(thresholds) {}

  /// Takes one result; returns the verdict after it.
  HealthVerdict record(bool passed);
  HealthVerdict verdict() const { return verdict_; }
  void set(HealthVerdict verdict);

 private:
  HealthThresholds thresholds_;
  HealthVerdict verdict_ = HealthVerdict::Initial;
  std::uint32_t passed_ = 0;  // in a row
  std::uint32_t failed_ = 0;
};

/// The verdict of several checkers: it becomes what more than half of them think, and stays what it
/// was while there is no such majority. Source: NLB-82 (that there is one; its rule is not
/// published).
class HealthConsensus {
 public:
  HealthConsensus(const HealthThresholds& thresholds, std::size_t checkers);

  /// Takes one checker's result. The new verdict, if it changed.
  std::optional<HealthVerdict> record(std::size_t checker, bool passed);
  HealthVerdict verdict() const { return verdict_; }
  /// Makes every checker think so.
  void set(HealthVerdict verdict);
  std::size_t checkers() const { return views_.size(); }

 private:
  std::vector<CheckerView> views_;
  HealthVerdict verdict_ = HealthVerdict::Initial;
};

}  // namespace peers
