// What a TLS handshake costs in the simulation, and with OpenSSL alone between memory buffers.
//
//   tls sim|alone full|mutual|resumed 1.2|1.3 HANDSHAKES
//   tls sim idle 1.2|1.3 CONNECTIONS     (what one that carries nothing takes, both ends)
//
// Both make a connection's two ends, shake hands, take the server's tickets, say goodbye and drop
// the ends; with the same certificates, versions, ciphers and groups. The program fails if a
// handshake is not what was asked for. The trace's hash, of the bytes too, is printed with `sim`.

#include <array>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <openssl/ssl.h>

#include "bench/resident.h"
#include "pki/authority.h"
#include "sim/simulation.h"
#include "wire/tls/transport.h"

namespace bench {
namespace {

using namespace std::chrono_literals;
using wire::tls::Context;
using wire::tls::Freed;
using wire::tls::Role;
using wire::tls::Settings;
using wire::tls::TlsTransport;
using wire::tls::Version;

constexpr const char* kCipher12 = "ECDHE-ECDSA-AES128-GCM-SHA256";
constexpr const char* kCipher13 = "TLS_AES_256_GCM_SHA384";

enum class Kind : std::uint8_t { Full, Mutual, Resumed };

/// Of this machine's calendar and the simulation's alike.
const pki::Validity kLong{
    world::CalendarTime(std::chrono::sys_days(std::chrono::year(2000) / 1 / 1)),
    world::CalendarTime(std::chrono::sys_days(std::chrono::year(2100) / 1 / 1))};

/// What both programs are set to.
struct Ends {
  Ends(Kind kind, Version version) {
    const pki::IssuedPtr root = pki::issue_authority("Root", kLong);
    const auto trust = pki::trust_in(*root);
    for (Settings* settings : {&server, &client}) {
      settings->least = version;
      settings->most = version;
      settings->ciphers = {{kCipher12}};
      settings->ciphers13 = {kCipher13};
    }
    const auto show = [&root](Settings& settings, const std::string& name) {
      settings.identities = {pki::identity_of(*pki::issue_leaf(
          name, {{wire::tls::SubjectName::Kind::Dns, name + ".example"}}, kLong, root))};
    };
    show(server, "svc");
    client.trust = trust;
    if (kind != Kind::Mutual) return;
    show(client, "gw");
    server.trust = trust;
    server.require_certificate = true;
  }

  Settings server = Settings::of_proxy(Role::Server);
  Settings client = Settings::of_proxy(Role::Client);
};

/// Connections from one host to another, a millisecond apart, each after the other.
class InSimulation final : private world::AcceptEvents {
 public:
  InSimulation(Kind kind, Version version) : kind_(kind) {
    const Ends ends(kind, version);
    server_context_ = *Context::make(ends.server, true);
    client_context_ = *Context::make(ends.client, true);
    listener_ = server_host_.listen({0, 443}, *this).value();
  }

  bool run(std::uint64_t handshakes) {
    for (std::uint64_t i = 0; i < handshakes; ++i) {
      if (kind_ != Kind::Resumed) sessions_.newest.reset();
      client_.tls = TlsTransport::connect(client_host_, client_context_,
                                          {server_host_.address(), 443}, client_, &sessions_);
      simulation_.run();
      if (!client_.tls->secured() || !server_.tls->secured()) return false;
      if (client_.tls->resumed() != (kind_ == Kind::Resumed && i > 0)) return false;
      if (server_.tls->knows_peer() != (kind_ == Kind::Mutual)) return false;
      client_.tls->close();
      simulation_.run();
      if (!server_.tls->closed_by_notify()) return false;
    }
    return true;
  }
  /// Opens so many connections and leaves them open. The bytes of memory that each takes.
  std::size_t idle(std::size_t connections) {
    std::vector<std::unique_ptr<TlsTransport>> open;
    open.reserve(2 * connections);
    std::size_t before = 0;
    constexpr std::size_t kWarm = 100;
    for (std::size_t i = 0; i < connections + kWarm; ++i) {
      if (i == kWarm) before = resident_bytes();
      sessions_.newest.reset();
      client_.tls = TlsTransport::connect(client_host_, client_context_,
                                          {server_host_.address(), 443}, client_, &sessions_);
      simulation_.run();
      for (End* const end : {&client_, &server_}) {
        if (!end->tls->secured()) return 0;
        open.push_back(std::move(end->tls));
      }
    }
    return (resident_bytes() - before) / connections;
  }
  std::string hash() { return simulation_.trace().hash().text(); }

 private:
  struct End final : world::TransportEvents {
    void on_connected() override {}
    void on_data(std::string_view) override {}
    void on_end() override { tls->close(); }
    void on_error(std::error_code) override {}
    void on_drained() override {}
    std::unique_ptr<TlsTransport> tls;
  };

  void on_accept(std::unique_ptr<world::Transport> transport) override {
    server_.tls = std::make_unique<TlsTransport>(server_host_, server_context_,
                                                 std::move(transport), &server_sessions_);
    server_.tls->set_events(server_);
  }

