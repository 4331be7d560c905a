#include "tools/read_file.h"

#include <cstdint>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>

namespace tools {
namespace {

constexpr std::uintmax_t kMostBytes = 1 << 20;  // far more than any chain or bundle has

}  // namespace

std::string read_file(const std::string& path, std::string& error) {
  namespace fs = std::filesystem;
  std::error_code code;
  const fs::file_status status = fs::status(path, code);
  if (!fs::exists(status)) return error = "there is no such file", "";
  if (!fs::is_regular_file(status)) return error = "is no regular file", "";
  const std::uintmax_t size = fs::file_size(path, code);
  if (code) return error = "cannot be read: " + code.message(), "";
  if (size > kMostBytes) {
    return error = fmt::format("must be at most {} bytes, has {}", kMostBytes, size), "";
  }
  std::string text(static_cast<std::size_t>(size), '\0');
  std::ifstream file(path, std::ios::binary);
  if (!file.read(text.data(), static_cast<std::streamsize>(size))) {
    return error = "cannot be read", "";
  }
  return text;
}

}  // namespace tools
