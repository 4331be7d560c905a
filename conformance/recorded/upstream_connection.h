#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "world/world.h"

namespace conformance::recorded {

/// Something that an upstream saw, as the records list it.
using Seen = nlohmann::json;

/// What all connections of one upstream share: its script, how far it is, and what was seen.
struct UpstreamScript {
  world::World& world;
  std::string name;
  nlohmann::json script;
  std::vector<Seen>& seen;
  std::size_t requests = 0;  ///< That have got their action.

  /// The action that the next request gets.
  nlohmann::json next_action() const {
    const nlohmann::json list = script.value("script", nlohmann::json::array());
    return requests < list.size() ? list[requests]
                                  : script.value("default", nlohmann::json::object());
  }
  nlohmann::json take_action() {
    nlohmann::json action = next_action();
    ++requests;
    return action;
  }
};

/// One connection of a recording upstream.
class UpstreamConnection : public world::TransportEvents {
 public:
  UpstreamConnection(UpstreamScript& script, std::size_t number,
                     std::unique_ptr<world::Transport> transport)
      : script_(script), number_(number), transport_(std::move(transport)) {
    transport_->set_events(*this);
  }

  /// Begins to speak.
  virtual void open() {}

  /// Ends the connection before anything is read.
  void end_at_once(const std::string& how) {
    note({{"event", how == "reset" ? "accepted-reset" : "accepted-closed"}});
    over_ = true;
    if (how == "reset") {
      transport_->reset();
    } else {
      transport_->close();
    }
  }

 protected:
  void note(nlohmann::json entry) {
    entry["upstream"] = script_.name;
    entry["conn"] = number_;
    script_.seen.push_back(std::move(entry));
  }

  UpstreamScript& script_;
  std::size_t number_;
  std::unique_ptr<world::Transport> transport_;
  bool over_ = false;  ///< This end has closed or aborted.
};

/// Makes a connection that speaks HTTP/1, or HTTP/2 with prior knowledge.
std::unique_ptr<UpstreamConnection> http1_connection(UpstreamScript& script, std::size_t number,
                                                     std::unique_ptr<world::Transport> transport);
std::unique_ptr<UpstreamConnection> http2_connection(UpstreamScript& script, std::size_t number,
                                                     std::unique_ptr<world::Transport> transport);

}  // namespace conformance::recorded
