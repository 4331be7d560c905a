#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "mesh/api/record.h"

namespace mesh::api {

/// A store that cannot take a change, e.g. as its disk is full. Nothing was changed. An exception,
/// as no call can do anything about it: Api::answer() makes it the answer.
class StoreError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The resources of a control plane.
///
/// Each change is of one record, and is whole: once put() or erase() has returned it is there
/// for good, in whatever sense the store has; if it throws nothing has changed.
/// Pointers that it returns hold until its next change.
class Store {
 public:
  virtual ~Store() = default;

  /// Null: there is none.
  virtual const Record* find(const Key& key) const = 0;
  /// In order of names, those after `after` (empty: from the first), at most `limit`.
  virtual std::vector<const Record*> list(std::string_view collection, std::string_view after,
                                          std::size_t limit) const = 0;
  virtual std::size_t count(std::string_view collection) const = 0;
  /// Those with this ARN. A mesh's owner and a consumer of it may each have one (AM-NAM-06).
  virtual std::vector<const Record*> with_arn(std::string_view arn) const = 0;
  /// Those which need the record of that key, in order of their keys.
  virtual std::vector<const Record*> users_of(const Key& key) const = 0;
  /// How many changes there ever were.
  virtual std::uint64_t changes() const = 0;

  /// Adds a record, or replaces that of its key. Throws StoreError.
  virtual void put(const Record& record) = 0;
  /// Requires: it is there. Throws StoreError.
  virtual void erase(const Key& key) = 0;
};

}  // namespace mesh::api
