#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/tls/context.h"
#include "wire/tls/failure.h"
#include "world/timer.h"
#include "world/transport.h"
#include "world/world.h"

struct ssl_session_st;

namespace wire::tls {

/// What a client keeps to resume a session.
class Session {
 public:
  explicit Session(ssl_session_st* session) : session_(session) {}
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  ssl_session_st* handle() const { return session_; }
  bool has_ticket() const;
  /// Seconds, as the server said.
  std::uint64_t lifetime_hint() const;
  /// Of TLS 1.3: it is used once.
  bool single_use() const;

 private:
  ssl_session_st* session_;
};

/// What the connections of one owner share in one world: sessions that can be resumed.
class SessionStore {
 public:
  /// `owner`: a server resumes the sessions of that number alone; 0: all that its context may.
  explicit SessionStore(std::uint64_t owner = 0) : owner_(owner) {}
  ~SessionStore();
  SessionStore(const SessionStore&) = delete;
  SessionStore& operator=(const SessionStore&) = delete;

  /// The newest of a client's.
  std::shared_ptr<const Session> newest{};

 private:
  friend struct ContextCallbacks;
  friend class TlsTransport;
  std::uint64_t owner_;
  std::map<std::string, ssl_session_st*> by_id_;  // of a server without tickets
  std::vector<std::string> order_;                // the oldest first
};

/// What was agreed on.
struct Agreed {
  Version version = Version::Tls12;
  std::string alpn{};  ///< Empty: none.
  std::string cipher{};
  std::string server_name{};  ///< What the client asked for.
  bool resumed = false;
  std::string peer{};  ///< The subject of its certificate; empty: it has none.
  std::vector<SubjectName> peer_names{};
};

/// TLS over another transport: its user reads and writes what is inside.
///
/// on_connected comes when the handshake is over, on servers too. A failed handshake, and a peer
/// that breaks the rules later, is on_error; failure() says more, and the alert has left. Closing
/// sends a close_notify before the FIN. Bytes for OpenSSL come from memory alone, and its random
/// numbers and the time from the world.
class TlsTransport final : public world::Transport, private world::TransportEvents {
 public:
  /// Speaks as `context` says over `inner`. A server's begins at once, also with bytes that were
  /// read from it before (`first`): begin() is to be called once events are set.
  TlsTransport(world::World& world, std::shared_ptr<const Context> context,
               std::unique_ptr<world::Transport> inner, SessionStore* sessions);
  /// A client's, whose connection is made by this: events go to `events`.
  static std::unique_ptr<TlsTransport> connect(world::World& world,
                                               std::shared_ptr<const Context> context,
                                               const world::Endpoint& remote,
                                               world::TransportEvents& events,
                                               SessionStore* sessions);
  ~TlsTransport() override;

  /// Goes on with what was read already. Events may come from inside.
  void begin(std::string_view first);
  /// Of a client, before it is connected.
  void resume(const Session& session);

  bool secured() const { return secured_; }
  /// Of a server: whether a ClientHello has come that it can go on with.
  bool begun() const { return begun_; }
  /// The first bytes that a client with that context sends.
  static std::string first_flight(world::World& world, std::shared_ptr<const Context> context);
  /// Null: nothing of TLS failed; a connection that was never made is not its failure.
  const Failure* failure() const { return failure_.get(); }
  /// Requires: secured().
  Agreed agreed() const;
  bool resumed() const;
  /// Whether the peer has shown a certificate.
  bool knows_peer() const;
  bool offers_secure_renegotiation() const;
  /// Says that nothing follows, and goes on reading.
  void notify();
  bool refused_renegotiation() const;
  /// Of TLS 1.2: asks the peer for another handshake.
  void renegotiate();
  /// Whether the peer has said that nothing follows, rather than only ended the connection.
  bool closed_by_notify() const { return notified_; }
  /// The name that the client asked for, known from its first flight on.
  std::string server_name() const;

  void write(std::string_view bytes) override;
  void finish() override;
  void close() override;
  void reset() override;
  void pause_reading() override;
  void resume_reading() override;
  // Not here: a compiler that sees the body takes each transport for this one first, which costs
  // those that are none.
  std::size_t unsent() const override;
  world::Endpoint local() const override;
  world::Endpoint remote() const override;
  std::uint64_t flow() const override;
  void set_events(world::TransportEvents& events) override { events_ = &events; }

 private:
  friend struct ContextCallbacks;
  void keep_to_owner();
  enum class State : std::uint8_t { Shaking, Plain, Open, Ended, Dead };

  void on_connected() override;
  void on_data(std::string_view bytes) override;
  void on_end() override;
  void on_error(std::error_code error) override;
  void on_drained() override;

  void feed(std::string_view bytes);
  void shake();
  void read();
  void read_again();
  void flush();
  void fail(int reason);
  void die(std::error_code error);
  void say_goodbye();

  world::World& world_;
  std::shared_ptr<const Context> context_;
  std::unique_ptr<world::Transport> inner_;
  SessionStore* sessions_;
  world::TransportEvents* events_ = nullptr;
  SSL* ssl_ = nullptr;
  BIO* in_ = nullptr;   // owned by ssl_
  BIO* out_ = nullptr;  // owned by ssl_
  std::unique_ptr<Failure> failure_;
  std::string held_;  // written before the handshake was over
  std::optional<world::Timer> reader_;
  bool* gone_ = nullptr;  // set when it is destroyed within a call to its user
  State state_ = State::Shaking;
  bool secured_ = false;
  bool begun_ = false;
  bool paused_ = false;
  bool finished_ = false;     // nothing more is written
  bool finish_held_ = false;  // finish() came before the handshake was over
  bool notified_ = false;
  bool heard_ = false;  // something came
  std::optional<std::uint8_t> alert_sent_;
  std::optional<std::uint8_t> alert_received_;
};

}  // namespace wire::tls
