#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "conformance/recorded/pool_events.h"
#include "world/world.h"

namespace conformance::recorded {

/// One connection of a client of the pool records, to the gateway.
///
/// Source: the vocabulary of the observations, sections 3.1 and 3.2.
class PoolClient : public world::TransportEvents {
 public:
  using Headers = std::vector<std::pair<std::string, std::string>>;
  struct Request {
    std::string id;
    Headers headers;
    std::size_t body = 0;  ///< So many bytes; 0: GET, else POST.
  };

  PoolClient(world::World& world, const world::Endpoint& gateway, std::string name,
             PoolEvents& events);

  /// Sends them in one write.
  virtual void send(const std::vector<Request>& requests) = 0;
  /// RST_STREAM CANCEL. False: the stream is over.
  virtual bool cancel(const std::string&) { return false; }
  /// Ends it; that is not listed.
  void close(bool reset);
  /// Ids that were asked for and are still open.
  virtual std::vector<std::string> open_requests() const = 0;

 protected:
  void write(std::string_view bytes);
  void answered(const std::string& id, int status, const Headers& headers, std::string body,
                world::TimePoint sent_at);
  void note(std::string event);
  void on_end() override;
  void on_error(std::error_code error) override;

  world::World& world_;
  std::string name_;
  PoolEvents& events_;
  std::unique_ptr<world::Transport> transport_;
  world::TimePoint connected_at_;
  bool over_ = false;
};

std::unique_ptr<PoolClient> http1_pool_client(world::World& world, const world::Endpoint& gateway,
                                              std::string name, PoolEvents& events);
std::unique_ptr<PoolClient> http2_pool_client(world::World& world, const world::Endpoint& gateway,
                                              std::string name, PoolEvents& events);

}  // namespace conformance::recorded
