#pragma once

#include <cstddef>
#include <functional>
#include <vector>

namespace property {

/// Leaves out what is not needed for `fails` to stay true: halves first, then single elements
/// until each one is needed.
template <class T>
std::vector<T> shrink(std::vector<T> all, const std::function<bool(const std::vector<T>&)>& fails) {
  bool fewer_than_before = true;
  for (std::size_t size = all.size() / 2; size > 0; size = fewer_than_before ? 1 : size / 2) {
    fewer_than_before = false;
    for (std::size_t at = 0; at + size <= all.size();) {
      std::vector<T> fewer(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(at));
      fewer.insert(fewer.end(), all.begin() + static_cast<std::ptrdiff_t>(at + size), all.end());
      if (fails(fewer)) {
        all = std::move(fewer);
        fewer_than_before = size == 1;
      } else {
        at += size;
      }
    }
  }
  return all;
}

}  // namespace property
