#include "wire/tls/context.h"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <mutex>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "wire/tls/scope.h"
#include "wire/tls/transport.h"

namespace wire::tls {
namespace {

constexpr int kDeepestChain = 100;
constexpr std::size_t kMostSessions = 10000;
constexpr long kTicketSeconds12 = 7200;
constexpr long kTicketSeconds13 = 172800;
/// An error that OpenSSL's table of alerts does not know, which makes it certificate_unknown.
constexpr int kWrongName = X509_V_ERR_PERMITTED_VIOLATION;

int number_of(Version version) {
  constexpr std::array<int, 4> kNumbers = {TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION,
                                           TLS1_3_VERSION};
  return kNumbers[static_cast<std::size_t>(version)];
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ":") + word;
  return out;
}

/// As the real proxy's library words it.
std::string verification_text(int error) {
  switch (error) {
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return "self signed certificate";
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return "self signed certificate in certificate chain";
    case X509_V_ERR_INVALID_PURPOSE:
      return "unsupported certificate purpose";
    default:
      return X509_verify_cert_error_string(error);
  }
}

using Digest = Context::SessionScope;
static_assert(std::tuple_size_v<Digest> == SHA256_DIGEST_LENGTH);

/// What a session belongs to: it is resumed only while the same is shown and believed, as each of
/// the real proxy's contexts has ticket keys of its own.
Digest scope_of_sessions(const Settings& settings) {
  const std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>> hash(EVP_MD_CTX_new());
  EVP_DigestInit_ex(hash.get(), EVP_sha256(), nullptr);
  const auto add = [&hash](const std::vector<X509*>& certificates) {
    for (const X509* const certificate : certificates) {
      Digest one{};
      X509_digest(certificate, EVP_sha256(), one.data(), nullptr);
      EVP_DigestUpdate(hash.get(), one.data(), one.size());
    }
  };
  for (const auto& identity : settings.identities) add(identity->chain());
  if (settings.trust != nullptr) add(settings.trust->certificates());
  for (const SubjectName& name : settings.names) {
    EVP_DigestUpdate(hash.get(), name.text.data(), name.text.size() + 1);
  }
  Digest out{};
  EVP_DigestFinal_ex(hash.get(), out.data(), nullptr);
  return out;
}

}  // namespace

const char* text_of(Version version) {
  constexpr std::array<const char*, 4> kTexts = {"TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"};
  return kTexts[static_cast<std::size_t>(version)];
}

Settings Settings::of_proxy(Role role) {
  Settings settings;
  settings.role = role;
  if (role == Role::Client) settings.most = Version::Tls12;
  settings.ciphers = {{"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"},
                      {"ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-CHACHA20-POLY1305"},
                      {"ECDHE-ECDSA-AES256-GCM-SHA384"},
                      {"ECDHE-RSA-AES256-GCM-SHA384"}};
  settings.ciphers13 = {"TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
                        "TLS_AES_128_GCM_SHA256"};
  settings.groups = "X25519:P-256";
  settings.answers_no_tls = true;
  settings.shortest_rsa_key = 2048;
  settings.must_sign = true;
  return settings;
}

struct ContextCallbacks {
  static TlsTransport& transport_of(const SSL* ssl) {
    return *static_cast<TlsTransport*>(SSL_get_app_data(ssl));
  }

  static void on_info(const SSL* ssl, int where, int value) {
    if ((where & SSL_CB_ALERT) == 0) return;
    const auto alert = static_cast<std::uint8_t>(value & 0xff);
    if (alert == SSL_AD_CLOSE_NOTIFY) return;
    TlsTransport& transport = transport_of(ssl);
    ((where & SSL_CB_READ) != 0 ? transport.alert_received_ : transport.alert_sent_) = alert;
  }

