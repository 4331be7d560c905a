#include "world/transport.h"

#include <charconv>

namespace world {
namespace {

class Category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "transport"; }
  std::string message(int value) const override {
    switch (static_cast<TransportError>(value)) {
      case TransportError::Refused:
        return "connection refused";
      case TransportError::TimedOut:
        return "connection timed out";
      case TransportError::Reset:
        return "connection reset by peer";
      case TransportError::PortsExhausted:
        return "no local port is free";
      case TransportError::Unreachable:
        return "no route to host";
    }
    return "transport error " + std::to_string(value);
  }
};

char* write_number(char* out, std::uint32_t number) {
  return std::to_chars(out, out + 10, number).ptr;
}

char* write_address(char* out, std::uint32_t address) {
  for (int shift = 24; shift > 0; shift -= 8) {
    out = write_number(out, address >> shift & 255);
    *out++ = '.';
  }
  return write_number(out, address & 255);
}

}  // namespace

const std::error_category& transport_category() {
  static const Category category;
  return category;
}

std::string Endpoint::address_text() const {
  char text[16];
  return {text, write_address(text, address)};
}

std::string Endpoint::text() const {
  char text[24];
  char* end = write_address(text, address);
  *end++ = ':';
  return {text, write_number(end, port)};
}

}  // namespace world
