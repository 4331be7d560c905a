#pragma once

#include <memory>

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include "live/asio_types.h"
#include "live/runtime.h"
#include "world/result.h"
#include "world/timer.h"
#include "world/transport.h"

namespace live {

/// A port of this machine that is listened on.
///
/// When descriptors run short it leaves connections in the kernel's backlog, and looks again a
/// little later: what is connected goes on, and can still connect to upstreams.
class SocketListener final
    : public boost::intrusive_ref_counter<SocketListener, boost::thread_unsafe_counter>,
      private world::Task {
 public:
  /// Errors: the port is taken, or may not be listened on.
  static world::Result<boost::intrusive_ptr<SocketListener>> open(Runtime& runtime,
                                                                  const world::Endpoint& local,
                                                                  world::AcceptEvents& events);

  SocketListener(Runtime& runtime, world::AcceptEvents& events);

  world::Endpoint local() const { return local_; }
  bool accepting() const { return accepting_; }
  void set_accepting(bool accepting);
  void close();

 private:
  void await_connection();
  void happen();  // the task

  Runtime& runtime_;
  TcpAcceptor acceptor_;
  world::AcceptEvents* events_;  // null once closed
  world::Endpoint local_{};
  bool accepting_ = true;
  bool awaits_ = false;
};

}  // namespace live
