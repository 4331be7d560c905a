#include "live/files.h"

#include <cerrno>
#include <chrono>

#include <fcntl.h>
#include <unistd.h>

namespace live {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMostUnwritten = 1 << 20;
constexpr world::Duration kTryAgain = 20ms;

int open_to_append(const std::string& path) {
  constexpr int kHow = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK;
  const int descriptor = ::open(path.c_str(), kHow, 0644);
  if (descriptor >= 0) return descriptor;
  // What stands behind these may be a socket, which cannot be opened by its name.
  if (path == "/dev/stdout") return ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
  if (path == "/dev/stderr") return ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
  return -1;
}

}  // namespace

struct Files::File {
  explicit File(int open) : descriptor(open) {}
  ~File() { ::close(descriptor); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  int descriptor;
  std::string unwritten;
};

Files::Files(Runtime& runtime)
    : flushing_(runtime.loop(), 0, world::bind<&Files::flush_all>(this)) {}

Files::~Files() {
  flush_all();
}

bool Files::append(std::string_view path, std::string_view bytes) {
  if (last_ == nullptr || last_path_ != path) {
    auto found = files_.find(path);
    if (found == files_.end()) {
      const int descriptor = open_to_append(std::string(path));
      if (descriptor < 0) return false;
      found = files_.emplace(path, std::make_unique<File>(descriptor)).first;
    }
    last_ = found->second.get();
    last_path_ = found->first;
  }
  if (bytes.empty()) return true;
  if (last_->unwritten.size() + bytes.size() > kMostUnwritten) flush(*last_);
  if (last_->unwritten.size() + bytes.size() > kMostUnwritten) return true;  // lost
  last_->unwritten.append(bytes);
  if (!flushing_.running()) flushing_.start_after({});
  return true;
}

void Files::flush_all() {
  bool unwritten = false;
  for (const auto& [path, file] : files_) {
    flush(*file);
    unwritten = unwritten || !file->unwritten.empty();
  }
  if (unwritten) flushing_.start_after(kTryAgain);
}

void Files::flush(File& file) {
  std::size_t written = 0;
  while (written < file.unwritten.size()) {
    const ssize_t took =
        ::write(file.descriptor, file.unwritten.data() + written, file.unwritten.size() - written);
    if (took >= 0) {
      written += static_cast<std::size_t>(took);
    } else if (errno == EAGAIN) {
      break;
    } else if (errno != EINTR) {
      written = file.unwritten.size();  // nobody is there to be told
    }
  }
  file.unwritten.erase(0, written);
}

}  // namespace live
