// OpenSSL 3 keeps this interface as the only one that serves every draw of a process.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "wire/tls/scope.h"

#include <cstring>
#include <ctime>

#include <openssl/rand.h>
#include <openssl/ssl.h>

extern "C" {
std::time_t __real_time(std::time_t* out);
std::time_t __wrap_time(std::time_t* out);
}

namespace wire::tls {
namespace {

thread_local const Scope* innermost = nullptr;

/// Only the blinding of RSA keys draws so much at once, and the making of such keys.
constexpr int kBlindingBytes = 128;

}  // namespace

struct ScopeAccess {
  static int draw(unsigned char* out, int size) {
    const Scope* const scope = innermost;
    const bool ours = scope != nullptr && scope->random_ != nullptr &&
                      (size < kBlindingBytes || scope->world_ == nullptr);
    if (!ours) return RAND_OpenSSL()->bytes(out, size);
    for (int at = 0; at < size; at += 8) {
      const std::uint64_t word = scope->random_->next();
      for (int i = 0; i < 8 && at + i < size; ++i) {
        out[at + i] = static_cast<unsigned char>(word >> (8 * i));
      }
    }
    return 1;
  }

  static int status() { return 1; }

  static const RAND_METHOD& method() {
    static const RAND_METHOD method = {nullptr, draw, nullptr, nullptr, draw, status};
    return method;
  }

  static bool calendar(std::time_t& out) {
    const Scope* const scope = innermost;
    if (scope == nullptr || scope->world_ == nullptr) return false;
    const auto now = std::chrono::floor<std::chrono::seconds>(scope->world_->calendar());
    out = static_cast<std::time_t>(now.time_since_epoch().count());
    return true;
  }

  static void install() {
    static const bool installed = [] {
      // No file of the machine's decides what is allowed.
      OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
      return RAND_set_rand_method(&method()) == 1;
    }();
    (void)installed;
  }
};

Scope::Scope(world::World& world) : outer_(innermost), random_(world.secrets()), world_(&world) {
  ScopeAccess::install();
  innermost = this;
}

Scope::Scope(world::Random& random) : outer_(innermost), random_(&random), world_(nullptr) {
  ScopeAccess::install();
  innermost = this;
}

Scope::~Scope() {
  innermost = outer_;
}

}  // namespace wire::tls

std::time_t __wrap_time(std::time_t* out) {
  std::time_t now = 0;
  if (!wire::tls::ScopeAccess::calendar(now)) return __real_time(out);
  if (out != nullptr) *out = now;
  return now;
}
