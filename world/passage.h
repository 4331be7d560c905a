#pragma once

#include <cstdint>
#include <string>

#include "world/transport.h"

namespace world {

/// What a segment means to a box in the middle of a connection.
enum class SegmentKind : std::uint8_t {
  SynAck,
  Ack,  ///< Anything else without bytes: an update of the window, a keep-alive probe.
  Data,
  Fin,
  Rst
};

/// What the box does with a segment.
enum class PassVerdict : std::uint8_t {
  Forward,
  Drop,  ///< Nobody is told; the sender sends it again.
  Reset  ///< The sender gets a reset, and the other end hears nothing.
};

/// A client's SYN, as it comes to the box. One that is sent again is the same.
struct Opening {
  std::uint64_t flow = 0;  ///< As in the trace.
  Endpoint source{};
  Endpoint destination{};
  std::uint32_t sequence = 0;
};

/// Where a SYN goes.
struct Onward {
  PassVerdict verdict = PassVerdict::Drop;
  Endpoint target{};  ///< The other end of the connection from now on.
  Endpoint source{};  ///< What the target sees as the client's end.
};

struct Passing {
  PassVerdict verdict = PassVerdict::Drop;
  std::string prefix{};  ///< Bytes that the receiver gets before those of this segment.
};

/// Decides what becomes of the segments of other hosts' connections. Not called from inside of
/// calls into the passage; must not destroy it.
class PassageEvents {
 public:
  virtual ~PassageEvents() = default;
  virtual Onward on_open(const Opening& opening) = 0;
  /// Any segment of a connection but its SYN.
  virtual Passing on_segment(std::uint64_t flow, bool from_client, SegmentKind kind) = 0;
};

/// A box in the middle: connections to this host's addresses are not ended here but go on to
/// another host, with addresses rewritten. When it is destroyed, what comes is lost.
class Passage {
 public:
  virtual ~Passage() = default;
  /// Sends a reset to both ends of a connection. Does nothing if it is gone.
  virtual void reset(std::uint64_t flow) = 0;
};

}  // namespace world
