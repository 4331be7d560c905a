#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "conformance/recorded/action_events.h"
#include "conformance/recorded/h2_frames.h"
#include "wire/tls/transport.h"
#include "world/world.h"

namespace conformance::recorded {

/// The answer to one request, whole.
struct Answer {
  int status = 0;
  nlohmann::json headers = nlohmann::json::object();  ///< Those that the records keep.
  std::string body;
  world::TimePoint at{};
};

/// One connection of a script's client: raw bytes, or the records' HTTP/1 or HTTP/2 client.
///
/// Source: the vocabulary of the observations, sections 3.1 and 3.3.
class ActionClient final : private world::TransportEvents {
 public:
  enum class Protocol : std::uint8_t { Raw, Http1, Http2 };
  enum class End : std::uint8_t { No, Fin, Reset };

  ActionClient(world::World& world, const world::Endpoint& gateway, std::string name,
               Protocol protocol, EventLog& events);
  /// The same over TLS: connected once the handshake is over. `resumed` null: nothing is resumed.
  ActionClient(world::World& world, const world::Endpoint& gateway, std::string name,
               Protocol protocol, EventLog& events,
               std::shared_ptr<const wire::tls::Context> context,
               const wire::tls::Session* resumed);

  /// The handshake is over, one way or the other.
  bool settled() const { return connected_ || end_ != End::No; }
  bool connected() const { return connected_; }
  /// Nothing more can be said: either end has ended it.
  bool over() const { return closed_ || end_ != End::No; }
  bool closed() const { return closed_; }
  Protocol protocol() const { return protocol_; }

  /// Of HTTP/2: the preface and the first SETTINGS.
  void greet();
  void send(std::string_view bytes);
  void request(const std::string& id);
  void finish();
  void close();

  /// What has come, the body of all that HTTP/1 says included.
  const std::string& received() const { return received_; }
  End end() const { return end_; }
  world::TimePoint connected_at() const { return connected_at_; }
  world::TimePoint sent_at() const { return sent_at_; }
  world::TimePoint heard_at() const { return heard_at_; }
  world::TimePoint ended_at() const { return ended_at_; }
  /// Null: in plain text.
  wire::tls::TlsTransport* tls() { return tls_; }
  /// What the server gave to resume the session by; null: nothing yet.
  const wire::tls::Session* session() const { return sessions_.newest.get(); }
  /// Where in received() the first whole response from there ends; npos: it is not whole.
  std::size_t response_end(std::size_t from) const;
  /// The answer to that request, if it has come whole.
  const Answer* answer(const std::string& id) const;

 private:
  void on_connected() override;
  void on_data(std::string_view bytes) override;
  void on_end() override { ended(End::Fin); }
  void on_error(std::error_code error) override;

  void ended(End how);
  void read_http1();
  bool read_response();
  void read_http2();
  void take(const h2::Frame& frame);
  void done(const std::string& id, Answer answer);

  world::World& world_;
  std::string name_;
  Protocol protocol_;
  EventLog& events_;
  wire::tls::SessionStore sessions_;
  wire::tls::TlsTransport* tls_ = nullptr;  // the transport, where it is one
  std::unique_ptr<world::Transport> transport_;
  std::string received_;
  std::size_t read_ = 0;             // of what was received: whole responses of HTTP/1
  std::deque<std::string> awaited_;  // ids of requests without their answer, HTTP/1
  h2::Reader reader_;
  std::map<std::uint32_t, std::string> streams_;  // ids by stream
  std::map<std::uint32_t, Answer> partial_;
  std::uint32_t next_stream_ = 1;
  std::map<std::string, Answer> answers_;
  bool connected_ = false;
  bool finished_ = false;
  bool closed_ = false;
  End end_ = End::No;
  world::TimePoint connected_at_{};
  world::TimePoint sent_at_{};
  world::TimePoint heard_at_{};
  world::TimePoint ended_at_{};
};

}  // namespace conformance::recorded
