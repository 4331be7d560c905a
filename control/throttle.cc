#include "control/throttle.h"

#include <algorithm>
#include <chrono>

namespace control {

bool Throttle::admit(const std::string& account, world::CalendarTime now) {
  if (!rate_) return true;
  const double most = *rate_;
  Bucket& bucket = buckets_.try_emplace(account, Bucket{most, now}).first->second;
  // The machine's clock may have been set back.
  const auto passed = std::max(now - bucket.filled_at, world::Duration(0));
  bucket.calls =
      std::min(most, bucket.calls + most * std::chrono::duration<double>(passed).count());
  bucket.filled_at = now;
  if (bucket.calls < 1) return false;
  bucket.calls -= 1;
  return true;
}

}  // namespace control
