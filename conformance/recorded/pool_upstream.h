#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "conformance/recorded/pool_events.h"
#include "world/world.h"

namespace conformance::recorded {

class PoolUpstreamConnection;

/// An upstream of the pool records: answers nothing by itself.
///
/// Source: the vocabulary of the observations, sections 3.1 and 3.2.
class PoolUpstream final : private world::AcceptEvents {
 public:
  enum class Protocol : std::uint8_t { Http1, Http2 };
  struct Options {
    std::size_t host = 0;  ///< Its number.
    Protocol protocol = Protocol::Http1;
    std::uint32_t max_streams = 100;
  };

  PoolUpstream(world::World& world, const Options& options, PoolEvents& events);
  ~PoolUpstream() override;

  /// Listens, or stops to; open connections live on.
  void listen(bool listening);

  /// What can be done to the connection or stream that the newest request of an id came on. Each
  /// is false if there is no such request.
  bool respond(const std::string& id, int status, bool close, bool finish);
  bool abort(const std::string& id, bool reset);
  bool reset_stream(const std::string& id, std::uint32_t code);
  bool goaway(const std::string& id, std::uint32_t code, std::int64_t last);
  /// Of its newest connection.
  bool send_settings(std::uint32_t max_streams);
  /// Counts over all upstreams of a world: the newest request of an id has the largest.
  std::uint64_t newest(const std::string& id) const;

 private:
  void on_accept(std::unique_ptr<world::Transport> transport) override;
  PoolUpstreamConnection* find(const std::string& id) const;

  world::World& world_;
  Options options_;
  PoolEvents& events_;
  std::unique_ptr<world::Listener> listener_;
  std::vector<std::unique_ptr<PoolUpstreamConnection>> connections_;
};

}  // namespace conformance::recorded
