#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "live/runtime.h"
#include "world/timer.h"

namespace live {

/// The files that are appended to: kept open, written when everything that is due has been
/// done.
///
/// A reader that does not read (a pipe's other end) never holds up the loop: what it leaves is kept
/// up to a bound, and whole writes beyond that are lost, as is what a full disk does not take.
class Files {
 public:
  explicit Files(Runtime& runtime);
  ~Files();  ///< Writes what can be written at once.

  /// False: it cannot be opened for writing. No bytes: only opens it.
  bool append(std::string_view path, std::string_view bytes);

 private:
  struct File;

  void flush_all();
  static void flush(File& file);

  std::map<std::string, std::unique_ptr<File>, std::less<>> files_;
  File* last_ = nullptr;  // that was appended to
  std::string_view last_path_{};
  world::Timer flushing_;
};

}  // namespace live
