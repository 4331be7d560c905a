#include "conformance/recorded/upstream_script.h"

namespace conformance::recorded {
namespace {

using nlohmann::json;

ScriptedUpstream::Protocol protocol_of(const json& script, ScriptedUpstream::Protocol of_node) {
  using Protocol = ScriptedUpstream::Protocol;
  if (!script.contains("proto")) return of_node;
  return script["proto"] == "h2" ? Protocol::Http2 : Protocol::Http1;
}

}  // namespace

ScriptedUpstream::ScriptedUpstream(world::World& world, std::string name, Protocol protocol,
                                   json script, std::vector<Seen>& seen)
    : script_{world, std::move(name), std::move(script), seen},
      protocol_(protocol_of(script_.script, protocol)) {}

ScriptedUpstream::~ScriptedUpstream() = default;

bool ScriptedUpstream::start(std::uint16_t port) {
  auto listener = script_.world.listen({0, port}, *this);
  if (!listener) return false;
  listener_ = std::move(*listener);
  return true;
}

void ScriptedUpstream::on_accept(std::unique_ptr<world::Transport> transport) {
  const std::size_t number = connections_.size();
  const auto make = protocol_ == Protocol::Http2 ? http2_connection : http1_connection;
  connections_.push_back(make(script_, number + 1, std::move(transport)));
  json how = script_.script.value("on_connect", json());
  const json each = script_.script.value("connect_script", json::array());
  if (number < each.size()) how = each[number];
  if (how.is_string()) {
    connections_.back()->end_at_once(how.get<std::string>());
  } else {
    connections_.back()->open();
  }
}

}  // namespace conformance::recorded
