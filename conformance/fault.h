#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "conformance/expectation.h"
#include "peers/behaviour.h"
#include "world/result.h"
#include "world/time.h"

namespace conformance {

/// What a fault does to the links between two things, in the directions that are meant.
struct LinkFault {
  std::string from;
  std::string to;
  bool both_ways = true;
  bool cut = false;  ///< Nothing passes: sent again with growing pauses, as TCP does.
  world::Duration latency{};
  world::Duration jitter{};
  std::optional<std::uint32_t> loss_per_million;
  std::optional<std::uint64_t> bits_per_second;
};

/// `fault: { gateway/edge-1: stopped }`: what happens to instances of a gateway.
struct FaultAction {
  enum class Kind : std::uint8_t {
    Stopped,      ///< The process ends, and the kernel closes its connections.
    Running,      ///< It begins anew.
    Closed,       ///< It listens no more; its connections go on.
    Unreachable,  ///< Nothing comes from the host or to it, and nobody is told.
    Reachable
  };
  std::string gateway;  ///< Or an instance.
  Kind kind = Kind::Stopped;
};

/// One `fault:` of a step.
struct Fault {
  enum class Kind : std::uint8_t {
    Link,       ///< partition, latency, loss, bandwidth.
    Blackhole,  ///< A host sends and receives nothing.
    Behaviour,  ///< A service answers otherwise.
    Refuse,     ///< An endpoint listens no more; its connections go on.
    Reset,      ///< An endpoint's connections are reset, or all those between two things.
    Close,      ///< They end with FIN.
    Crash,      ///< A host is gone, and comes back without any state.
    Restart,    ///< A host begins anew without any state, whether it had crashed or not.
    Pause,      ///< A process stands still; its kernel goes on.
    Slow,       ///< A process reads or writes slowly.
    HalfOpen,   ///< A host gives up its connections, and their other ends hear nothing.
    Name,       ///< A name answers otherwise, or as before, or fails.
    Instance,   ///< What happens to instances of gateways.
    Clock,      ///< A host's calendar jumps; its timers do not notice.
  };
  Kind kind = Kind::Link;
  std::vector<LinkFault> links;        ///< Of Link, HalfOpen and Reset: each of them.
  std::vector<FaultAction> instances;  ///< Of Instance.
  std::string target;                  ///< Of the kinds that strike one thing.
  std::optional<std::vector<peers::Answer>> respond;
  std::optional<std::vector<peers::Answer>> health;
  std::string name;  ///< Of Name, plain: small letters, no dot at the end.
  world::Place name_place;
  std::optional<std::vector<std::string>> answer;  ///< Hosts.
  bool fails = false;                              ///< The name's server answers with a failure.
  bool stale = false;                              ///< The name's changes are not seen.
  std::uint64_t reading = 0;                       ///< Of Slow: bits per second; 0: not slow.
  std::uint64_t writing = 0;
  world::Duration clock_step{};
  std::optional<world::Duration> lasts;    ///< How long; absent, as is `ends_at`: to the end.
  std::optional<world::Duration> ends_at;  ///< From the start of the world.
  world::Place ends_place;
  std::string written;  ///< For the trace: "crash endpoint/books-1".
  world::Place place;
};

/// `until:` of a step: what must come to hold, and when.
struct Until {
  std::vector<CountExpectation> counts;
  world::Duration earliest{};               ///< From the step's begin.
  std::optional<world::Duration> latest{};  ///< Absent: as long as the scenario may last.
  std::string written;
  world::Place place;
};

}  // namespace conformance