  /// Judges the peer's chain, then its names. Source: ENV-TLS-09, -13, -31.
  static int verify(X509_STORE_CTX* store, void* argument) {
    const auto& context = *static_cast<const Context*>(argument);
    const SSL* const ssl = static_cast<const SSL*>(
        X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
    TlsTransport& transport = transport_of(ssl);
    const auto now =
        std::chrono::floor<std::chrono::seconds>(transport.world_.calendar()).time_since_epoch();
    X509_STORE_CTX_set_time(store, 0, static_cast<time_t>(now.count()));
    X509_STORE_CTX_set_depth(store, kDeepestChain);
    const auto refuse = [&](Failure::Cause cause, std::string detail) {
      transport.failure_ = std::make_unique<Failure>();
      transport.failure_->cause = cause;
      transport.failure_->detail = "verify cert failed: " + std::move(detail);
    };
    if (X509_verify_cert(store) != 1) {
      int error = X509_STORE_CTX_get_error(store);
      refuse(Failure::Cause::Verification,
             "X509_verify_cert: certificate verification error at depth " +
                 std::to_string(X509_STORE_CTX_get_error_depth(store)) + ": " +
                 verification_text(error));
      // The real proxy says of one that is not valid yet what it says of an expired one.
      if (error == X509_V_ERR_CERT_NOT_YET_VALID) error = X509_V_ERR_CERT_HAS_EXPIRED;
      X509_STORE_CTX_set_error(store, error);
      return 0;
    }
    if (context.settings().names.empty()) return 1;
    const std::vector<SubjectName> names = names_of(X509_STORE_CTX_get0_cert(store));
    if (has_name(names, context.settings().names)) return 1;
    std::string list;
    for (const SubjectName& name : names) list += (list.empty() ? "" : ", ") + name.text;
    refuse(Failure::Cause::Name, "SAN matcher, certificate SANs are [" + list + "]");
    X509_STORE_CTX_set_error(store, kWrongName);
    return 0;
  }

  static int choose_alpn(SSL*, const unsigned char** out, unsigned char* size,
                         const unsigned char* offered, unsigned int offered_size, void* argument) {
    const auto& ours = static_cast<const Context*>(argument)->alpn_;
    unsigned char* chosen = nullptr;
    if (SSL_select_next_proto(&chosen, size, ours.data(), static_cast<unsigned int>(ours.size()),
                              offered, offered_size) != OPENSSL_NPN_NEGOTIATED) {
      return SSL_TLSEXT_ERR_NOACK;
    }
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
  }

  static int on_server_name(SSL* ssl, int*, void*) {
    transport_of(ssl).begun_ = true;
    return SSL_TLSEXT_ERR_NOACK;
  }

  /// Of ciphers that rank equally the client's favourite goes first. Source: ENV-TLS-05.
  static int on_hello(SSL* ssl, int*, void* argument) {
    const Settings& settings = static_cast<const Context*>(argument)->settings();
    const unsigned char* offered = nullptr;
    const std::size_t size = SSL_client_hello_get0_ciphers(ssl, &offered);
    const auto rank = [&](const std::string& name) {
      STACK_OF(SSL_CIPHER)* const all = SSL_get_ciphers(ssl);
      for (int i = 0; i < sk_SSL_CIPHER_num(all); ++i) {
        const SSL_CIPHER* const cipher = sk_SSL_CIPHER_value(all, i);
        if (name != SSL_CIPHER_get_name(cipher)) continue;
        const std::uint16_t id = SSL_CIPHER_get_protocol_id(cipher);
        for (std::size_t at = 0; at + 1 < size; at += 2) {
          if (offered[at] == id >> 8 && offered[at + 1] == (id & 0xff)) return at;
        }
      }
      return size;
    };
    const auto before = [&](const std::string& a, const std::string& b) {
      return rank(a) < rank(b);
    };
    if (!std::is_sorted(settings.ciphers13.begin(), settings.ciphers13.end(), before)) {
      std::vector<std::string> order13 = settings.ciphers13;
      std::stable_sort(order13.begin(), order13.end(), before);
      SSL_set_ciphersuites(ssl, joined(order13).c_str());
    }
    bool moved = false;
    std::vector<std::string> order;
    for (std::vector<std::string> equal : settings.ciphers) {
      if (!std::is_sorted(equal.begin(), equal.end(), before)) {
        std::stable_sort(equal.begin(), equal.end(), before);
        moved = true;
      }
      order.insert(order.end(), equal.begin(), equal.end());
    }
    if (moved) SSL_set_cipher_list(ssl, joined(order).c_str());
    return SSL_CLIENT_HELLO_SUCCESS;
  }

  static int on_ticket(SSL* ssl, void*) {
    const long seconds = SSL_version(ssl) == TLS1_3_VERSION ? kTicketSeconds13 : kTicketSeconds12;
    SSL_SESSION_set_timeout(SSL_get_session(ssl), seconds);
    return 1;
  }

  static SSL_TICKET_RETURN take_ticket(SSL*, SSL_SESSION*, const unsigned char*, size_t,
                                       SSL_TICKET_STATUS status, void*) {
    switch (status) {
      case SSL_TICKET_SUCCESS:
        return SSL_TICKET_RETURN_USE;
      case SSL_TICKET_SUCCESS_RENEW:
        return SSL_TICKET_RETURN_USE_RENEW;
      default:
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    }
  }

  /// Of a client: it may resume this one. Of a server without tickets: it keeps it.
  static int on_session(SSL* ssl, SSL_SESSION* session) {
    TlsTransport& transport = transport_of(ssl);
    if (transport.sessions_ == nullptr) return 0;
    SessionStore& store = *transport.sessions_;
    if (SSL_is_server(ssl) == 0) {
      store.newest = std::make_shared<const Session>(session);
      return 1;
    }
    unsigned int size = 0;
    const unsigned char* const id = SSL_SESSION_get_id(session, &size);
    const std::string key(reinterpret_cast<const char*>(id), size);
    if (size == 0 || !store.by_id_.emplace(key, session).second) return 0;
    store.order_.push_back(key);
    if (store.order_.size() > kMostSessions) {
      const auto oldest = store.by_id_.find(store.order_.front());
      SSL_SESSION_free(oldest->second);
      store.by_id_.erase(oldest);
      store.order_.erase(store.order_.begin());
    }
    return 1;
  }

  static SSL_SESSION* find_session(SSL* ssl, const unsigned char* id, int size, int* copy) {
    *copy = 1;
    const TlsTransport& transport = transport_of(ssl);
    if (transport.sessions_ == nullptr) return nullptr;
    const auto& all = transport.sessions_->by_id_;
    const auto found =
        all.find(std::string(reinterpret_cast<const char*>(id), static_cast<std::size_t>(size)));
    return found == all.end() ? nullptr : found->second;
  }
};

namespace {

/// Contexts that worlds share.
struct Shared {
  static constexpr std::size_t kMost = 512;
  std::mutex mutex;
  /// Identities and bundles live as long as the context does: their addresses tell them apart.
  std::map<Settings, std::shared_ptr<const Context>> by_settings;
};

Shared& shared() {
  static Shared shared;
  return shared;
}

}  // namespace

world::Result<std::shared_ptr<const Context>, std::string> Context::make(Settings settings,
                                                                         bool for_show) {
  const auto make_now = [&]() -> world::Result<std::shared_ptr<const Context>, std::string> {
    std::shared_ptr<Context> context(new Context(std::move(settings)));
    std::string wrong = context->set_up();
    ERR_clear_error();
    if (!wrong.empty()) return wrong;
    return std::shared_ptr<const Context>(std::move(context));
  };
  if (!for_show) return make_now();
  const std::lock_guard lock(shared().mutex);
  auto& kept = shared().by_settings;
  if (const auto found = kept.find(settings); found != kept.end()) return found->second;
  if (kept.size() >= Shared::kMost) kept.clear();
  world::Random random(0);
  const Scope scope(random);
  auto made = make_now();
  if (made) kept.emplace((*made)->settings(), *made);
  return made;
}

std::string Context::set_up() {
  const bool server = settings_.role == Role::Server;
  handle_ = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
  SSL_CTX* const ctx = handle_;
  SSL_CTX_set_security_level(ctx, 0);  // what is allowed is written here, not in a level
  SSL_CTX_set_min_proto_version(ctx, number_of(settings_.least));
  SSL_CTX_set_max_proto_version(ctx, number_of(settings_.most));
  SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF |
                               (server ? SSL_OP_NO_RENEGOTIATION : 0));
  SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                            SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_info_callback(ctx, ContextCallbacks::on_info);

