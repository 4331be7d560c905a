#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <openssl/types.h>

#include "wire/tls/material.h"
#include "world/result.h"

namespace wire::tls {

enum class Role : std::uint8_t { Client, Server };
enum class Version : std::uint8_t { Tls10, Tls11, Tls12, Tls13 };

/// "TLSv1.2"
const char* text_of(Version version);

/// What one end of a connection offers and asks for.
struct Settings {
  Role role = Role::Server;
  /// What it shows of itself. A server has one for each kind of key, best first; a client has one
  /// or none, and shows it when it is asked to.
  std::vector<std::shared_ptr<const Identity>> identities{};
  /// Null: the peer is not verified. A server with it asks its clients for a certificate.
  std::shared_ptr<const TrustBundle> trust{};
  std::vector<SubjectName> names{};  ///< The peer must have one of these; none given: any will do.
  bool require_certificate = false;  ///< Of a server with `trust`: clients must show one.
  Version least = Version::Tls12;
  Version most = Version::Tls13;
  /// Of TLS 1.2, by OpenSSL's names, best first. Of those that stand together the one that the
  /// client likes best is taken. Empty: the library's own.
  std::vector<std::vector<std::string>> ciphers{};
  std::vector<std::string> ciphers13{};  ///< Of TLS 1.3, joined by ":". Empty: the library's own.
  std::string groups{};                  ///< Joined by ":". Empty: the library's own.
  std::vector<std::string> alpn{};       ///< Best first. A server takes none if none is common.
  std::string server_name{};             ///< Of a client, sent as SNI; empty: none is sent.
  bool tickets = true;                   ///< Of a server: sessions are resumed by tickets.
  bool takes_plain = false;              ///< Of a server: a client may also speak in plain text.
  bool answers_no_tls = false;  ///< Bytes that are no TLS get an alert, as the real proxy does.
  std::size_t shortest_rsa_key = 0;  ///< Of its own, in bits. Source: ENV-TLS-08.
  bool must_sign = false;            ///< Its own keys must be meant for signing.

  auto operator<=>(const Settings&) const = default;

  /// As the real proxy has them by default. Source: ENV-TLS-04 to -08, -32.
  static Settings of_proxy(Role role);
};

/// Settings made ready for connections. Immutable: worlds and threads share it.
class Context {
 public:
  /// Errors: an identity that the settings do not take, ciphers or groups that are not known.
  /// `for_show`: keys of tickets are the same each time, and so is the context: it is kept for
  /// whoever asks for the same again. Otherwise it is made anew, with secrets of its own.
  static world::Result<std::shared_ptr<const Context>, std::string> make(Settings settings,
                                                                         bool for_show);
  ~Context();

  const Settings& settings() const { return settings_; }
  SSL_CTX* handle() const { return handle_; }
  /// What a server's sessions belong to: one is resumed where this is the same.
  using SessionScope = std::array<unsigned char, 32>;
  const SessionScope& session_scope() const { return session_scope_; }

 private:
  explicit Context(Settings settings) : settings_(std::move(settings)) {}
  std::string set_up();

  Settings settings_;
  SSL_CTX* handle_ = nullptr;
  std::vector<unsigned char> alpn_;  // as it is on the wire
  SessionScope session_scope_{};

  friend struct ContextCallbacks;
};

}  // namespace wire::tls
