#pragma once

#include <cstddef>
#include <functional>

namespace tools {

/// What work_in_order() does.
struct OrderedWork {
  std::size_t count = 0;
  unsigned jobs = 1;  ///< Threads that work; with 1 the calling thread does.
  /// Does one piece. Called from any thread, for different pieces at the same time.
  std::function<void(std::size_t)> work;
  /// Told of each piece that is done, in order, on the calling thread. May be empty.
  std::function<void(std::size_t)> done;
  /// Asked before each piece; once it says yes, no further piece begins. May be empty.
  std::function<bool()> stop;
};

/// Does pieces of work on several threads and hands them out in order, each as soon as it and all
/// before it are done. Returns how many were done: the first so many.
///
/// An exception out of a piece ends the work and comes out here, once all threads are still.
std::size_t work_in_order(const OrderedWork& work);

/// As many threads as the machine has processors.
unsigned default_jobs();

}  // namespace tools
