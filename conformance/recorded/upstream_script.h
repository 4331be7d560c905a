#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "conformance/recorded/upstream_connection.h"
#include "world/world.h"

namespace conformance::recorded {

/// A recording upstream that does what a record's script says.
///
/// Source: the vocabulary of the observations, section 2.2.
class ScriptedUpstream final : private world::AcceptEvents {
 public:
  enum class Protocol : std::uint8_t { Http1, Http2 };

  /// `seen` gets an entry for everything that arrives, in order over all upstreams. `protocol` is
  /// what the node says; the script may say otherwise.
  ScriptedUpstream(world::World& world, std::string name, Protocol protocol, nlohmann::json script,
                   std::vector<Seen>& seen);
  ~ScriptedUpstream() override;

  bool start(std::uint16_t port);

 private:
  void on_accept(std::unique_ptr<world::Transport> transport) override;

  UpstreamScript script_;
  Protocol protocol_;
  std::unique_ptr<world::Listener> listener_;
  std::vector<std::unique_ptr<UpstreamConnection>> connections_;
};

}  // namespace conformance::recorded
