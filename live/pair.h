#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include "live/byte_queue.h"
#include "live/runtime.h"
#include "world/result.h"
#include "world/transport.h"

namespace live {

class PairListener;

/// The ports of one world that are listened on for its own connections alone.
using PairPorts = std::map<std::uint16_t, PairListener*>;

/// A connection between two ends of one process: bytes go from one end to the other through the
/// event loop, and no kernel is asked.
///
/// It behaves as TCP over loopback does: a window holds back who writes to an end that does not
/// read, FIN follows the bytes, what is written to a closed end is answered by a reset.
class Pair final : public boost::intrusive_ref_counter<Pair, boost::thread_unsafe_counter> {
 public:
  using Ptr = boost::intrusive_ptr<Pair>;
  enum Side : std::uint8_t { kClient = 0, kServer = 1 };

  static constexpr std::size_t kWindowBytes = 65536;

  /// Connects to one of those ports. `events` hears how that went.
  static std::unique_ptr<world::Transport> connect(Runtime& runtime,
                                                   const std::shared_ptr<PairPorts>& ports,
                                                   const world::Endpoint& local,
                                                   const world::Endpoint& remote,
                                                   world::TransportEvents& events);

  Pair(Runtime& runtime, const world::Endpoint& local, const world::Endpoint& remote);

 private:
  friend class PairListener;
  class Handle;

  struct End : world::Task {
    End(Pair& of, Side which, const world::Endpoint& at);

    Pair& pair;
    Side side;
    world::Endpoint local;
    world::TransportEvents* events = nullptr;
    std::string inbox;  // has arrived, is not read
    ByteQueue unsent;   // what the other end's window has not taken
    world::TransportError error{};
    bool connected_due = false;
    bool drained_due = false;
    bool end_due = false;    // FIN stands behind the inbox
    bool error_due = false;  // behind the inbox too
    bool accepted = true;    // false: its user is not there yet
    bool paused = false;
    bool finishing = false;  // FIN goes after the last unsent byte
    bool closed = false;     // its user wants nothing more, or it has failed
  };

  End& other(const End& end) { return ends_[end.side == kClient ? kServer : kClient]; }
  void write(End& from, std::string_view bytes);
  void finish(End& from);
  void close(End& end);
  void reset(End& end);
  void resume(End& end);
  void break_later(End& end, world::TransportError error);
  void fill_window(End& from);
  void schedule(End& end);
  void happen(End& end);  // the task
  void open(PairPorts& ports);
  void hand_over(world::AcceptEvents& events);

  Runtime& runtime_;
  std::uint64_t flow_;
  std::array<End, 2> ends_;
};

/// A port that only its own world's connections reach.
class PairListener final : public world::Listener, private world::Task {
 public:
  PairListener(Runtime& runtime, std::shared_ptr<PairPorts> ports, const world::Endpoint& local,
               world::AcceptEvents& events);
  ~PairListener() override;

  world::Endpoint local() const override { return local_; }
  void set_accepting(bool accepting) override;

 private:
  friend class Pair;

  void happen();  // the task

  Runtime& runtime_;
  std::shared_ptr<PairPorts> ports_;
  world::Endpoint local_;
  world::AcceptEvents& events_;
  bool accepting_ = true;
  std::shared_ptr<bool> gone_ = std::make_shared<bool>(false);  // its user may destroy it
  std::deque<Pair::Ptr> backlog_;
};

}  // namespace live
