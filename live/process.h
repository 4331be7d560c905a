#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "world/result.h"

namespace live {

/// Another program, for whoever holds this: it ends with this object, and with the thread that has
/// started it, however that ends.
class Process {
 public:
  struct Command {
    std::string program;  ///< A path.
    std::vector<std::string> arguments;
    std::filesystem::path output;  ///< Where what it prints goes.
  };
  /// Errors: it cannot be executed, the output cannot be written.
  static world::Result<std::unique_ptr<Process>> start(const Command& command);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  /// Whether it still runs.
  bool running();
  /// How it has ended: "exit status 1", "signal 11". Requires: it does not run.
  const std::string& ending() const { return ending_; }

 private:
  explicit Process(int id) : id_(id) {}
  void ended(int status);

  int id_;
  std::string ending_;  // empty: it runs
};

}  // namespace live
