#include "tools/read_file.h"

#include <cstdint>
#include <utility>

#include "document/file.h"

namespace tools {
namespace {

constexpr std::uintmax_t kMostBytes = 1 << 20;  // far more than any chain or bundle has

}  // namespace

std::string read_file(const std::string& path, std::string& error) {
  auto text = document::read_file(path, kMostBytes);
  if (text) return std::move(*text);
  error = text.error().message;
  return "";
}

}  // namespace tools
