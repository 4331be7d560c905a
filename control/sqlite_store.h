#pragma once

#include <memory>
#include <string>

#include "mesh/api/memory_store.h"
#include "world/result.h"

struct sqlite3;

namespace control {

/// A store in a file of SQLite's. Reads are from memory; each change is one transaction on disk
/// before it is made there, so that what was acknowledged survives the end of the process and of
/// the machine. The file belongs to one process at a time.
class SqliteStore : public mesh::api::MemoryStore {
 public:
  /// Opens the file, or makes it. Errors: it is somebody else's or another program's, is damaged,
  /// or cannot be written; each says why.
  static world::Result<std::unique_ptr<SqliteStore>> open(const std::string& path);
  ~SqliteStore() override;

  void put(const mesh::api::Record& record) override;
  void erase(const mesh::api::Key& key) override;

 private:
  struct Database;

  explicit SqliteStore(std::unique_ptr<Database> database);
  void load();

  std::unique_ptr<Database> database_;
};

}  // namespace control
