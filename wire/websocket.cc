#include "wire/websocket.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>

#include <openssl/evp.h>
#include <wslay/wslay.h>

namespace wire {

struct WebSocketCallbacks {
  static WebSocket& of(void* user_data) { return *static_cast<WebSocket*>(user_data); }

  static ssize_t recv(wslay_event_context* context, std::uint8_t* buffer, std::size_t size, int,
                      void* user_data) {
    WebSocket& self = of(user_data);
    if (self.input_.empty()) {
      wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK);
      return -1;
    }
    const std::size_t taken = std::min(size, self.input_.size());
    std::memcpy(buffer, self.input_.data(), taken);
    self.input_.remove_prefix(taken);
    return static_cast<ssize_t>(taken);
  }

  static ssize_t send(wslay_event_context*, const std::uint8_t* bytes, std::size_t size, int,
                      void* user_data) {
    of(user_data).output_->append(reinterpret_cast<const char*>(bytes), size);
    return static_cast<ssize_t>(size);
  }

  static int mask(wslay_event_context*, std::uint8_t* buffer, std::size_t size, void* user_data) {
    for (std::size_t i = 0; i < size; ++i) {
      buffer[i] = static_cast<std::uint8_t>(of(user_data).masks_.below(256));
    }
    return 0;
  }

  static void message(wslay_event_context*, const wslay_event_on_msg_recv_arg* message,
                      void* user_data) {
    std::string_view bytes(reinterpret_cast<const char*>(message->msg), message->msg_length);
    std::uint16_t code = 0;
    if (message->opcode == WSLAY_CONNECTION_CLOSE) {
      code = message->status_code;
      if (code == 0) code = WSLAY_CODE_NO_STATUS_RCVD;
      bytes.remove_prefix(std::min<std::size_t>(bytes.size(), 2));
    }
    of(user_data).events_.on_message(static_cast<WebSocketOpcode>(message->opcode), bytes, code);
  }
};

WebSocket::WebSocket(Role role, world::Random masks, WebSocketEvents& events)
    : masks_(masks), events_(events) {
  constexpr wslay_event_callbacks kCallbacks = {WebSocketCallbacks::recv,
                                                WebSocketCallbacks::send,
                                                WebSocketCallbacks::mask,
                                                nullptr,
                                                nullptr,
                                                nullptr,
                                                WebSocketCallbacks::message};
  wslay_event_context* context = nullptr;
  const int made = role == Role::Client
                       ? wslay_event_context_client_init(&context, &kCallbacks, this)
                       : wslay_event_context_server_init(&context, &kCallbacks, this);
  assert(made == 0);
  (void)made;
  context_.reset(context);
}

WebSocket::~WebSocket() = default;

void WebSocket::Deleter::operator()(wslay_event_context* context) const {
  wslay_event_context_free(context);
}

bool WebSocket::feed(std::string_view bytes) {
  input_ = bytes;
  while (!input_.empty() && wslay_event_get_read_enabled(context_.get()) != 0) {
    if (wslay_event_recv(context_.get()) != 0) return false;
  }
  input_ = {};
  // After a broken frame a Close is queued and no more is read.
  return wslay_event_get_read_enabled(context_.get()) != 0 || close_received();
}

void WebSocket::send(WebSocketOpcode opcode, std::string_view bytes) {
  const wslay_event_msg message = {static_cast<std::uint8_t>(opcode),
                                   reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                   bytes.size()};
  wslay_event_queue_msg(context_.get(), &message);
}

void WebSocket::close(std::uint16_t code, std::string_view reason) {
  wslay_event_queue_close(context_.get(), code,
                          reinterpret_cast<const std::uint8_t*>(reason.data()), reason.size());
}

void WebSocket::take_output(std::string& out) {
  output_ = &out;
  wslay_event_send(context_.get());
  output_ = nullptr;
}

bool WebSocket::close_sent() const {
  return wslay_event_get_close_sent(context_.get()) != 0;
}

bool WebSocket::close_received() const {
  return wslay_event_get_close_received(context_.get()) != 0;
}

namespace {

std::string base64(const unsigned char* bytes, std::size_t size) {
  std::string out(4 * ((size + 2) / 3) + 1, '\0');  // and the zero that is written behind it
  const int written =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes, static_cast<int>(size));
  out.resize(static_cast<std::size_t>(written));
  return out;
}

}  // namespace

std::string websocket_key(world::Random& random) {
  std::array<unsigned char, 16> bytes;
  for (unsigned char& byte : bytes) byte = static_cast<unsigned char>(random.below(256));
  return base64(bytes.data(), bytes.size());
}

std::string websocket_accept(std::string_view key) {
  const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int size = 0;
  const int done = EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr);
  assert(done == 1);
  (void)done;
  return base64(digest.data(), size);
}

}  // namespace wire
