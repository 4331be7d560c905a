#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

namespace world {

/// An IPv4 address and a port, in host byte order.
struct Endpoint {
  std::uint32_t address = 0;
  std::uint16_t port = 0;

  std::string text() const;          ///< "10.0.0.1:80"
  std::string address_text() const;  ///< "10.0.0.1"
  auto operator<=>(const Endpoint&) const = default;
};

inline constexpr std::uint32_t kLoopbackAddress = 0x7f000001;

/// How a transport can fail.
enum class TransportError {
  Refused = 1,     ///< Nothing listens there.
  TimedOut,        ///< The handshake was never answered.
  Reset,           ///< The peer aborted.
  PortsExhausted,  ///< No local port is free for that remote end.
  Unreachable,     ///< There is no such host.
};

const std::error_category& transport_category();
inline std::error_code make_error_code(TransportError error) {
  return {static_cast<int>(error), transport_category()};
}

/// What a transport tells its user.
///
/// Never called from inside a call into the transport. The user may destroy the transport in any
/// of these. After on_error nothing more is called.
class TransportEvents {
 public:
  virtual ~TransportEvents() = default;
  /// The handshake is over; only for transports made by World::connect.
  virtual void on_connected() {}
  /// Bytes arrived, in order. They are valid during the call and count as read.
  virtual void on_data(std::string_view bytes) = 0;
  /// The peer sent its last byte. Writing may go on.
  virtual void on_end() = 0;
  /// The transport is dead: both directions.
  virtual void on_error(std::error_code error) = 0;
  /// Everything that was written has been taken by the peer's window, after unsent() was above 0.
  virtual void on_drained() {}
};

/// One end of an ordered, reliable byte connection, as an application sees TCP.
///
/// Destroying it is close().
class Transport {
 public:
  virtual ~Transport() = default;

  /// Requires: neither finish() nor close() nor reset() was called. Bytes written before the
  /// handshake is over are sent after it.
  virtual void write(std::string_view bytes) = 0;
  /// Sends FIN after everything written. Reading goes on (half-close).
  virtual void finish() = 0;
  /// Sends FIN after everything written and reads no more: what still arrives is answered by a
  /// reset, and unread bytes make this a reset. No event comes afterwards.
  virtual void close() = 0;
  /// Aborts: both ends lose what was not delivered. No event comes afterwards.
  virtual void reset() = 0;

  /// While paused, bytes stay in the receive window and hold back the peer.
  virtual void pause_reading() = 0;
  virtual void resume_reading() = 0;

  /// Bytes written that the peer's window has not taken yet.
  virtual std::size_t unsent() const = 0;
  virtual Endpoint local() const = 0;
  virtual Endpoint remote() const = 0;
  /// Identifies the connection in the trace; both ends have the same one.
  virtual std::uint64_t flow() const = 0;
  virtual void set_events(TransportEvents& events) = 0;
};

/// What a listener hands over.
class AcceptEvents {
 public:
  virtual ~AcceptEvents() = default;
  /// The receiver calls set_events before it returns.
  virtual void on_accept(std::unique_ptr<Transport> transport) = 0;
};

/// Accepts connections until it is destroyed; those already accepted go on.
class Listener {
 public:
  virtual ~Listener() = default;
  virtual Endpoint local() const = 0;
  /// While not accepting, connections wait in the backlog; past it their SYNs are dropped.
  virtual void set_accepting(bool accepting) = 0;
};

}  // namespace world

template <>
struct std::is_error_code_enum<world::TransportError> : std::true_type {};