  for (const auto& identity : settings_.identities) {
    if (identity->key_kind() == Identity::KeyKind::Rsa &&
        identity->key_bits() < static_cast<int>(settings_.shortest_rsa_key)) {
      return "the RSA key has " + std::to_string(identity->key_bits()) + " bits, at least " +
             std::to_string(settings_.shortest_rsa_key) + " are needed";
    }
    if (settings_.must_sign && !identity->may_sign()) {
      return "the certificate's key usage does not allow digital signatures";
    }
    if (SSL_CTX_use_certificate(ctx, identity->chain().front()) != 1 ||
        SSL_CTX_use_PrivateKey(ctx, identity->key()) != 1) {
      return "the certificate and its key cannot be used";
    }
    for (std::size_t i = 1; i < identity->chain().size(); ++i) {
      SSL_CTX_add1_chain_cert(ctx, identity->chain()[i]);
    }
  }

  if (settings_.trust != nullptr) {
    X509_STORE* const store = SSL_CTX_get_cert_store(ctx);
    for (X509* certificate : settings_.trust->certificates()) {
      X509_STORE_add_cert(store, certificate);
      if (server) SSL_CTX_add_client_CA(ctx, certificate);
    }
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ctx), X509_V_FLAG_PARTIAL_CHAIN);
    int mode = SSL_VERIFY_PEER;
    if (server && (settings_.require_certificate || !settings_.names.empty())) {
      mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    }
    SSL_CTX_set_verify(ctx, mode, nullptr);
    SSL_CTX_set_cert_verify_callback(ctx, ContextCallbacks::verify, this);
  }

  std::vector<std::string> ciphers;
  for (const auto& equal : settings_.ciphers) {
    ciphers.insert(ciphers.end(), equal.begin(), equal.end());
  }
  if (!ciphers.empty() && SSL_CTX_set_cipher_list(ctx, joined(ciphers).c_str()) != 1) {
    return "none of these ciphers is known: " + joined(ciphers);
  }
  if (!settings_.ciphers13.empty() &&
      SSL_CTX_set_ciphersuites(ctx, joined(settings_.ciphers13).c_str()) != 1) {
    return "not all of these ciphers are known: " + joined(settings_.ciphers13);
  }
  if (!settings_.groups.empty() && SSL_CTX_set1_groups_list(ctx, settings_.groups.c_str()) != 1) {
    return "not all of these groups are known: " + settings_.groups;
  }

  for (const std::string& protocol : settings_.alpn) {
    alpn_.push_back(static_cast<unsigned char>(protocol.size()));
    alpn_.insert(alpn_.end(), protocol.begin(), protocol.end());
  }
  const bool ranked = std::any_of(settings_.ciphers.begin(), settings_.ciphers.end(),
                                  [](const auto& equal) { return equal.size() > 1; });
  if (!server) {
    if (!alpn_.empty()) {
      SSL_CTX_set_alpn_protos(ctx, alpn_.data(), static_cast<unsigned int>(alpn_.size()));
    }
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx, ContextCallbacks::on_session);
    return {};
  }
  if (!alpn_.empty()) SSL_CTX_set_alpn_select_cb(ctx, ContextCallbacks::choose_alpn, this);
  SSL_CTX_set_tlsext_servername_callback(ctx, ContextCallbacks::on_server_name);
  if (ranked) SSL_CTX_set_client_hello_cb(ctx, ContextCallbacks::on_hello, this);
  session_scope_ = scope_of_sessions(settings_);
  SSL_CTX_set_session_id_context(ctx, session_scope_.data(),
                                 static_cast<unsigned int>(session_scope_.size()));
  if (settings_.tickets) {
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_session_ticket_cb(ctx, ContextCallbacks::on_ticket, ContextCallbacks::take_ticket,
                                  nullptr);
  } else {
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(ctx, 0);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx, ContextCallbacks::on_session);
    SSL_CTX_sess_set_get_cb(ctx, ContextCallbacks::find_session);
  }
  return {};
}

Context::~Context() {
  SSL_CTX_free(handle_);
}

Session::~Session() {
  SSL_SESSION_free(session_);
}

bool Session::has_ticket() const {
  return SSL_SESSION_has_ticket(session_) == 1;
}

std::uint64_t Session::lifetime_hint() const {
  return SSL_SESSION_get_ticket_lifetime_hint(session_);
}

bool Session::single_use() const {
  return SSL_SESSION_get_protocol_version(session_) == TLS1_3_VERSION;
}

SessionStore::~SessionStore() {
  for (const auto& [id, session] : by_id_) SSL_SESSION_free(session);
}

}  // namespace wire::tls
