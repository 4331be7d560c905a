#include "document/file.h"

#include <filesystem>
#include <fstream>
#include <system_error>

#include <fmt/format.h>

namespace document {

namespace fs = std::filesystem;

world::Result<std::string> read_file(const std::string& path, std::uintmax_t most_bytes) {
  const auto file_error = [&](std::string message) {
    return world::Error{{}, std::move(message), {.file = path, .line = 0, .column = 0}};
  };
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) return file_error("there is no such file");
  if (fs::is_directory(status)) return file_error("is a folder, not a file");
  if (!fs::is_regular_file(status)) return file_error("is no regular file");
  const std::uintmax_t size = fs::file_size(path, error);
  if (error) return file_error("cannot be read: " + error.message());
  if (size > most_bytes) {
    return file_error(fmt::format("must be at most {} bytes, has {}", most_bytes, size));
  }
  std::ifstream file(path, std::ios::binary);
  std::string text(static_cast<std::size_t>(size), '\0');
  file.read(text.data(), static_cast<std::streamsize>(size));
  if (!file || file.gcount() != static_cast<std::streamsize>(size)) {
    return file_error("cannot be read");
  }
  return text;
}

}  // namespace document
