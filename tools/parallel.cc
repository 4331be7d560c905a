#include "tools/parallel.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace tools {
namespace {

/// The threads of one piece of ordered work, and what they share.
class Workers {
 public:
  explicit Workers(const OrderedWork& work) : work_(work), finished_(work.count, false) {
    const std::size_t threads = std::min<std::size_t>(work.jobs, work.count);
    for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
  }

  ~Workers() {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    for (std::thread& thread : threads_) thread.join();
  }

  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  std::size_t hand_out() {
    std::size_t handed_out = 0;
    std::unique_lock lock(mutex_);
    while (true) {
      // Pieces begin in order, so when work stops there is no gap in what was begun.
      changed_.wait(lock, [&] {
        return failure_ || handed_out == work_.count || finished_[handed_out] ||
               (stopped_ && handed_out == begun_);
      });
      if (failure_) std::rethrow_exception(failure_);
      if (handed_out == work_.count || !finished_[handed_out]) return handed_out;
      lock.unlock();
      if (work_.done) work_.done(handed_out);
      ++handed_out;
      lock.lock();
    }
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    while (!stopped_ && begun_ < work_.count) {
      if (work_.stop && work_.stop()) {
        stopped_ = true;
        break;
      }
      const std::size_t piece = begun_++;
      lock.unlock();
      std::exception_ptr failure;
      try {
        work_.work(piece);
      } catch (...) {
        failure = std::current_exception();
      }
      lock.lock();
      finished_[piece] = true;
      if (failure && !failure_) failure_ = failure;
      if (failure) stopped_ = true;
      changed_.notify_one();
    }
    changed_.notify_one();
  }

  const OrderedWork& work_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<bool> finished_;
  std::size_t begun_ = 0;
  bool stopped_ = false;
  std::exception_ptr failure_;
  std::vector<std::thread> threads_;
};

std::size_t work_here(const OrderedWork& work) {
  for (std::size_t piece = 0; piece < work.count; ++piece) {
    if (work.stop && work.stop()) return piece;
    work.work(piece);
    if (work.done) work.done(piece);
  }
  return work.count;
}

}  // namespace

std::size_t work_in_order(const OrderedWork& work) {
  if (work.jobs <= 1 || work.count <= 1) return work_here(work);
  return Workers(work).hand_out();
}

unsigned default_jobs() {
  return std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace tools
