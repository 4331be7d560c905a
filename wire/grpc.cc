#include "wire/grpc.h"

#include <array>

#include <fmt/format.h>

namespace wire::grpc {
namespace {

constexpr std::size_t kPrefixBytes = 5;
constexpr std::array<std::string_view, 17> kNames = {
    "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED"};

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

void append_message(std::string& out, std::string_view message, bool compressed) {
  const auto size = static_cast<std::uint32_t>(message.size());
  out += compressed ? '\1' : '\0';
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(size >> shift & 0xff);
  out += message;
}

std::optional<Message> MessageReader::next() {
  const std::string_view rest = std::string_view(buffer_).substr(read_);
  if (rest.size() < kPrefixBytes) return std::nullopt;
  std::size_t size = 0;
  for (std::size_t i = 1; i < kPrefixBytes; ++i) {
    size = size << 8 | static_cast<unsigned char>(rest[i]);
  }
  if (rest.size() - kPrefixBytes < size) return std::nullopt;
  Message message{std::string(rest.substr(kPrefixBytes, size)), rest[0] != '\0'};
  read_ += kPrefixBytes + size;
  if (read_ == buffer_.size()) {
    buffer_.clear();
    read_ = 0;
  }
  return message;
}

std::string escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c >= ' ' && c <= '~' && c != '%') {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool whole =
        text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0;
    if (!whole) {
      out += text[i];
      continue;
    }
    out += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
    i += 2;
  }
  return out;
}

std::string_view name_of(std::uint32_t status) {
  return status < kNames.size() ? kNames[status] : std::string_view{};
}

std::optional<std::uint32_t> status_of(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<std::uint32_t>(i);
  }
  return std::nullopt;
}

}  // namespace wire::grpc
