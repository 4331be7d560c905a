#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "world/time.h"

namespace envoy {

/// Members stay in the order in which they are set: people read what comes of it.
using Json = nlohmann::ordered_json;

/// A message of that type where any may stand: {"@type": "type.googleapis.com/...", ...}.
Json typed(std::string_view type, Json members = Json::object());

/// {"name": ..., "typed_config": ...}
Json extension(std::string_view name, std::string_view type, Json members = Json::object());

/// As protobuf writes it: "0.250s".
std::string text_of(world::Duration duration);

/// {"socket_address": ...}
Json address(std::string_view host, std::uint16_t port);

/// Text as it stands where "%" begins an operator.
std::string without_operators(std::string_view text);

}  // namespace envoy
