#include "reports/write_file.h"

#include <cerrno>
#include <cstdio>
#include <memory>
#include <string>
#include <system_error>

#include <unistd.h>

namespace reports {
namespace {

namespace fs = std::filesystem;

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, FileCloser>;

world::Error cannot_write(const fs::path& path, const std::error_code& why) {
  return {
      .path = {}, .message = "cannot write: " + why.message(), .place = {.file = path.string()}};
}

std::error_code last_error() {
  return {errno, std::generic_category()};
}

}  // namespace

std::optional<world::Error> write_whole(const fs::path& path, std::string_view content) {
  fs::path draft = path;
  draft += "." + std::to_string(::getpid()) + ".tmp";
  File file(std::fopen(draft.c_str(), "wb"));
  if (!file) return cannot_write(path, last_error());
  const bool written = std::fwrite(content.data(), 1, content.size(), file.get()) == content.size();
  // Buffered bytes are written at the close, so a full disk may show itself only there.
  const bool closed = std::fclose(file.release()) == 0;
  std::error_code why;
  if (!written || !closed) {
    why = last_error();
  } else {
    fs::rename(draft, path, why);
  }
  if (!why) return std::nullopt;
  std::error_code ignored;
  fs::remove(draft, ignored);
  return cannot_write(path, why);
}

}  // namespace reports
