#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/hop.h"
#include "world/timer.h"

namespace proxy {

/// A connection from a client, or from the first hop: what is the same for every codec.
///
/// Source: ENV-HTTP-67, -70, ENV-LIFE-02, -03.
class Downstream : protected world::TransportEvents {
 public:
  ~Downstream() override;

 protected:
  Downstream(Hop& hop, std::unique_ptr<world::Transport> transport);

  std::string& out() { return hop_.cork().to(*transport_); }
  std::size_t unsent_bytes() const { return transport_->unsent() + hop_.cork().held(*transport_); }

  bool closing() const { return phase_ >= Phase::Closing; }
  bool gone() const { return phase_ == Phase::Gone; }
  /// Waits for the client to close, then closes: so that it can read the last answer.
  void close_later();
  void close_now();
  /// The client has gone: from now on nobody reads or is answered.
  void expect_nothing() { phase_ = Phase::Closing; }
  /// Bytes came that nobody will read: the close will be a reset.
  void note_unread() { unread_ = true; }
  /// Starts the timer of an open connection: on_timer() is called unless it is moved or stopped.
  void start_timer(Duration after);
  void stop_timer() { timer_.stop(); }
  bool timing() const { return timer_.running(); }
  virtual void on_timer() = 0;
  /// The connection has lived for as long as it may.
  virtual void on_old() {}
  /// Lets on_old() come, where the age of connections is limited.
  void limit_age();
  /// Hands the transport over to another object, which takes this one's place in the hop.
  std::unique_ptr<world::Transport> give_up_transport();

  Hop& hop_;
  std::unique_ptr<world::Transport> transport_;
  OriginPtr origin_;

 private:
  friend class Hop;

  enum class Phase : std::uint8_t {
    Open,
    Closing,  // the last answer was written: the rest is waiting for the client to go
    Gone,
  };

  void on_time();
  void on_age();

  world::Timer timer_;
  std::unique_ptr<world::Timer> age_timer_;
  std::size_t index_ = 0;  // among the hop's connections
  Phase phase_ = Phase::Open;
  bool unread_ = false;  // bytes came after the last answer
};

}  // namespace proxy
