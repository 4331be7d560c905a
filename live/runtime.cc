#include "live/runtime.h"

#include <algorithm>
#include <cassert>
#include <csignal>
#include <limits>
#include <utility>

#include <sys/resource.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

namespace live {
namespace {

/// One thread waits for sockets; the resolver's thread only posts.
constexpr int kConcurrency = BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO;

/// Descriptors that accepting leaves free: one part in so many, within bounds.
constexpr std::int64_t kReservedPart = 8;
constexpr std::int64_t kLeastReserved = 32;
constexpr std::int64_t kMostReserved = 512;

constexpr std::size_t kMostSpares = 64;
constexpr std::size_t kMostSpareBytes = 65536;

std::int64_t sockets_allowed() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
    return std::numeric_limits<std::int64_t>::max();
  }
  const auto all = static_cast<std::int64_t>(limit.rlim_cur);
  return all - std::clamp(all / kReservedPart, kLeastReserved, kMostReserved);
}

}  // namespace

struct Runtime::Asio {
  boost::asio::io_context context{kConcurrency};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{
      context.get_executor()};
  boost::asio::signal_set signals{context};
};

Runtime::Runtime(const RuntimeOptions& options)
    : pace_(options.pace),
      waits_for_loop_(options.waits_for_loop),
      most_sockets_(sockets_allowed()),
      asio_(std::make_unique<Asio>()) {
  assert(pace_ > 0);
  trace_.set_hashing(false);
  // A log's reader that has gone is no reason to end.
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
  // Many sockets may be ready at once, and all of that is one instant.
  loop_.set_instant_limit(std::numeric_limits<std::uint64_t>::max());
}

Runtime::~Runtime() {
  loop_.clear();
}

boost::asio::io_context& Runtime::io() {
  return asio_->context;
}

std::chrono::steady_clock::time_point Runtime::real(world::TimePoint at) const {
  return start_ + at.time_since_epoch() / pace_;
}

world::TimePoint Runtime::clock() const {
  return std::min(bound_, world::TimePoint((std::chrono::steady_clock::now() - start_) * pace_));
}

world::TimePoint Runtime::arrival() {
  if (!arrival_) arrival_ = std::max(clock(), loop_.now());
  return *arrival_;
}

void Runtime::run() {
  while (!stopped_) turn();
}

void Runtime::turn() {
  const world::TimePoint due = await(world::TimePoint::max());
  if (!stopped_) loop_.run_until(due);
}

world::TimePoint Runtime::await(world::TimePoint until) {
  arrival_.reset();
  wait(until);
  const world::TimePoint due = std::max(arrival_.value_or(clock()), loop_.now());
  let_clock_go();
  return due;
}

/// From here on the clock goes on from where it was held.
void Runtime::let_clock_go() {
  const world::TimePoint bound = std::exchange(bound_, world::TimePoint::max());
  if (clock() > bound) start_ = std::chrono::steady_clock::now() - bound.time_since_epoch() / pace_;
}

void Runtime::wait(world::TimePoint until) {
  boost::asio::io_context& context = asio_->context;
  if (loop_.pending() > 0) until = std::min(until, loop_.next_due());
  if (waits_for_loop_) bound_ = std::max(until, loop_.now());
  if (until == world::TimePoint::max()) {
    context.run_one();
  } else if (until > clock()) {
    context.run_one_until(real(until));
  }
  context.poll();
}

void Runtime::stop_on_signals() {
  asio_->signals.add(SIGINT);
  asio_->signals.add(SIGTERM);
  asio_->signals.async_wait([this](const boost::system::error_code& error, int) {
    if (!error) stop();
  });
}

std::string Runtime::take_spare() {
  if (spares_.empty()) return {};
  std::string spare = std::move(spares_.back());
  spares_.pop_back();
  return spare;
}

void Runtime::give_spare(std::string&& spare) {
  if (spares_.size() >= kMostSpares || spare.capacity() > kMostSpareBytes) return;
  spare.clear();
  spares_.push_back(std::move(spare));
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  // If it is refused, there is less room: accepting then waits earlier.
  static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit));
}

}  // namespace live
