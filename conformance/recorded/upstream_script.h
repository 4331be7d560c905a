#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "world/world.h"

namespace conformance::recorded {

/// Something that an upstream saw, as the records list it.
using Seen = nlohmann::json;

/// A recording HTTP/1 upstream that does what a record's script says.
///
/// Source: the vocabulary of the observations, section 2.2.
class ScriptedUpstream final : private world::AcceptEvents {
 public:
  /// `seen` gets an entry for everything that arrives, in order over all upstreams.
  ScriptedUpstream(world::World& world, std::string name, nlohmann::json script,
                   std::vector<Seen>& seen);
  ~ScriptedUpstream() override;

  bool start(std::uint16_t port);

 private:
  class Connection;

  void on_accept(std::unique_ptr<world::Transport> transport) override;
  /// The action for the next request.
  nlohmann::json next_action();

  world::World& world_;
  std::string name_;
  nlohmann::json script_;
  std::vector<Seen>& seen_;
  std::size_t requests_ = 0;
  std::unique_ptr<world::Listener> listener_;
  std::vector<std::unique_ptr<Connection>> connections_;
};

}  // namespace conformance::recorded
