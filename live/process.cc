#include "live/process.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

namespace live {
namespace {

/// Closes itself.
struct Descriptor {
  ~Descriptor() {
    if (number >= 0) ::close(number);
  }
  int number = -1;
};

/// The child's part: nothing here may take memory. Tells `told` why it could not go on.
[[noreturn]] void become(char* const* words, int output, int told, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);  // it went before it was asked for
  // Neither an interrupt of this program nor its sockets are the other one's.
  ::setpgid(0, 0);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
  ::execv(words[0], words);
  const int why = errno;
  static_cast<void>(!::write(told, &why, sizeof why));
  ::_exit(1);
}

world::Error failed(const std::string& what, int why) {
  return {{}, what + ": " + std::system_category().message(why), {}};
}

}  // namespace

world::Result<std::unique_ptr<Process>> Process::start(const Command& command) {
  const Descriptor output{
      ::open(command.output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)};
  if (output.number < 0) return failed("cannot write " + command.output.string(), errno);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return failed("cannot make a pipe", errno);
  const Descriptor reading{ends[0]};
  Descriptor writing{ends[1]};

  std::vector<char*> words = {const_cast<char*>(command.program.c_str())};
  for (const std::string& one : command.arguments) words.push_back(const_cast<char*>(one.c_str()));
  words.push_back(nullptr);

  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return failed("cannot start " + command.program, errno);
  if (child == 0) become(words.data(), output.number, writing.number, parent);
  std::unique_ptr<Process> process(new Process(child));
  ::close(writing.number);
  writing.number = -1;
  int why = 0;
  if (::read(reading.number, &why, sizeof why) == sizeof why) {
    return failed("cannot start " + command.program, why);
  }
  return process;
}

Process::~Process() {
  if (!running()) return;
  ::kill(-id_, SIGKILL);  // and what it has started
  int status = 0;
  while (::waitpid(id_, &status, 0) < 0 && errno == EINTR) {
  }
}

bool Process::running() {
  if (!ending_.empty()) return false;
  int status = 0;
  if (::waitpid(id_, &status, WNOHANG) == id_) ended(status);
  return ending_.empty();
}

void Process::ended(int status) {
  ending_ = WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status))
                                : "exit status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace live
