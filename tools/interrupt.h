#pragma once

#include <atomic>
#include <thread>

#include <signal.h>

namespace tools {

/// Notices SIGINT and SIGTERM as long as it lives.
///
/// The first one is only noted, so that what is done can be written; a second one ends the program
/// at once. A signal that whoever started the program has set to be ignored stays ignored.
///
/// Requires: made before any other thread, as threads inherit which signals are blocked.
class InterruptWatch {
 public:
  InterruptWatch();
  ~InterruptWatch();
  InterruptWatch(const InterruptWatch&) = delete;
  InterruptWatch& operator=(const InterruptWatch&) = delete;

  bool interrupted() const { return interrupted_; }

 private:
  void watch();

  sigset_t signals_;
  sigset_t before_;
  std::atomic<bool> interrupted_ = false;
  std::atomic<bool> ending_ = false;
  std::thread thread_;
};

}  // namespace tools
