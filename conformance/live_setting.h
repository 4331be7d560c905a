#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "conformance/setting.h"
#include "world/result.h"

namespace conformance {

struct LiveSettingOptions {
  std::uint64_t seed = 0;
  /// How many seconds of the scenario pass in a real one.
  std::uint32_t time_scale = 1;
  /// Time stands still while the machine is too busy to do what is due. Not for a world with
  /// programs that have a clock of their own.
  bool waits_for_loop = true;
};

/// This machine: every host is an address of the loopback interface, with real sockets, real files
/// in a folder of its own, and the real time.
///
/// Hosts believe to have the addresses of the simulated world (10.0.0.1, ...): the network 10.0/16
/// stands for a network 127.N/16 that no other setting of this machine has. A port that cannot be
/// had (below 1024, or taken on all addresses) is another one there, and nobody can tell. Nothing
/// leaves the machine: what is outside of 10.0/16 cannot be reached. Names are the setting's own.
class LiveSetting final : public Setting {
 public:
  /// Errors: no network is free, no folder can be made for files.
  static world::Result<std::unique_ptr<LiveSetting>> open(const LiveSettingOptions& options);
  ~LiveSetting() override;

  world::EventLoop& loop() override;
  world::Trace& trace() override;
  world::CalendarTime calendar_start() const override;
  world::World& add_host(const std::string& name) override;
  std::uint32_t address_of(const world::World& host) const override;
  std::string_view host_name(world::HostId id) const override;
  void set_name(std::string_view name, std::vector<std::uint32_t> addresses) override;
  void set_rotating_name(std::string_view name, std::vector<std::uint32_t> addresses) override;
  bool second_hop_is_private() const override { return true; }
  void make_unwritable(world::World& host, const std::string& path) override;
  std::string file(const world::World& host, const std::string& path) const override;
  bool step(world::TimePoint until) override;

  // For a program that is not ours and takes a host's place.

  struct Place {
    world::World& machine;  ///< The machine's own sockets, from that address.
    std::uint32_t address;
    std::filesystem::path folder;  ///< A path of the host's is below it.
  };
  Place place_of(world::World& host);
  /// Where the program is to listen for it to be found at that port of the host: there, or where
  /// there is room.
  std::uint16_t real_port(world::World& host, std::uint16_t port);
  /// Where a name's addresses really are, in their order; none: there is no such name.
  std::vector<world::Endpoint> real_ends(std::string_view name, std::uint16_t port);
  /// What the scenario knows a real end by.
  world::Endpoint known(const world::Endpoint& real) const;
  /// The flow of the connection that a host has begun last from there to there. Both are real.
  std::optional<std::uint64_t> flow_of(const world::Endpoint& from,
                                       const world::Endpoint& to) const;

 private:
  class Host;
  class Network;
  class Tap;
  struct Inner;

  explicit LiveSetting(std::unique_ptr<Inner> inner);

  std::unique_ptr<Inner> inner_;
};

}  // namespace conformance
