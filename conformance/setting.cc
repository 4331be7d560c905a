#include "conformance/setting.h"

#include <cassert>

namespace conformance {

// cannot_show_live() has refused what would come here.

void Setting::set_link(world::World&, world::World&, const sim::LinkOptions&) {
  assert(false);
}

sim::LinkOptions Setting::link(const world::World&, const world::World&) {
  assert(false);
  return {};
}

Setting::Name Setting::name(std::string_view) {
  assert(false);
  return {};
}

void Setting::mask_name(std::string_view, const Name&) {
  assert(false);
}

void Setting::unmask_name(std::string_view) {
  assert(false);
}

void Setting::forget_connections(world::World&) {
  assert(false);
}

void Setting::abandon_connections(world::World&, const world::World*) {
  assert(false);
}

void Setting::reset_connections(world::World&, world::World&) {
  assert(false);
}

void Setting::set_paused(world::World&, bool) {
  assert(false);
}

void Setting::set_pace(world::World&, std::uint64_t, std::uint64_t) {
  assert(false);
}

void Setting::step_calendar(world::World&, world::Duration) {
  assert(false);
}

void Setting::set_cut_off(world::World&, bool) {
  assert(false);
}

void Setting::set_keep_alive(world::World&, world::Duration) {
  assert(false);
}

void Setting::set_redirect(world::World&, const sim::Redirect&) {
  assert(false);
}

}  // namespace conformance
