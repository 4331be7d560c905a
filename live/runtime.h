#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "world/event_loop.h"
#include "world/time.h"
#include "world/trace.h"

namespace boost::asio {
class io_context;
}

namespace live {

struct RuntimeOptions {
  /// How many seconds of its clock pass in a real one.
  std::uint32_t pace = 1;
  /// The clock waits for the loop: when a task's time has come and the machine was busy elsewhere,
  /// it is that time still, and what sockets say by then comes before tasks of later times.
  bool waits_for_loop = false;
};

/// One thread's event loop at real pace: the queue of the simulated world, its due times awaited.
///
/// Each turn waits until a socket is ready or the next task is due, puts what the sockets said into
/// the queue at the present instant, and runs everything that is due. Whatever happens is a task of
/// its own, so users are never called from within a call of theirs. Traces are not hashed: no two
/// runs of the real world are the same. SIGPIPE is ignored in the whole process.
class Runtime {
 public:
  explicit Runtime(const RuntimeOptions& options = {});
  ~Runtime();  ///< Waits for a name that is being looked up.
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  world::EventLoop& loop() { return loop_; }
  world::Trace& trace() { return trace_; }

  /// Takes turns until stop() is called.
  void run();
  /// Waits for something to happen, and lets it happen.
  void turn();
  /// The first half of a turn: waits for something to happen, but not beyond `until`, and puts it
  /// into the queue. What is due by the instant that is returned may then be run.
  world::TimePoint await(world::TimePoint until);
  void stop() { stopped_ = true; }
  bool stopped() const { return stopped_; }
  /// SIGINT and SIGTERM stop the run before anything else is done.
  void stop_on_signals();

  // For what lives in this folder.

  boost::asio::io_context& io();
  /// The instant of what this turn brings.
  world::TimePoint arrival();
  void arrive(world::Task& task) { loop_.schedule_at(task, arrival()); }
  /// What a socket's bytes are read into. One for all: it is empty again when the reader returns.
  static constexpr std::size_t kReadBytes = 65536;
  using ReadBuffer = std::array<char, kReadBytes>;
  ReadBuffer& read_buffer() { return read_buffer_; }
  /// A string whose memory is used again, and back.
  std::string take_spare();
  void give_spare(std::string&& spare);

  std::uint64_t next_flow() { return ++flows_; }
  /// How many sockets are open; and whether so few descriptors are left that they are to be kept
  /// for connections to upstreams.
  void count_socket(int change) { open_sockets_ += change; }
  bool descriptors_short() const { return open_sockets_ >= most_sockets_; }

 private:
  struct Asio;

  std::chrono::steady_clock::time_point real(world::TimePoint at) const;
  world::TimePoint clock() const;
  void wait(world::TimePoint until);
  void let_clock_go();

  world::EventLoop loop_;
  world::Trace trace_;
  std::uint32_t pace_;
  bool waits_for_loop_;
  world::TimePoint bound_ = world::TimePoint::max();  // of the clock, if it waits
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::optional<world::TimePoint> arrival_;  // of this turn's news, once there is some
  std::int64_t open_sockets_ = 0;
  std::int64_t most_sockets_ = 0;
  std::uint64_t flows_ = 0;
  bool stopped_ = false;
  std::vector<std::string> spares_;
  ReadBuffer read_buffer_;
  std::unique_ptr<Asio> asio_;  // goes first: handlers hold sockets, which hold tasks
};

/// Lets this process open as many descriptors as it is allowed to.
void raise_descriptor_limit();

}  // namespace live
