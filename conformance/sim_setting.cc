#include "conformance/sim_setting.h"

#include <utility>

namespace conformance {
namespace {

// Every host of this setting is one of these: add_host() made it.
sim::Host& host_of(world::World& world) {
  return static_cast<sim::Host&>(world);
}
const sim::Host& host_of(const world::World& world) {
  return static_cast<const sim::Host&>(world);
}

}  // namespace

world::World& SimSetting::add_host(const std::string& name) {
  std::string unique = name;
  while (simulation_.find_host(unique) != nullptr) unique += "'";
  return simulation_.add_host(unique);
}

std::uint32_t SimSetting::address_of(const world::World& host) const {
  return host_of(host).address();
}

void SimSetting::set_name(std::string_view name, std::vector<std::uint32_t> addresses) {
  simulation_.names().set(name, {.addresses = std::move(addresses)});
}

void SimSetting::set_rotating_name(std::string_view name, std::vector<std::uint32_t> addresses) {
  simulation_.names().set(name, {.addresses = std::move(addresses), .rotates = true});
}

void SimSetting::set_cut_off(world::World& host, bool cut_off) {
  host_of(host).set_cut_off(cut_off);
}

void SimSetting::set_keep_alive(world::World& host, world::Duration idle) {
  host_of(host).set_keep_alive({.idle = idle});
}

void SimSetting::set_link(world::World& from, world::World& to, const sim::LinkOptions& link) {
  simulation_.network().set_link(host_of(from), host_of(to), link);
}

sim::LinkOptions SimSetting::link(const world::World& from, const world::World& to) {
  return simulation_.network().link(host_of(from), host_of(to));
}

Setting::Name SimSetting::name(std::string_view name) {
  const sim::Names::Record* const found = simulation_.names().find(name);
  if (found == nullptr) return std::nullopt;
  return *found;
}

void SimSetting::mask_name(std::string_view name, const Name& shown) {
  simulation_.names().mask(name, shown);
}

void SimSetting::unmask_name(std::string_view name) {
  simulation_.names().unmask(name);
}

void SimSetting::forget_connections(world::World& host) {
  simulation_.network().forget_connections(host_of(host));
}

void SimSetting::abandon_connections(world::World& host, const world::World* peer) {
  simulation_.network().abandon_connections(host_of(host), peer ? &host_of(*peer) : nullptr);
}

void SimSetting::reset_connections(world::World& one, world::World& other) {
  simulation_.network().reset_connections(host_of(one), host_of(other));
}

void SimSetting::set_paused(world::World& host, bool paused) {
  if (paused) {
    simulation_.loop().freeze(host.id());
  } else {
    simulation_.loop().thaw(host.id());
  }
}

void SimSetting::set_pace(world::World& host, std::uint64_t reading, std::uint64_t writing) {
  host_of(host).set_pace(reading, writing);
}

void SimSetting::step_calendar(world::World& host, world::Duration by) {
  host_of(host).step_calendar(by);
}

void SimSetting::set_redirect(world::World& host, const sim::Redirect& redirect) {
  host_of(host).set_redirect(redirect);
}

void SimSetting::make_unwritable(world::World& host, const std::string& path) {
  host_of(host).make_unwritable(path);
}

std::string SimSetting::file(const world::World& host, const std::string& path) const {
  const auto& files = host_of(host).files();
  const auto found = files.find(path);
  return found == files.end() ? std::string() : found->second;
}

bool SimSetting::step(world::TimePoint until) {
  world::EventLoop& loop = simulation_.loop();
  if (loop.pending() == 0 || loop.next_due() > until) {
    loop.run_until(until);
    return false;
  }
  loop.run_one();
  return true;
}

}  // namespace conformance
