#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "proxy/gateway.h"
#include "sim/simulation.h"
#include "tests/property/edge_world.h"
#include "tests/property/health_script.h"

namespace property {

/// The real gateway with endpoints that answer its probes as a script has it, and clients that
/// send a request each. Times in microseconds since the first probes.
class HealthWorld {
 public:
  explicit HealthWorld(const HealthScript& script);
  ~HealthWorld();

  /// Runs until that time; `before`: everything that happens at it is left out.
  void run_until(std::int64_t at, bool before);
  HealthSeen seen() const;
  /// Those that began until then, as HealthStory has them.
  std::vector<std::string> probes(std::int64_t until) const;
  /// By request: the endpoint that answered, or what was said instead.
  const std::vector<std::string>& picks() const { return picks_; }

 private:
  class Server;
  class Probed;
  class HttpProbed;
  class FrameProbed;
  class Traffic;
  class Client;

  std::int64_t now() const;
  EdgeWorld::Way way_of(const world::Endpoint& remote);

  HealthScript script_;
  sim::Simulation simulation_;
  sim::Host& client_host_;
  EdgeWorld edge_;
  std::int64_t start_ = 0;
  std::vector<std::unique_ptr<Server>> servers_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<std::string> picks_;
  std::vector<std::tuple<std::int64_t, std::uint32_t, bool>> probes_;
  std::unique_ptr<proxy::Gateway> gateway_;
};

}  // namespace property
