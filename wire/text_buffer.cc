#include "wire/text_buffer.h"

#include <algorithm>

namespace wire {

std::unique_ptr<char[]> TextBuffer::grow(std::size_t capacity) {
  capacity_ = std::max(capacity, 2 * capacity_);
  auto before = std::exchange(bytes_, std::make_unique_for_overwrite<char[]>(capacity_));
  if (size_ > 0) std::memcpy(bytes_.get(), before.get(), size_);
  return before;
}

void TextBuffer::append_grown(std::string_view text) {
  const auto before = grow(size_ + text.size());  // `text` may stand in there
  std::memcpy(bytes_.get() + size_, text.data(), text.size());
  size_ += text.size();
}

}  // namespace wire
