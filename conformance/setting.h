#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/host.h"
#include "sim/link.h"
#include "sim/names.h"
#include "world/world.h"

namespace conformance {

/// Where a run takes place: hosts, their names, what is between them, and time. One of them is
/// simulated, the other is made of this machine's sockets.
class Setting {
 public:
  Setting() = default;
  Setting(const Setting&) = delete;
  Setting& operator=(const Setting&) = delete;
  virtual ~Setting() = default;

  virtual world::EventLoop& loop() = 0;
  virtual world::Trace& trace() = 0;
  /// What calendars show at the start.
  virtual world::CalendarTime calendar_start() const = 0;
  world::TimePoint now() { return loop().now(); }
  /// The instant from which a scenario counts its time: now.
  void begin() { begin_ = now(); }
  world::TimePoint at(world::Duration since_begin) const { return begin_ + since_begin; }
  world::Duration since_begin(world::TimePoint at) const { return at - begin_; }

  /// Adds a host with the next free address (10.0.0.1, 10.0.0.2, ...) and a name that resolves to
  /// it. If another host has that name, it gets one that looks like it.
  virtual world::World& add_host(const std::string& name) = 0;
  virtual std::uint32_t address_of(const world::World& host) const = 0;
  /// The name of a host by its number in the trace; "world" for 0.
  virtual std::string_view host_name(world::HostId id) const = 0;
  virtual void set_name(std::string_view name, std::vector<std::uint32_t> addresses) = 0;

  /// The same, and each answer begins with the next of them.
  virtual void set_rotating_name(std::string_view name, std::vector<std::uint32_t> addresses) = 0;

  // What only a simulated world can do. Requires: cannot_show_live() has said nothing against it,
  // or the world is simulated.
  virtual void set_link(world::World& from, world::World& to, const sim::LinkOptions& link);
  virtual sim::LinkOptions link(const world::World& from, const world::World& to);
  virtual void set_redirect(world::World& host, const sim::Redirect& redirect);
  /// What a name resolves to, and how; absent: there is no such name.
  using Name = std::optional<sim::Names::Record>;
  virtual Name name(std::string_view name);
  /// Whatever becomes of the name meanwhile, it is answered like this.
  virtual void mask_name(std::string_view name, const Name& shown);
  virtual void unmask_name(std::string_view name);
  /// Everything that the host's connections know there is gone; their other ends hear nothing.
  virtual void forget_connections(world::World& host);
  /// The host gives up its open connections, with `peer` or with all if null; their other ends
  /// hear nothing until they send.
  virtual void abandon_connections(world::World& host, const world::World* peer);
  /// Both ends of every connection between the two hear of a reset.
  virtual void reset_connections(world::World& one, world::World& other);
  /// Its process stands still; its kernel goes on.
  virtual void set_paused(world::World& host, bool paused);
  /// In bits per second, of each connection; 0: as fast as it can.
  virtual void set_pace(world::World& host, std::uint64_t reading, std::uint64_t writing);
  virtual void step_calendar(world::World& host, world::Duration by);
  /// Nothing comes from it or to it any more, and nobody is told.
  virtual void set_cut_off(world::World& host, bool cut_off);
  virtual void set_keep_alive(world::World& host, world::Duration idle);

  /// Whether only the gateway itself reaches its second hop, as `meshproof gateway` has it. App
  /// Mesh's, and the simulated one, can be reached from outside.
  virtual bool second_hop_is_private() const { return false; }

  virtual void make_unwritable(world::World& host, const std::string& path) = 0;
  /// What a host has written to that file so far.
  virtual std::string file(const world::World& host, const std::string& path) const = 0;

  /// Runs the next task that is due at `until` or before, once its time has come. False: there is
  /// none, and now it is `until`.
  virtual bool step(world::TimePoint until) = 0;

 private:
  world::TimePoint begin_{};
};

}  // namespace conformance
