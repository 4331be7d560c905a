#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "world/random.h"

struct wslay_event_context;

namespace wire {

enum class WebSocketOpcode : std::uint8_t { Text = 1, Binary = 2, Close = 8, Ping = 9, Pong = 10 };

/// What a WebSocket hears.
class WebSocketEvents {
 public:
  /// A whole message, or a control frame. `code` is a Close frame's, 1005 where it has none.
  virtual void on_message(WebSocketOpcode opcode, std::string_view bytes, std::uint16_t code) = 0;

 protected:
  ~WebSocketEvents() = default;
};

/// One end of a WebSocket after its handshake, without its transport: wslay does the framing.
///
/// It answers a Ping with a Pong and a Close with a Close by itself. A client masks what it sends
/// with the numbers of its `masks`. Source: RFC 6455, sections 5 and 7.
class WebSocket {
 public:
  enum class Role : std::uint8_t { Client, Server };

  WebSocket(Role role, world::Random masks, WebSocketEvents& events);
  ~WebSocket();
  WebSocket(const WebSocket&) = delete;
  WebSocket& operator=(const WebSocket&) = delete;

  /// Reads bytes of the connection. False: they break the rules; a Close frame says so, and nothing
  /// more is read.
  bool feed(std::string_view bytes);
  /// Ignored once a Close frame was sent. Requires: not Close.
  void send(WebSocketOpcode opcode, std::string_view bytes);
  void close(std::uint16_t code, std::string_view reason = {});
  /// Appends what is to be sent.
  void take_output(std::string& out);

  bool close_sent() const;
  bool close_received() const;

 private:
  friend struct WebSocketCallbacks;
  struct Deleter {
    void operator()(wslay_event_context* context) const;
  };

  world::Random masks_;
  WebSocketEvents& events_;
  std::string_view input_;
  std::string* output_ = nullptr;
  std::unique_ptr<wslay_event_context, Deleter> context_;
};

/// Sixteen random bytes in base64: a client's Sec-WebSocket-Key.
std::string websocket_key(world::Random& random);
/// What a server answers to it in Sec-WebSocket-Accept. Source: RFC 6455, section 4.2.2.
std::string websocket_accept(std::string_view key);

}  // namespace wire
