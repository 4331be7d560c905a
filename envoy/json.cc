#include "envoy/json.h"

#include <utility>

#include <fmt/format.h>

namespace envoy {

Json typed(std::string_view type, Json members) {
  Json out = {{"@type", fmt::format("type.googleapis.com/{}", type)}};
  out.update(members);
  return out;
}

Json extension(std::string_view name, std::string_view type, Json members) {
  return {{"name", name}, {"typed_config", typed(type, std::move(members))}};
}

std::string text_of(world::Duration duration) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(duration);
  const world::Duration rest = duration - seconds;
  if (rest == world::Duration::zero()) return fmt::format("{}s", seconds.count());
  return fmt::format("{}.{:09}s", seconds.count(), rest.count());
}

Json address(std::string_view host, std::uint16_t port) {
  return {{"socket_address", {{"address", host}, {"port_value", port}}}};
}

std::string without_operators(std::string_view text) {
  std::string out;
  for (const char c : text) out.append(c == '%' ? 2 : 1, c);
  return out;
}

}  // namespace envoy
