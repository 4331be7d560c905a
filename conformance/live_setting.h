#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "conformance/setting.h"
#include "world/result.h"

namespace conformance {

struct LiveSettingOptions {
  std::uint64_t seed = 0;
  /// How many seconds of the scenario pass in a real one.
  std::uint32_t time_scale = 1;
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

 private:
  class Host;
  class Network;
  class Tap;
  struct Inner;

  explicit LiveSetting(std::unique_ptr<Inner> inner);

  std::unique_ptr<Inner> inner_;
};

}  // namespace conformance
