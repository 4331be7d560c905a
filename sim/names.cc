#include "sim/names.h"

#include <algorithm>

namespace sim {

std::string Names::key(std::string_view name) {
  if (!name.empty() && name.back() == '.') name.remove_suffix(1);
  std::string out(name);
  // Without a branch: the compiler does many at once.
  for (char& c : out) c = static_cast<char>(c + (c >= 'A' && c <= 'Z' ? 'a' - 'A' : 0));
  return out;
}

void Names::set(std::string_view name, Record record) {
  const auto [found, added] = records_.try_emplace(key(name));
  if (!added) record.answers = found->second.answers;
  found->second = std::move(record);
}

void Names::remove(std::string_view name) {
  records_.erase(key(name));
}

void Names::mask(std::string_view name, std::optional<Record> shown) {
  masks_.insert_or_assign(key(name), std::move(shown));
}

void Names::unmask(std::string_view name) {
  masks_.erase(key(name));
}

std::vector<std::uint32_t> Names::answer(std::string_view name) {
  const std::string known = key(name);
  const auto mask = masks_.find(known);
  Record& record = mask != masks_.end() ? *mask->second : records_.find(known)->second;
  std::vector<std::uint32_t> out = record.addresses;
  if (record.rotates && !out.empty()) {
    const auto first = static_cast<std::ptrdiff_t>(record.answers++ % out.size());
    std::rotate(out.begin(), out.begin() + first, out.end());
  }
  return out;
}

const Names::Record* Names::find(std::string_view name) const {
  const std::string known = key(name);
  const auto mask = masks_.find(known);
  if (mask != masks_.end()) return mask->second ? &*mask->second : nullptr;
  const auto found = records_.find(known);
  return found == records_.end() ? nullptr : &found->second;
}

}  // namespace sim
