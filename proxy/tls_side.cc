#include "proxy/tls_side.h"

#include <algorithm>
#include <cerrno>

#include <fmt/format.h>

namespace proxy {

using wire::tls::Failure;

namespace {

/// A process that begins has ticket keys of its own.
std::uint64_t session_owner(const world::World& world) {
  constexpr int kHostShift = 48;
  const auto begun = static_cast<std::uint64_t>(world.now().time_since_epoch().count());
  return std::uint64_t{world.id()} << kHostShift ^ begun;
}

}  // namespace

TlsSide::TlsSide(world::World& world, const TlsPlan& plan, Secrets* secrets)
    : world_(world), plan_(plan), secrets_(secrets), sessions_(session_owner(world)) {}

/// A change that cannot be used leaves what was there in use. Source: ENV-TLS-16, AM-TLS-17.
void TlsSide::refresh() {
  const std::uint64_t version = secrets_ != nullptr ? secrets_->version() : 0;
  if (version_ == version) return;
  version_ = version;
  const bool needs_some = !plan_.certificates.empty() || plan_.trust;
  if (needs_some && secrets_ == nullptr) return;
  wire::tls::Settings settings = plan_.settings;
  for (const SecretName& name : plan_.certificates) {
    auto identity = secrets_->identity(name);
    if (identity == nullptr) return;
    settings.identities.push_back(std::move(identity));
  }
  if (plan_.trust) {
    settings.trust = secrets_->trust(*plan_.trust);
    if (settings.trust == nullptr) return;
  }
  if (context_ != nullptr && settings == context_->settings()) return;
  auto made = wire::tls::Context::make(std::move(settings), world_.secrets() != nullptr);
  if (!made) {
    problem_ = made.error();
    return;
  }
  problem_.clear();
  const auto by_server = [](const SecretName& name) { return name.kind == SecretName::Kind::Sds; };
  if ((plan_.trust && by_server(*plan_.trust)) ||
      std::any_of(plan_.certificates.begin(), plan_.certificates.end(), by_server)) {
    ++counts_.updates;
  }
  context_ = std::move(*made);
}

std::shared_ptr<const wire::tls::Context> TlsSide::context() {
  refresh();
  if (context_ == nullptr) ++counts_.secrets_missing;
  return context_;
}

std::unique_ptr<wire::tls::TlsTransport> TlsSide::connect(const world::Endpoint& remote,
                                                          world::TransportEvents& events) {
  auto with = context();
  if (with == nullptr) return nullptr;
  return wire::tls::TlsTransport::connect(world_, std::move(with), remote, events, &sessions_);
}

std::string TlsSide::problem() {
  refresh();
  return problem_;
}

void TlsSide::note_secured(const wire::tls::TlsTransport& transport) {
  ++counts_.handshakes;
  if (transport.resumed()) ++counts_.resumed;
  if (!transport.knows_peer()) ++counts_.no_certificate;
}

void TlsSide::note_failure(const Failure& failure) {
  switch (failure.cause) {
    case Failure::Cause::NoCertificate:
      ++counts_.verify_no_certificate;
      break;
    case Failure::Cause::Verification:
      ++counts_.verify_errors;
      break;
    case Failure::Cause::Name:
      ++counts_.verify_names;
      break;
    case Failure::Cause::Protocol:
      ++counts_.connection_errors;
      break;
    case Failure::Cause::Transport:
      break;
  }
}

TlsCounts TlsSide::counts() {
  refresh();
  return counts_;
}

std::string transport_failure_text(const Failure& failure, std::error_code error) {
  if (failure.cause != Failure::Cause::Transport) return wire::tls::log_text(failure);
  if (error != world::make_error_code(world::TransportError::Reset) || failure.ended) return {};
  constexpr int kSystemLibrary = 2 << 24;
  return fmt::format(
      "TLS_error:|{}:system_library:OPENSSL_internal:Connection_reset_by_peer:"
      "TLS_error_end",
      kSystemLibrary + ECONNRESET);
}

}  // namespace proxy
