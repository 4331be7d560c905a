#pragma once

#include "conformance/setting.h"
#include "sim/simulation.h"

namespace conformance {

/// A simulated world.
class SimSetting final : public Setting {
 public:
  explicit SimSetting(const sim::SimulationOptions& options)
      : simulation_(options), calendar_start_(options.calendar_start) {}

  world::EventLoop& loop() override { return simulation_.loop(); }
  world::Trace& trace() override { return simulation_.trace(); }
  world::CalendarTime calendar_start() const override { return calendar_start_; }
  world::World& add_host(const std::string& name) override;
  std::uint32_t address_of(const world::World& host) const override;
  std::string_view host_name(world::HostId id) const override { return simulation_.host_name(id); }
  void set_name(std::string_view name, std::vector<std::uint32_t> addresses) override;
  void set_rotating_name(std::string_view name, std::vector<std::uint32_t> addresses) override;
  void set_link(world::World& from, world::World& to, const sim::LinkOptions& link) override;
  sim::LinkOptions link(const world::World& from, const world::World& to) override;
  void set_redirect(world::World& host, const sim::Redirect& redirect) override;
  Name name(std::string_view name) override;
  void mask_name(std::string_view name, const Name& shown) override;
  void unmask_name(std::string_view name) override;
  void forget_connections(world::World& host) override;
  void abandon_connections(world::World& host, const world::World* peer) override;
  void reset_connections(world::World& one, world::World& other) override;
  void set_paused(world::World& host, bool paused) override;
  void set_pace(world::World& host, std::uint64_t reading, std::uint64_t writing) override;
  void step_calendar(world::World& host, world::Duration by) override;
  void set_cut_off(world::World& host, bool cut_off) override;
  void set_keep_alive(world::World& host, world::Duration idle) override;
  void make_unwritable(world::World& host, const std::string& path) override;
  std::string file(const world::World& host, const std::string& path) const override;
  bool step(world::TimePoint until) override;

 private:
  sim::Simulation simulation_;
  world::CalendarTime calendar_start_;
};

}  // namespace conformance
