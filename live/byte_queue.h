#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace live {

/// Bytes that wait: appended at one end, taken from the other. Holds no memory while it is empty.
class ByteQueue {
 public:
  bool empty() const { return taken_ == bytes_.size(); }
  std::size_t size() const { return bytes_.size() - taken_; }
  std::string_view view() const { return std::string_view(bytes_).substr(taken_); }

  void append(std::string_view bytes) {
    if (taken_ > bytes_.size() / 2) {
      bytes_.erase(0, taken_);
      taken_ = 0;
    }
    bytes_.append(bytes);
  }
  /// Requires: `count` <= size().
  void take(std::size_t count) {
    taken_ += count;
    if (empty()) clear();
  }
  void clear() {
    std::string().swap(bytes_);
    taken_ = 0;
  }

 private:
  std::string bytes_;
  std::size_t taken_ = 0;
};

}  // namespace live
