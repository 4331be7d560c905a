#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "peers/resolver.h"
#include "world/world.h"

namespace peers {

class RawConnection;

/// Hears what happens on a raw connection. It may act on it, but not destroy it.
class RawObserver {
 public:
  virtual void on_connected(RawConnection&) {}
  /// received() already holds the bytes.
  virtual void on_bytes(RawConnection&, std::string_view) {}
  /// See ending().
  virtual void on_ended(RawConnection&) {}

 protected:
  ~RawObserver() = default;
};

/// A connection whose bytes the user writes himself: nothing is added, nothing is interpreted.
class RawConnection final : private world::TransportEvents {
 public:
  enum class State : std::uint8_t { Resolving, Connecting, Open, Ended };
  /// How receiving ended.
  enum class Ending : std::uint8_t {
    None,  ///< It goes on.
    Fin,   ///< The peer's last byte has come; writing may go on.
    Reset,
    Refused,
    ConnectFailed,  ///< Timed out, unreachable or out of ports.
    Unresolved,
    Closed,  ///< By us.
  };

  /// `host` is a name or an IPv4 address.
  /// `source_port`: connects from there, where the world can; 0: from any.
  RawConnection(world::World& world, std::string_view host, std::uint16_t port,
                RawObserver* observer = nullptr, std::uint16_t source_port = 0);
  RawConnection(world::World& world, const world::Endpoint& remote,
                RawObserver* observer = nullptr);
  ~RawConnection() override;
  RawConnection(const RawConnection&) = delete;
  RawConnection& operator=(const RawConnection&) = delete;

  /// Writes, once the connection is there. Ignored after it has ended.
  void send(std::string_view bytes) { send_repeated(bytes, 1); }
  /// Writes `bytes` `times` over, no faster than the peer takes them: memory stays bounded.
  void send_repeated(std::string_view bytes, std::uint64_t times);
  /// Sends FIN after everything; reading goes on.
  void finish();
  void close();
  void reset();
  void pause_reading();
  void resume_reading();

  State state() const { return state_; }
  Ending ending() const { return ending_; }
  const std::string& received() const { return received_; }
  std::uint64_t flow() const { return transport_ ? transport_->flow() : 0; }
  world::Endpoint local() const { return transport_ ? transport_->local() : world::Endpoint{}; }
  /// Zero if it did not happen.
  world::TimePoint connected_at() const { return connected_at_; }
  world::TimePoint first_byte_at() const { return first_byte_at_; }
  world::TimePoint last_byte_at() const { return last_byte_at_; }
  world::TimePoint ended_at() const { return ended_at_; }

 private:
  struct Output {
    std::string bytes;
    std::uint64_t times;
  };

  void on_connected() override;
  void on_data(std::string_view bytes) override;
  void on_end() override;
  void on_error(std::error_code error) override;
  void on_drained() override { pump(); }
  void connect(const world::Endpoint& remote);
  void end(Ending ending);
  void pump();

  world::World& world_;
  RawObserver* observer_;
  std::uint16_t source_port_ = 0;
  std::unique_ptr<Resolver> resolver_;  // only while a name is looked up
  std::unique_ptr<world::Transport> transport_;
  std::deque<Output> output_;
  bool finishing_ = false;
  bool closing_ = false;  // after everything written
  bool fin_sent_ = false;
  bool paused_ = false;
  State state_ = State::Resolving;
  Ending ending_ = Ending::None;
  std::string received_;
  world::TimePoint connected_at_{};
  world::TimePoint first_byte_at_{};
  world::TimePoint last_byte_at_{};
  world::TimePoint ended_at_{};
};

}  // namespace peers
