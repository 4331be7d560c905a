#include "control/sqlite_store.h"

#include <cassert>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <sqlite3.h>

namespace control {
namespace {

using mesh::api::Key;
using mesh::api::Record;
using mesh::api::StoreError;

/// "mprf", by which SQLite's header tells our files from others; and the version of the tables.
constexpr int kApplication = 0x6d707266;
constexpr int kVersion = 1;

constexpr const char* kTables =
    "CREATE TABLE record (collection TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL,"
    " PRIMARY KEY (collection, name)) WITHOUT ROWID;"
    "CREATE TABLE changes (count INTEGER NOT NULL);"
    "INSERT INTO changes VALUES (0);";

struct Close {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};

}  // namespace

/// The file, and the few statements on it. Everything throws StoreError.
struct SqliteStore::Database {
  using Statement = std::unique_ptr<sqlite3_stmt, Close>;

  explicit Database(const std::string& path) {
    sqlite3* opened = nullptr;
    const int result =
        sqlite3_open_v2(path.c_str(), &opened, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
    handle.reset(opened);
    check(result);
    // Once locked it stays so: two processes would not see each other's changes.
    run("PRAGMA locking_mode = EXCLUSIVE");
    run("BEGIN EXCLUSIVE");
    const std::int64_t application = number("PRAGMA application_id");
    if (application == 0 && number("SELECT count(*) FROM sqlite_schema") == 0) {
      run(kTables);
      run(fmt::format("PRAGMA application_id = {}", kApplication).c_str());
      run(fmt::format("PRAGMA user_version = {}", kVersion).c_str());
    } else if (application != kApplication) {
      throw StoreError("is a database of another program");
    } else if (const std::int64_t version = number("PRAGMA user_version"); version != kVersion) {
      throw StoreError(fmt::format("must be of version {}, is of {}", kVersion, version));
    }
    run("COMMIT");
    run("PRAGMA journal_mode = WAL");
    run("PRAGMA synchronous = FULL");
    insert = prepare("INSERT OR REPLACE INTO record VALUES (?, ?, ?)");
    remove = prepare("DELETE FROM record WHERE collection = ? AND name = ?");
    count_change = prepare("UPDATE changes SET count = count + 1");
  }

  void check(int result) const {
    if (result == SQLITE_OK || result == SQLITE_DONE || result == SQLITE_ROW) return;
    if (result == SQLITE_BUSY || result == SQLITE_LOCKED) {
      throw StoreError("is in use by another process");
    }
    throw StoreError(handle ? sqlite3_errmsg(handle.get()) : sqlite3_errstr(result));
  }

  void run(const char* sql) const {
    check(sqlite3_exec(handle.get(), sql, nullptr, nullptr, nullptr));
  }

  Statement prepare(const char* sql) const {
    sqlite3_stmt* prepared = nullptr;
    check(sqlite3_prepare_v3(handle.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &prepared, nullptr));
    return Statement(prepared);
  }

  std::int64_t number(const char* sql) const {
    const Statement statement = prepare(sql);
    check(sqlite3_step(statement.get()));
    return sqlite3_column_int64(statement.get(), 0);
  }

  void execute(const Statement& statement, std::initializer_list<std::string_view> values) const {
    int index = 0;
    for (const std::string_view value : values) {
      check(sqlite3_bind_text64(statement.get(), ++index, value.data(), value.size(),
                                SQLITE_TRANSIENT, SQLITE_UTF8));
    }
    const int result = sqlite3_step(statement.get());
    sqlite3_reset(statement.get());
    check(result);
  }

  /// One change, whole or not at all.
  void change(const Statement& statement, std::initializer_list<std::string_view> values) const {
    try {
      run("BEGIN IMMEDIATE");
      execute(statement, values);
      execute(count_change, {});
      run("COMMIT");
    } catch (const StoreError& error) {
      // Some errors end the transaction by themselves.
      if (sqlite3_get_autocommit(handle.get()) == 0) run("ROLLBACK");
      throw StoreError(fmt::format("the store cannot be written: {}", error.what()));
    }
  }

  std::unique_ptr<sqlite3, Close> handle;
  Statement insert;
  Statement remove;
  Statement count_change;
};

SqliteStore::SqliteStore(std::unique_ptr<Database> database) : database_(std::move(database)) {}

SqliteStore::~SqliteStore() = default;

world::Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const std::string& path) {
  try {
    std::unique_ptr<SqliteStore> store(new SqliteStore(std::make_unique<Database>(path)));
    store->load();
    return store;
  } catch (const StoreError& error) {
    return world::Error{"", error.what(), {path, 0, 0}};
  }
}

void SqliteStore::load() {
  const auto all = database_->prepare("SELECT body FROM record ORDER BY collection, name");
  int result = SQLITE_DONE;
  while ((result = sqlite3_step(all.get())) == SQLITE_ROW) {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(all.get(), 0));
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(all.get(), 0));
    const auto record = mesh::api::record_from_text({text, size});
    if (!record) throw StoreError("is damaged: " + record.error().text());
    MemoryStore::put(*record);
  }
  database_->check(result);
  set_changes(static_cast<std::uint64_t>(database_->number("SELECT count FROM changes")));
}

void SqliteStore::put(const Record& record) {
  const Key key = record.key();
  database_->change(database_->insert, {key.collection, key.name, mesh::api::to_text(record)});
  MemoryStore::put(record);
}

void SqliteStore::erase(const Key& key) {
  database_->change(database_->remove, {key.collection, key.name});
  MemoryStore::erase(key);
}

}  // namespace control
