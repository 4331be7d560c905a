#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "world/event_loop.h"

namespace world {

/// What happened. The numbers enter the trace hash: append new kinds at the end.
enum class TraceKind : std::uint8_t {
  // Network; `flow` is the connection, `b` the peer's end: address << 16 | port.
  Connect,         ///< `a`: the port that is connected to.
  Accept,          ///< `a`: the port that was connected to.
  Refuse,          ///< A connect was answered by a reset.
  ConnectTimeout,  ///< A connect was never answered.
  Data,            ///< `who` received `a` bytes. Text: the bytes.
  End,             ///< `who` received the peer's FIN.
  Reset,           ///< `who` received a reset.
  Resolve,         ///< Text: "name -> addresses" or "name: failure".
  // Peers; `flow` is the connection, `a` the request's number within its client or service.
  RequestSent,       ///< A client sent a request. Text: its bytes, or head.
  RequestSeen,       ///< A service read a whole request. Text: its head.
  ResponseSent,      ///< A service answered. `b`: status.
  ResponseReceived,  ///< A client has a whole answer. `b`: status. Text: its head.
  RequestFailed,     ///< A client's request ended without an answer. Text: why.
  // Gateway; `flow` is the downstream connection.
  RouteChosen,  ///< A hop sends a request on. `a`: the upstream flow, `b`: the try. Text: route.
  LocalReply,   ///< A hop's request ended otherwise than by its upstream's whole answer. `a`:
                ///< response flags, `b`: status, 0 for none. Text: response code details.
  AccessLog,    ///< Text: the line.
  // Balancer.
  TargetChosen,  ///< Text: the target.
  // Scenario.
  Step,     ///< A step of the scenario begins. Text: what it is.
  Verdict,  ///< An expectation was judged. `b`: 1 if it held.
  Note,     ///< Anything else worth reading on a timeline.
  // TLS; `flow` is the connection.
  Secured,    ///< A handshake is over for `who`. `a`: the version, 0x0304 for 1.3, `b`: 1 if it
              ///< was resumed. Text: the subject of the peer's certificate; empty: it showed none.
  TlsFailed,  ///< `who` gave a connection up. `a`: the alert it sent, `b`: the one that it
              ///< received, kNoAlert for none. Text: why, as the real proxy logs it.
};

/// Stands for an alert that there was not: their numbers are bytes.
inline constexpr std::uint64_t kNoAlert = 256;

std::string_view name_of(TraceKind kind);

/// One line of the record of a run. Valid during the call that hands it over: copy what you keep.
struct TraceEvent {
  TimePoint at;
  TraceKind kind = TraceKind::Note;
  HostId who = 0;
  /// The connection it belongs to, 0 for none. Unique in a world. Of a stream: see stream_flow().
  std::uint64_t flow = 0;
  std::uint64_t a = 0;
  std::uint64_t b = 0;
  std::string_view text{};
};

/// What stands for one stream of a connection where `flow` is meant: the same for both of its ends.
/// Connections without streams have stream 0.
inline std::uint64_t stream_flow(std::uint64_t flow, std::int32_t stream) {
  return flow | static_cast<std::uint64_t>(static_cast<std::uint32_t>(stream)) << 32;
}
inline std::uint64_t connection_of(std::uint64_t flow) {
  return flow & 0xffffffffU;
}
inline std::int32_t stream_of(std::uint64_t flow) {
  return static_cast<std::int32_t>(flow >> 32);
}

/// Sees every event of a world as it happens. It must not act on the world.
class TraceSink {
 public:
  virtual ~TraceSink() = default;
  virtual void on_event(const TraceEvent& event) = 0;
};

/// A 128-bit hash of everything that was traced so far.
struct TraceHash {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  std::string text() const;  ///< 32 hexadecimal digits.
  bool operator==(const TraceHash&) const = default;
};

/// The ordered record of a run: hashed as it happens, handed to sinks only if there are any.
///
/// The hash covers each event's time, kind, host, flow, numbers and text, in order (XXH3, 128
/// bits). It is the same on every machine, compiler and optimisation level.
class Trace {
 public:
  Trace();
  ~Trace();
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;

  void record(const TraceEvent& event);
  std::uint64_t events() const { return events_; }
  /// Of what was recorded so far. Asking for it changes nothing.
  TraceHash hash() const;

  /// The sink must outlive the trace or be removed.
  void add_sink(TraceSink& sink) { sinks_.push_back(&sink); }
  void remove_sink(TraceSink& sink) { std::erase(sinks_, &sink); }
  /// Hashing can be left out where only its cost is of interest.
  void set_hashing(bool on) { hashing_ = on; }

 private:
  void flush();

  static constexpr std::size_t kBufferBytes = 2048;

  std::uint64_t events_ = 0;
  bool hashing_ = true;
  std::vector<TraceSink*> sinks_;
  TraceHash chained_;  // of everything that has left the buffer
  std::size_t used_ = 0;
  std::array<char, kBufferBytes> buffer_;
};

}  // namespace world
