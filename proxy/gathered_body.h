#pragma once

#include <string>
#include <string_view>

namespace proxy {

/// The body bytes that one read has brought: they travel on as one piece, however many chunks they
/// came in, as in the real proxy. Bytes that are a single piece are not copied.
///
/// Requires: what add() is given stays valid until take() or drop().
class GatheredBody {
 public:
  void add(std::string_view bytes) {
    if (single_.empty() && joined_.empty()) {
      single_ = bytes;
      return;
    }
    joined_ += single_;
    single_ = {};
    joined_ += bytes;
  }
  bool empty() const { return single_.empty() && joined_.empty(); }
  std::string_view bytes() const { return joined_.empty() ? single_ : std::string_view(joined_); }
  void clear() {
    single_ = {};
    if (!joined_.empty()) joined_ = {};
  }

 private:
  std::string_view single_;
  std::string joined_;
};

}  // namespace proxy
