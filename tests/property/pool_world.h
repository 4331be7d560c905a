#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "proxy/gateway.h"
#include "sim/simulation.h"
#include "tests/property/edge_world.h"
#include "tests/property/pool_script.h"

namespace property {

/// The real gateway between clients and endpoints that read and write bytes themselves, driven by
/// the steps of a script.
class PoolWorld {
 public:
  explicit PoolWorld(const PoolSetting& setting);
  ~PoolWorld();

  void step(const PoolStep& step);

  std::vector<std::string> take_events();
  std::string counts() const;
  /// Lines of the access log.
  std::vector<std::string> log() const;
  /// Requests that were answered more than once, or not at all although nobody left.
  std::vector<std::string> miscounted() const;
  /// Endpoints that a request has reached so far, in order.
  const std::vector<std::uint32_t>& reached() const { return reached_; }

 private:
  class Client;
  class Http1Client;
  class Http2Client;
  class Server;
  class ServerConnection;
  class Http1Server;
  class Http2Server;

  void tell(const std::string& what);
  void answered(std::uint32_t request, std::string_view status, bool overloaded,
                std::string_view body);
  void act(const PoolStep& step);

  PoolSetting setting_;
  sim::Simulation simulation_;
  sim::Host& client_host_;
  EdgeWorld edge_;
  std::map<std::uint32_t, world::Duration> late_;  // what SYNs to an address take
  std::vector<std::unique_ptr<Server>> servers_;
  std::map<std::uint32_t, std::shared_ptr<Client>> clients_;
  std::map<std::uint32_t, int> answers_;
  std::map<std::uint32_t, ServerConnection*> served_on_;
  std::vector<std::uint32_t> reached_;
  std::vector<std::string> events_;
  std::unique_ptr<proxy::Gateway> gateway_;
};

}  // namespace property
