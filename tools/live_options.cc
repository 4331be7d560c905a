#include "tools/live_options.h"

#include <charconv>

#include "peers/request_spec.h"

namespace tools {

world::Result<ServicePlace> parse_service(std::string_view written) {
  const auto refuse = [&](std::string_view what) {
    return world::Error{"--service", std::string(what) + ", is '" + std::string(written) + "'", {}};
  };
  const std::size_t equals = written.find('=');
  const std::size_t colon = written.rfind(':');
  if (equals == std::string_view::npos || colon == std::string_view::npos || equals == 0 ||
      colon <= equals + 1) {
    return refuse("must be NAME=HOST:PORT");
  }
  ServicePlace place;
  place.name = written.substr(0, equals);
  place.host = written.substr(equals + 1, colon - equals - 1);
  const std::string_view port = written.substr(colon + 1);
  const auto parsed = std::from_chars(port.data(), port.data() + port.size(), place.port);
  if (parsed.ec != std::errc() || parsed.ptr != port.data() + port.size() || place.port == 0) {
    return refuse("the port must be between 1 and 65535");
  }
  return place;
}

world::Errors parse_services(const std::vector<std::string>& written,
                             std::vector<ServicePlace>& places) {
  world::Errors errors;
  for (const std::string& each : written) {
    auto place = parse_service(each);
    if (place) {
      places.push_back(std::move(*place));
    } else {
      errors.push_back(place.error());
    }
  }
  return errors;
}

world::Result<std::pair<std::string, std::string>> parse_header(const std::string& written) {
  const std::size_t colon = written.find(':');
  if (colon == std::string::npos || colon == 0) {
    return world::Error{{}, "a header must be 'name: value', is '" + written + "'", {}};
  }
  const std::size_t value = written.find_first_not_of(" \t", colon + 1);
  return std::pair(written.substr(0, colon),
                   value == std::string::npos ? std::string() : written.substr(value));
}

world::Result<std::uint32_t> parse_listen_address(const std::string& written) {
  const auto address = peers::parse_address(written);
  if (!address) {
    return world::Error{"--listen", "must be an IPv4 address, is '" + written + "'", {}};
  }
  return *address;
}

std::string text_of(const std::vector<world::Endpoint>& endpoints) {
  std::string text;
  for (const world::Endpoint& endpoint : endpoints) {
    text += (text.empty() ? "" : ", ") + endpoint.text();
  }
  return text;
}

}  // namespace tools
