#include "sim/names.h"

#include <algorithm>

namespace sim {
bool Names::Before::operator()(std::string_view a, std::string_view b) const {
  if (!a.empty() && a.back() == '.') a.remove_suffix(1);
  if (!b.empty() && b.back() == '.') b.remove_suffix(1);
  const auto lower = [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  const std::size_t both = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < both; ++i) {
    if (a[i] != b[i] && lower(a[i]) != lower(b[i])) return lower(a[i]) < lower(b[i]);
  }
  return a.size() < b.size();
}

void Names::set(std::string_view name, Record record) {
  const auto found = records_.find(name);
  if (found != records_.end()) {
    record.answers = found->second.answers;
    found->second = std::move(record);
  } else {
    records_.emplace(name, std::move(record));
  }
}

void Names::remove(std::string_view name) {
  const auto found = records_.find(name);
  if (found != records_.end()) records_.erase(found);
}

std::vector<std::uint32_t> Names::answer(std::string_view name) {
  Record& record = records_.find(name)->second;
  std::vector<std::uint32_t> out = record.addresses;
  if (record.rotates && !out.empty()) {
    const auto first = static_cast<std::ptrdiff_t>(record.answers++ % out.size());
    std::rotate(out.begin(), out.begin() + first, out.end());
  }
  return out;
}

const Names::Record* Names::find(std::string_view name) const {
  const auto found = records_.find(name);
  return found == records_.end() ? nullptr : &found->second;
}

}  // namespace sim