  Kind kind_;
  sim::Simulation simulation_{{.seed = 7, .default_link = {.latency = 1ms}}};
  sim::Host& client_host_ = simulation_.add_host("client");
  sim::Host& server_host_ = simulation_.add_host("server");
  std::shared_ptr<const Context> server_context_;
  std::shared_ptr<const Context> client_context_;
  wire::tls::SessionStore sessions_;
  wire::tls::SessionStore server_sessions_;
  std::unique_ptr<world::Listener> listener_;
  End server_;
  End client_;
};

/// OpenSSL as its manual has it: its own random numbers, clock, verification and sessions.
class Alone {
 public:
  Alone(Kind kind, Version version) : kind_(kind) {
    const Ends ends(kind, version);
    set_up(server_.get(), ends.server);
    set_up(client_.get(), ends.client);
    SSL_CTX_set_session_cache_mode(server_.get(), SSL_SESS_CACHE_OFF);
    constexpr std::string_view kScope = "bench";
    SSL_CTX_set_session_id_context(server_.get(),
                                   reinterpret_cast<const unsigned char*>(kScope.data()),
                                   static_cast<unsigned int>(kScope.size()));
    SSL_CTX_set_session_cache_mode(client_.get(),
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_set_app_data(client_.get(), this);
    SSL_CTX_sess_set_new_cb(client_.get(), [](SSL* ssl, SSL_SESSION* session) {
      static_cast<Alone*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)))->newest_.reset(session);
      return 1;
    });
  }

  bool run(std::uint64_t handshakes) {
    for (std::uint64_t i = 0; i < handshakes; ++i) {
      if (!shake(i > 0)) return false;
    }
    return true;
  }

 private:
  using Ssl = std::unique_ptr<SSL, Freed<SSL_free>>;
  using SslContext = std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>>;

  static void set_up(SSL_CTX* context, const Settings& settings) {
    const int version = settings.most == Version::Tls13 ? TLS1_3_VERSION : TLS1_2_VERSION;
    SSL_CTX_set_min_proto_version(context, version);
    SSL_CTX_set_max_proto_version(context, version);
    SSL_CTX_set1_groups_list(context, settings.groups.c_str());
    SSL_CTX_set_cipher_list(context, kCipher12);
    SSL_CTX_set_ciphersuites(context, kCipher13);
    for (const auto& identity : settings.identities) {
      SSL_CTX_use_certificate(context, identity->chain().front());
      SSL_CTX_use_PrivateKey(context, identity->key());
    }
    if (settings.trust == nullptr) return;
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), settings.trust->certificates().front());
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }

  static Ssl make(SSL_CTX* context) {
    Ssl ssl(SSL_new(context));
    SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    return ssl;
  }

  /// Hands over what one end wrote; false: nothing.
  static bool carry(SSL* from, SSL* to) {
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(SSL_get_wbio(from), &bytes);
    if (size <= 0) return false;
    BIO_write(SSL_get_rbio(to), bytes, static_cast<int>(size));
    return BIO_reset(SSL_get_wbio(from)) == 1;
  }

  bool shake(bool again) {
    const Ssl server = make(server_.get());
    const Ssl client = make(client_.get());
    SSL_set_accept_state(server.get());
    SSL_set_connect_state(client.get());
    const bool resume = kind_ == Kind::Resumed && again;
    if (resume) SSL_set_session(client.get(), newest_.get());
    do {
      SSL_do_handshake(client.get());
      carry(client.get(), server.get());
      SSL_do_handshake(server.get());
    } while (carry(server.get(), client.get()));
    if (SSL_is_init_finished(client.get()) == 0 || SSL_is_init_finished(server.get()) == 0) {
      return false;
    }
    std::array<char, 256> none;
    SSL_read(client.get(), none.data(), static_cast<int>(none.size()));
    if (SSL_session_reused(client.get()) != (resume ? 1 : 0)) return false;
    if ((SSL_get0_peer_certificate(server.get()) != nullptr) != (kind_ == Kind::Mutual)) {
      return false;
    }
    SSL_shutdown(client.get());
    carry(client.get(), server.get());
    SSL_read(server.get(), none.data(), static_cast<int>(none.size()));
    return SSL_shutdown(server.get()) == 1;
  }

  Kind kind_;
  SslContext server_{SSL_CTX_new(TLS_server_method())};
  SslContext client_{SSL_CTX_new(TLS_client_method())};
  std::unique_ptr<SSL_SESSION, Freed<SSL_SESSION_free>> newest_;
};

int run(const std::array<std::string_view, 3>& words, std::uint64_t handshakes) {
  const auto [where, what, version_text] = words;
  const Kind kind = what == "mutual"    ? Kind::Mutual
                    : what == "resumed" ? Kind::Resumed
                                        : Kind::Full;
  const Version version = version_text == "1.2" ? Version::Tls12 : Version::Tls13;
  if (where == "sim" && what == "idle") {
    const std::size_t bytes = InSimulation(kind, version).idle(handshakes);
    fmt::print("idle {} conns={} resident_per_conn={}B\n", version_text, handshakes, bytes);
    return bytes > 0 ? 0 : 1;
  }
  bool right = false;
  std::string hash;
  if (where == "alone") {
    right = Alone(kind, version).run(handshakes);
  } else {
    InSimulation simulation(kind, version);
    right = simulation.run(handshakes);
    hash = " " + simulation.hash();
  }
  fmt::print("{} {} {} {}: {}{}\n", where, what, version_text, handshakes, right ? "done" : "wrong",
             hash);
  return right ? 0 : 1;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  if (argc != 5) {
    fmt::print(stderr, "tls sim|alone full|mutual|resumed 1.2|1.3 HANDSHAKES\n");
    return 4;
  }
  try {
    return bench::run({argv[1], argv[2], argv[3]}, std::strtoull(argv[4], nullptr, 10));
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 2;
  }
}
