#pragma once

#include <map>
#include <set>
#include <string>

#include "mesh/api/store.h"

namespace mesh::api {

/// A store that is gone with its process.
class MemoryStore : public Store {
 public:
  const Record* find(const Key& key) const override;
  std::vector<const Record*> list(std::string_view collection, std::string_view after,
                                  std::size_t limit) const override;
  std::size_t count(std::string_view collection) const override;
  std::vector<const Record*> with_arn(std::string_view arn) const override;
  std::vector<const Record*> users_of(const Key& key) const override;
  std::uint64_t changes() const override { return changes_; }
  void put(const Record& record) override;
  void erase(const Key& key) override;

 protected:
  /// For a store that goes on where it was.
  void set_changes(std::uint64_t changes) { changes_ = changes; }

 private:
  using Collection = std::map<std::string, Record, std::less<>>;

  void unlink(const Record& record);
  std::vector<const Record*> records(const std::set<Key>& keys) const;

  std::map<std::string, Collection, std::less<>> collections_;
  std::map<std::string, std::set<Key>, std::less<>> by_arn_;
  std::map<Key, std::set<Key>> users_;
  std::uint64_t changes_ = 0;
};

}  // namespace mesh::api
