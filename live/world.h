#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "live/runtime.h"
#include "world/world.h"

namespace live {

struct WorldOptions {
  std::string name = "live";
  /// Of all that is random. Absent: the system's random numbers choose it.
  std::optional<std::uint64_t> seed;
  /// Where listeners are bound that ask for all addresses.
  std::uint32_t listen_address = 0;
  /// Where connections come from; 0: as the kernel chooses.
  std::uint32_t source_address = 0;
};

/// The real world as one program sees it: the kernel's sockets, the system's resolver and calendar,
/// files, behind the interface that the simulated one has.
///
/// A listener on 127.0.0.1 is this world's own: connections to it from within are joined in memory
/// (see Pair) and no port of the machine is opened. A gateway's second hop is such a listener. It
/// sees every request again, and the kernel's part in that would cost as much as all the rest;
/// another program on the machine has no business there, and several gateways can run side by side.
class World final : public world::World {
 public:
  World(Runtime& runtime, const WorldOptions& options = {});
  ~World() override;

  world::CalendarTime calendar() const override;
  std::unique_ptr<world::Transport> connect(const world::Endpoint& remote,
                                            world::TransportEvents& events) override;
  /// Port 0: any that is free; see Listener::local().
  world::Result<std::unique_ptr<world::Listener>> listen(const world::Endpoint& local,
                                                         world::AcceptEvents& events) override;
  /// Asks the system (hosts file, DNS) in a thread of its own. IPv4 addresses only.
  void resolve(std::string_view name, std::function<void(const world::Resolution&)> done) override;
  world::Random random(std::string_view name) const override;
  bool append(std::string_view path, std::string_view bytes) override;

  /// A port of the machine that is listened on.
  struct Listening {
    world::Endpoint asked;  ///< As given to listen().
    world::Endpoint local;
    bool accepting = false;
  };
  /// Those that are open, in order of opening.
  std::vector<Listening> listening() const;

 private:
  class MachineListener;
  struct Inner;

  Runtime& runtime_;
  std::unique_ptr<Inner> inner_;
};

}  // namespace live
