#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "world/result.h"
#include "world/transport.h"

namespace tools {

/// What "NAME=HOST:PORT" says: where a service really is.
struct ServicePlace {
  std::string name;
  std::string host;  ///< A name, or an IPv4 address.
  std::uint16_t port = 0;

  bool operator==(const ServicePlace&) const = default;
};

/// Errors: not of that form, a port out of range.
world::Result<ServicePlace> parse_service(std::string_view written);

/// All of them, into `places`. Gives back what is wrong with the rest.
world::Errors parse_services(const std::vector<std::string>& written,
                             std::vector<ServicePlace>& places);

/// "name: value". Errors: no name.
world::Result<std::pair<std::string, std::string>> parse_header(const std::string& written);

/// A dotted IPv4 address to listen on. Errors: anything else.
world::Result<std::uint32_t> parse_listen_address(const std::string& written);

/// Who serves where: "0.0.0.0:9080, 0.0.0.0:9081".
std::string text_of(const std::vector<world::Endpoint>& endpoints);

}  // namespace tools
