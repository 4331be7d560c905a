#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

namespace wire {

/// Bytes that only grow, and are all given up at once. A string that is appended to in a few
/// instructions: a message's head is many short texts.
class TextBuffer {
 public:
  TextBuffer() = default;
  TextBuffer(const TextBuffer& other) { append(other.view()); }
  TextBuffer(TextBuffer&& other) noexcept
      : bytes_(std::move(other.bytes_)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  TextBuffer& operator=(TextBuffer other) noexcept {
    std::swap(bytes_, other.bytes_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    return *this;
  }
  ~TextBuffer() = default;

  const char* data() const { return bytes_.get(); }
  char* data() { return bytes_.get(); }
  std::size_t size() const { return size_; }
  std::string_view view() const { return {data(), size_}; }

  void clear() { size_ = 0; }  ///< Keeps the memory.
  void reserve(std::size_t capacity) {
    if (capacity > capacity_) grow(capacity);
  }
  /// `text` may be a part of this.
  void append(std::string_view text) {
    if (text.size() > capacity_ - size_) {
      append_grown(text);
      return;
    }
    copy(bytes_.get() + size_, text.data(), text.size());
    size_ += text.size();
  }
  void append_zeros(std::size_t count) {
    reserve(size_ + count);
    std::memset(bytes_.get() + size_, 0, count);
    size_ += count;
  }

 private:
  /// Most texts are so short that a call would cost more than the copy.
  static void copy(char* to, const char* from, std::size_t size) {
    if (size > 16 || size < 4) {
      if (size > 0) std::memcpy(to, from, size);
    } else if (size >= 8) {
      copy_ends<8>(to, from, size);
    } else {
      copy_ends<4>(to, from, size);
    }
  }
  /// The first and the last bytes, which may overlap.
  template <std::size_t kBytes>
  static void copy_ends(char* to, const char* from, std::size_t size) {
    char first[kBytes];
    char last[kBytes];
    std::memcpy(first, from, kBytes);
    std::memcpy(last, from + size - kBytes, kBytes);
    std::memcpy(to, first, kBytes);
    std::memcpy(to + size - kBytes, last, kBytes);
  }

  /// Returns what held the bytes before.
  std::unique_ptr<char[]> grow(std::size_t capacity);
  void append_grown(std::string_view text);

  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace wire
