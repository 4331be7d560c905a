#include "tools/interrupt.h"

#include <array>

#include <pthread.h>
#include <unistd.h>

#include "tools/exit_status.h"

namespace tools {
namespace {

/// Wakes the watching thread for its end.
constexpr int kWakeUp = SIGUSR2;

bool is_ignored(int signal) {
  struct sigaction action {};
  return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

}  // namespace

InterruptWatch::InterruptWatch() {
  ::sigemptyset(&signals_);
  ::sigaddset(&signals_, kWakeUp);
  for (const int signal : std::array{SIGINT, SIGTERM}) {
    if (!is_ignored(signal)) ::sigaddset(&signals_, signal);
  }
  // Blocked everywhere and waited for in one thread: no handler, and so no global state.
  ::pthread_sigmask(SIG_BLOCK, &signals_, &before_);
  thread_ = std::thread([this] { watch(); });
}

InterruptWatch::~InterruptWatch() {
  ending_ = true;
  ::pthread_kill(thread_.native_handle(), kWakeUp);
  thread_.join();
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void InterruptWatch::watch() {
  while (!ending_) {
    int signal = 0;
    if (::sigwait(&signals_, &signal) != 0 || signal == kWakeUp) continue;
    if (interrupted_.exchange(true)) ::_exit(static_cast<int>(ExitStatus::Interrupted));
  }
}

}  // namespace tools
