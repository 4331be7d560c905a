#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/simulation.h"

namespace property {

/// The gateway's host. What it connects to can be watched and led elsewhere, and its first packet
/// held up.
class EdgeWorld final : public world::World {
 public:
  struct Way {
    world::Endpoint remote;
    std::optional<world::Duration> first_packet{};  ///< How long it takes, if not as long as usual.
  };

  explicit EdgeWorld(sim::Simulation& simulation)
      : EdgeWorld(simulation, simulation.add_host("edge")) {}

  const sim::Host& host() const { return host_; }
  /// Asked for each connection.
  void set_ways(std::function<Way(const world::Endpoint&)> way) { way_ = std::move(way); }

  world::CalendarTime calendar() const override { return host_.calendar(); }
  /// A segment takes as long as its link says when it leaves, and the SYN leaves within this.
  std::unique_ptr<world::Transport> connect(const world::Endpoint& remote,
                                            world::TransportEvents& events) override {
    const Way way = way_(remote);
    if (!way.first_packet) return host_.connect(way.remote, events);
    const sim::Host& to = *host_at(way.remote.address);
    sim::Network& network = simulation_.network();
    const sim::LinkOptions usual = network.link(host_, to);
    network.set_link(host_, to, {.latency = *way.first_packet});
    auto transport = host_.connect(way.remote, events);
    network.set_link(host_, to, usual);
    return transport;
  }
  world::Result<std::unique_ptr<world::Listener>> listen(const world::Endpoint& local,
                                                         world::AcceptEvents& events) override {
    return host_.listen(local, events);
  }
  void resolve(std::string_view name, std::function<void(const world::Resolution&)> done) override {
    host_.resolve(name, std::move(done));
  }
  world::Random random(std::string_view name) const override { return host_.random(name); }
  bool append(std::string_view path, std::string_view bytes) override {
    return host_.append(path, bytes);
  }

  /// Hosts that way.first_packet may be meant for.
  void know(const sim::Host& host) { hosts_.push_back(&host); }

 private:
  EdgeWorld(sim::Simulation& simulation, sim::Host& host)
      : World(simulation.loop(), simulation.trace(), host.id(), "edge"),
        simulation_(simulation),
        host_(host) {}

  const sim::Host* host_at(std::uint32_t address) const {
    for (const sim::Host* host : hosts_) {
      if (host->address() == address) return host;
    }
    return nullptr;
  }

  sim::Simulation& simulation_;
  sim::Host& host_;
  std::vector<const sim::Host*> hosts_;
  std::function<Way(const world::Endpoint&)> way_;
};

}  // namespace property
