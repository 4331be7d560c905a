#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include "live/asio_types.h"
#include "live/byte_queue.h"
#include "live/runtime.h"
#include "world/transport.h"

namespace live {

/// A TCP connection of the kernel's, as one end has it.
///
/// What is written is sent at once as far as the kernel takes it; the rest waits. What has come is
/// read into the runtime's one buffer when the kernel says that there is something: a connection
/// that is idle holds no buffer. Users hold Transports, not this; it lives on until nothing waits
/// for the kernel any more, and sends what was written before a close.
class Socket final : public boost::intrusive_ref_counter<Socket, boost::thread_unsafe_counter>,
                     private world::Task {
 public:
  using Ptr = boost::intrusive_ptr<Socket>;

  /// Begins to connect, from that address of this machine; 0: from the one that the kernel chooses,
  /// which is known once connected. `events` hears how that went.
  static std::unique_ptr<world::Transport> connect(Runtime& runtime, std::uint32_t from,
                                                   const world::Endpoint& remote,
                                                   world::TransportEvents& events);
  /// Takes a descriptor that was accepted and does not block.
  static std::unique_ptr<world::Transport> accepted(Runtime& runtime, int descriptor,
                                                    const world::Endpoint& remote);

  explicit Socket(Runtime& runtime);
  ~Socket();

 private:
  class Handle;

  void start_connect(std::uint32_t from);
  void connect_done(const boost::system::error_code& error);
  void write(std::string_view bytes);
  void finish();
  void close();
  void reset();
  void pause();
  void resume();

  void happen();  // the task
  void read();
  bool send_waiting();
  void linger();
  void begin();
  /// The error is told from the task, once what came before it has been read.
  void break_later(int error);
  void fail(world::TransportError error);
  void shut_writing();
  void abort();
  void drop();
  void learn_local();

  void await_readable();
  void await_writable();
  void await_error();

  Runtime& runtime_;
  TcpSocket socket_;
  world::TransportEvents* events_ = nullptr;
  std::uint64_t flow_;
  world::Endpoint local_{};
  world::Endpoint remote_{};
  ByteQueue unsent_;
  int broken_ = 0;  // errno of what ended it, not told yet
  bool connecting_ = false;
  bool connected_due_ = false;  // on_connected is to be called
  bool readable_ = false;       // the kernel said so, and nothing was read since
  bool writable_ = false;
  bool awaits_readable_ = false;
  bool awaits_writable_ = false;
  bool awaits_error_ = false;
  bool paused_ = false;
  bool fresh_ = false;      // was accepted, and nothing was read yet
  bool ended_ = false;      // the peer's FIN was told
  bool finishing_ = false;  // FIN goes after the last unsent byte
  bool closed_ = false;     // its user wants nothing more; what is unsent still goes
};

}  // namespace live
