#include "tools/output.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <system_error>

#include <unistd.h>

#include "reports/text.h"

namespace tools {

void print(std::string_view text) {
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (!written || std::fflush(stdout) != 0) {
    throw std::system_error(errno, std::generic_category(), "cannot write to the standard output");
  }
}

void complain(std::string_view message) {
  const std::string line = "meshproof: " + std::string(message) + "\n";
  // Nothing can be said of an error that cannot be told.
  static_cast<void>(std::fwrite(line.data(), 1, line.size(), stderr));
}

ExitStatus refuse(const world::Errors& errors) {
  for (const world::Error& error : errors) complain(reports::printable(error.text()));
  return ExitStatus::BadInput;
}

bool wants_colour() {
  const char* no_colour = std::getenv("NO_COLOR");
  return (no_colour == nullptr || *no_colour == '\0') && ::isatty(STDOUT_FILENO) == 1;
}

}  // namespace tools
