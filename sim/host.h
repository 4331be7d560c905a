#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "world/world.h"

namespace sim {

class SimListener;
class SimPassage;
class Simulation;

/// What a host's packet filter does with TCP, as a proxy configuration has it set up (iptables'
/// REDIRECT). What a host sends to itself stays as it is.
struct Redirect {
  std::uint16_t outgoing = 0;  ///< Connections to other hosts go to this port of its own; 0: not.
  std::vector<std::uint16_t> ports{};  ///< Connections from elsewhere to these...
  std::uint16_t incoming = 0;          ///< ... go to this port.
};

/// When a host's TCP asks whether a silent peer is still there. Source: RFC 9293, section 3.8.4.
struct KeepAlive {
  world::Duration idle{};  ///< Of silence before the first probe; 0: it never asks.
  world::Duration interval = std::chrono::seconds(75);
  std::uint32_t probes = 9;  ///< So many without an answer, and the connection is given up.
};

/// One machine of a simulated world: what a gateway, client or service is given as its world.
class Host final : public world::World {
 public:
  Host(Simulation& simulation, world::HostId id, std::string name, std::uint32_t address);
  ~Host() override;

  std::uint32_t address() const { return address_; }

  world::CalendarTime calendar() const override;
  /// Moves this host's calendar against the simulation's clock. Timers do not notice.
  void step_calendar(world::Duration by) { calendar_offset_ += by; }

  std::unique_ptr<world::Transport> connect(const world::Endpoint& remote,
                                            world::TransportEvents& events) override;
  std::unique_ptr<world::Transport> connect_from(std::uint16_t port, const world::Endpoint& remote,
                                                 world::TransportEvents& events) override;
  /// Requires: it is not one already.
  std::unique_ptr<world::Passage> pass_on(world::PassageEvents& events) override;
  world::Result<std::unique_ptr<world::Listener>> listen(const world::Endpoint& local,
                                                         world::AcceptEvents& events) override;
  void resolve(std::string_view name, std::function<void(const world::Resolution&)> done) override;
  world::Random random(std::string_view name) const override;
  world::Random* secrets() override;
  bool append(std::string_view path, std::string_view bytes) override;

  /// For connections that begin from now on.
  void set_redirect(Redirect redirect) {
    redirect_ = std::make_unique<const Redirect>(std::move(redirect));
  }

  /// Nothing comes from it or to it any more, and nobody is told; what it sends to itself apart.
  void set_cut_off(bool cut_off) { cut_off_ = cut_off; }

  /// How fast its process reads from, and writes to, each of its connections with other hosts, in
  /// bits per second; 0: as fast as it can. Open connections follow from now on.
  void set_pace(std::uint64_t reading, std::uint64_t writing);

  /// For connections whose handshakes end from now on.
  void set_keep_alive(const KeepAlive& keep_alive) { keep_alive_ = keep_alive; }

  /// The files written so far, by path.
  const std::map<std::string, std::string, std::less<>>& files() const { return files_; }
  /// From now on writing to that path fails.
  void make_unwritable(std::string path) { unwritable_.insert(std::move(path)); }

 private:
  friend class Connection;
  friend class Network;
  friend class SimListener;
  friend class SimPassage;

  Simulation& simulation_;
  std::uint32_t address_;
  SimListener* listeners_ = nullptr;          // that are open
  std::unique_ptr<const Redirect> redirect_;  // almost always none
  SimPassage* passage_ = nullptr;             // connections to this host pass through it
  KeepAlive keep_alive_;
  bool cut_off_ = false;
  std::uint64_t read_rate_ = 0;
  std::uint64_t write_rate_ = 0;
  std::uint16_t next_port_ = 0;  // counted from the first one that Network hands out
  world::Duration calendar_offset_{};
  std::optional<world::Random> secrets_;
  mutable std::optional<world::Random> random_;  // what all of its streams are forked from
  std::map<std::string, std::string, std::less<>> files_;
  std::unordered_set<std::string> unwritable_;
};

}  // namespace sim
