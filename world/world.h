#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "world/event_loop.h"
#include "world/passage.h"
#include "world/random.h"
#include "world/result.h"
#include "world/timer.h"
#include "world/trace.h"
#include "world/transport.h"

namespace world {

/// What a name was resolved to.
struct Resolution {
  enum class Status { Found, NoSuchName, Failed };
  Status status = Status::NoSuchName;
  std::vector<std::uint32_t> addresses;  ///< In the order of the answer.
  Duration time_to_live{};
};

/// All that a gateway, a client, a service or a balancer may ask of the world it lives in, seen
/// from one host: time, timers, byte streams, listeners, names, randomness, files, and a trace to
/// leave events in. There are two worlds, sim and live; nothing above this line knows which.
class World {
 public:
  World(EventLoop& loop, Trace& trace, HostId id, std::string name)
      : loop_(loop), trace_(trace), id_(id), name_(std::move(name)) {}
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  virtual ~World() = default;

  EventLoop& loop() { return loop_; }
  TimePoint now() const { return loop_.now(); }
  HostId id() const { return id_; }
  const std::string& name() const { return name_; }
  Timer timer(Action action) { return Timer(loop_, id_, action); }

  /// Leaves an event in the trace, with the time and this host filled in.
  void trace(TraceKind kind, std::uint64_t flow, std::uint64_t a, std::uint64_t b,
             std::string_view text) {
    trace_.record({loop_.now(), kind, id_, flow, a, b, text});
  }

  /// This host's calendar, which a scenario can set and step.
  virtual CalendarTime calendar() const = 0;

  /// Starts a connection. `events` hears on_connected or on_error; data may be written at once.
  virtual std::unique_ptr<Transport> connect(const Endpoint& remote, TransportEvents& events) = 0;

  /// The same from that port of this host, in a world that lets one choose; else from any.
  virtual std::unique_ptr<Transport> connect_from(std::uint16_t /*port*/, const Endpoint& remote,
                                                  TransportEvents& events) {
    return connect(remote, events);
  }

  /// Makes this host a box in the middle: from now on every connection to it, whatever the port, is
  /// for `events` to pass on. Null: this world's segments cannot be had.
  virtual std::unique_ptr<Passage> pass_on(PassageEvents& /*events*/) { return nullptr; }

  /// Listens on a port of this host; `address` 0 means all of its addresses.
  /// Errors: the port is taken.
  virtual Result<std::unique_ptr<Listener>> listen(const Endpoint& local, AcceptEvents& events) = 0;

  /// Asks for a name's addresses. `done` is called once, later; not after this host has gone.
  virtual void resolve(std::string_view name, std::function<void(const Resolution&)> done) = 0;

  /// A stream of random numbers that belongs to this host and that name.
  virtual Random random(std::string_view name) const = 0;

  /// What keys and nonces are drawn from in a world whose secrets are for show; null: they are
  /// real, and the machine's own random numbers are to be used.
  virtual Random* secrets() { return nullptr; }

  /// Appends to a file of this host (an access log, /dev/stdout). False: it cannot be written.
  virtual bool append(std::string_view path, std::string_view bytes) = 0;

 private:
  EventLoop& loop_;
  Trace& trace_;
  HostId id_;
  std::string name_;
};

}  // namespace world
