#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace property {

inline constexpr std::uint32_t kNoLimit = 2147483647;

/// How long a step of a script lasts. All timers are chosen so that no two things of different
/// causes fall on one millisecond: steps begin at multiples of 64 ms, and the remainders of
/// all that follows from them differ.
inline constexpr std::int64_t kStepMillis = 64;
/// A late handshake takes so long.
inline constexpr std::int64_t kLateMillis = 4 * kStepMillis + 13;

/// What a world of a pool script is like. Times in milliseconds; 0 is none.
struct PoolSetting {
  bool http2 = false;
  std::uint32_t hosts = 1;
  std::uint32_t max_connections = kNoLimit;
  std::uint32_t max_pending = kNoLimit;
  std::uint32_t max_requests = kNoLimit;
  std::uint32_t max_requests_per_connection = 0;
  std::uint32_t max_streams = 0;  ///< What endpoints say of themselves; 0: nothing.
  std::int64_t route_timeout = 0;
  std::int64_t connect_timeout = 0;
  std::int64_t idle_timeout = 0;

  std::string text() const;
};

/// One stimulus. Requests and connections are named by number; a step that finds no such thing to
/// act on does nothing.
struct PoolStep {
  enum class Kind : std::uint8_t {
    Send,          ///< Request `a`, on a connection of its own.
    Burst,         ///< Requests `a` to `b` in one write of an HTTP/2 connection.
    LeaveByFin,    ///< The client of request `a` goes away.
    LeaveByReset,  ///< The same; in HTTP/2 both reset the stream.
    Answer,        ///< Request `a` is answered.
    AnswerAndSay,  ///< HTTP/1: with `connection: close`.
    AnswerAndFin,  ///< HTTP/1: followed by FIN at once.
    Fin,           ///< Connection `b` of host `a` is ended by the endpoint.
    Reset,         ///< The same by RST.
    ResetStream,   ///< HTTP/2: the endpoint resets request `a` with code `b`.
    GoAway,        ///< HTTP/2: connection `b` of host `a` looks at the first `c` streams alone.
    MaxStreams,    ///< HTTP/2: connection `b` of host `a` takes `c` streams.
    Refuse,        ///< Host `a` refuses connections.
    Silence,       ///< Host `a` never answers new connections.
    Delay,         ///< Host `a` answers new connections late.
    Welcome,       ///< Host `a` is as usual again.
    Wait,          ///< `a` steps without a stimulus.
  };
  Kind kind = Kind::Wait;
  std::uint32_t a = 0;
  std::uint32_t b = 0;
  std::uint32_t c = 0;

  std::string text() const;
};

struct PoolScript {
  PoolSetting setting;
  std::vector<PoolStep> steps;

  std::string text() const;
};

/// The script of that number. `first_turn`: the host of the first request, by number of hosts.
PoolScript make_pool_script(std::uint64_t seed, const std::vector<std::uint32_t>& first_turn);

}  // namespace property
