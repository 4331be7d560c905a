#include "mesh/api/memory_store.h"

#include <cassert>

namespace mesh::api {
namespace {

/// Takes one of several keys out, and their place with the last.
template <class Map, class At>
void take_out(Map& map, const At& at, const Key& key) {
  const auto found = map.find(at);
  assert(found != map.end());
  found->second.erase(key);
  if (found->second.empty()) map.erase(found);
}

}  // namespace

const Record* MemoryStore::find(const Key& key) const {
  const auto collection = collections_.find(key.collection);
  if (collection == collections_.end()) return nullptr;
  const auto found = collection->second.find(key.name);
  return found == collection->second.end() ? nullptr : &found->second;
}

std::vector<const Record*> MemoryStore::list(std::string_view collection, std::string_view after,
                                             std::size_t limit) const {
  std::vector<const Record*> records;
  const auto all = collections_.find(collection);
  if (all == collections_.end()) return records;
  for (auto each = all->second.upper_bound(after);
       each != all->second.end() && records.size() < limit; ++each) {
    records.push_back(&each->second);
  }
  return records;
}

std::size_t MemoryStore::count(std::string_view collection) const {
  const auto all = collections_.find(collection);
  return all == collections_.end() ? 0 : all->second.size();
}

std::vector<const Record*> MemoryStore::with_arn(std::string_view arn) const {
  const auto found = by_arn_.find(arn);
  return found == by_arn_.end() ? std::vector<const Record*>{} : records(found->second);
}

std::vector<const Record*> MemoryStore::users_of(const Key& key) const {
  const auto found = users_.find(key);
  return found == users_.end() ? std::vector<const Record*>{} : records(found->second);
}

std::vector<const Record*> MemoryStore::records(const std::set<Key>& keys) const {
  std::vector<const Record*> records;
  for (const Key& key : keys) records.push_back(find(key));
  return records;
}

void MemoryStore::put(const Record& record) {
  const Key key = record.key();
  if (const Record* before = find(key)) unlink(*before);
  by_arn_[record.arn].insert(key);
  for (const Key& needed : record.needs) users_[needed].insert(key);
  collections_[key.collection].insert_or_assign(key.name, record);
  ++changes_;
}

void MemoryStore::erase(const Key& key) {
  const auto collection = collections_.find(key.collection);
  assert(collection != collections_.end());
  const auto found = collection->second.find(key.name);
  assert(found != collection->second.end());
  unlink(found->second);
  collection->second.erase(found);
  if (collection->second.empty()) collections_.erase(collection);
  ++changes_;
}

void MemoryStore::unlink(const Record& record) {
  const Key key = record.key();
  take_out(by_arn_, record.arn, key);
  // A route may name one node twice.
  for (const Key& needed : std::set<Key>(record.needs.begin(), record.needs.end())) {
    take_out(users_, needed, key);
  }
}

}  // namespace mesh::api
