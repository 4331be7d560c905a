#include "world/transport.h"

#include <fmt/format.h>

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

}  // namespace

const std::error_category& transport_category() {
  static const Category category;
  return category;
}

std::string Endpoint::address_text() const {
  return fmt::format("{}.{}.{}.{}", address >> 24, address >> 16 & 255, address >> 8 & 255,
                     address & 255);
}

std::string Endpoint::text() const {
  return fmt::format("{}:{}", address_text(), port);
}

}  // namespace world
