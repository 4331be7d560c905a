#include "sim/names.h"

namespace sim {
namespace {

std::string canonical(std::string_view name) {
  if (!name.empty() && name.back() == '.') name.remove_suffix(1);
  std::string key(name);
  for (char& c : key) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return key;
}

}  // namespace

void Names::set(std::string_view name, Record record) {
  records_.insert_or_assign(canonical(name), std::move(record));
}

void Names::remove(std::string_view name) {
  records_.erase(canonical(name));
}

const Names::Record* Names::find(std::string_view name) const {
  const auto found = records_.find(canonical(name));
  return found == records_.end() ? nullptr : &found->second;
}

}  // namespace sim
