#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/websocket.h"
#include "world/time.h"
#include "world/world.h"

namespace peers {

/// One message or control frame.
struct WebSocketFrame {
  wire::WebSocketOpcode opcode = wire::WebSocketOpcode::Text;
  std::string bytes{};
  std::uint16_t code = 0;  ///< Of Close; 1005 if it said none.
  world::TimePoint at{};
};

/// One thing that is done with a WebSocket.
struct WebSocketStep {
  enum class Kind : std::uint8_t {
    Send,    ///< `frame`. After a Close frame nothing more is sent.
    Pause,   ///< `pause`.
    Await,   ///< Until `count` more frames have come.
    Finish,  ///< FIN without a Close frame, reading goes on.
    Close,   ///< Of the connection, without a Close frame.
    Reset,
  };
  Kind kind = Kind::Send;
  WebSocketFrame frame{};
  world::Duration pause{};
  std::size_t count = 0;
};

/// What is done with a WebSocket once it is open. When the steps are through it stays open until
/// the peer closes it.
struct WebSocketScript {
  std::vector<WebSocketStep> steps{};
  bool echo = false;  ///< Sends back each text and binary message.
};

/// One end of an open WebSocket: works through its script and keeps what comes.
///
/// Source: RFC 6455, section 7.1.1: after both Close frames the server ends the connection.
class WebSocketEnd final : private wire::WebSocketEvents {
 public:
  /// `done` is told, last of all, when the script or the protocol ends the connection from here;
  /// it may destroy this object.
  WebSocketEnd(world::World& world, wire::WebSocket::Role role, const WebSocketScript& script,
               world::Transport& transport, std::function<void()> done);

  /// Begins with the script.
  void start() { go_on(); }
  void on_data(std::string_view bytes);

  const std::vector<WebSocketFrame>& frames() const { return frames_; }
  bool close_received() const { return socket_.close_received(); }

 private:
  void on_message(wire::WebSocketOpcode opcode, std::string_view bytes,
                  std::uint16_t code) override;
  void go_on();
  /// False: the connection was ended from here.
  bool work();
  void flush();
  void end();
  void send(const WebSocketFrame& frame);

  world::World& world_;
  wire::WebSocket::Role role_;
  const WebSocketScript& script_;
  world::Transport& transport_;
  std::function<void()> done_;
  wire::WebSocket socket_;
  world::Timer timer_;
  std::vector<WebSocketFrame> frames_;
  std::size_t step_ = 0;
  std::size_t awaited_ = 0;  // frames that Await steps have used up
  bool finished_ = false;
};

}  // namespace peers
