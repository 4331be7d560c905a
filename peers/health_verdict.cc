#include "peers/health_verdict.h"

#include <algorithm>

namespace peers {

HealthVerdict CheckerView::record(bool passed) {
  passed_ = passed ? passed_ + 1 : 0;
  failed_ = passed ? 0 : failed_ + 1;
  const std::uint32_t enough =
      verdict_ == HealthVerdict::Initial ? thresholds_.first : thresholds_.healthy;
  if (passed_ >= enough) verdict_ = HealthVerdict::Healthy;
  if (failed_ >= thresholds_.unhealthy) verdict_ = HealthVerdict::Unhealthy;
  return verdict_;
}

void CheckerView::set(HealthVerdict verdict) {
  verdict_ = verdict;
  passed_ = failed_ = 0;
}

HealthConsensus::HealthConsensus(const HealthThresholds& thresholds, std::size_t checkers)
    : views_(checkers, CheckerView(thresholds)) {}

std::optional<HealthVerdict> HealthConsensus::record(std::size_t checker, bool passed) {
  const HealthVerdict view = views_.at(checker).record(passed);
  const auto agree = static_cast<std::size_t>(std::count_if(
      views_.begin(), views_.end(), [&](const auto& each) { return each.verdict() == view; }));
  if (view == verdict_ || agree * 2 <= views_.size()) return std::nullopt;
  verdict_ = view;
  return verdict_;
}

void HealthConsensus::set(HealthVerdict verdict) {
  for (CheckerView& view : views_) view.set(verdict);
  verdict_ = verdict;
}

}  // namespace peers
