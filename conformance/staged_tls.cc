#include "conformance/staged_tls.h"

#include <utility>

#include "peers/tls_host.h"
#include "proxy/compile.h"
#include "proxy/visit_tls.h"

namespace conformance {

using wire::tls::Context;
using wire::tls::Role;
using wire::tls::Settings;

StagedTls::StagedTls(const WorldSetup& world, world::CalendarTime start)
    : world_(world), pki_(world.pki, world.materials, start) {}

StagedSecrets& StagedTls::secrets(world::World& host) {
  auto& kept = secrets_[host.id()];
  if (kept == nullptr) kept = std::make_unique<StagedSecrets>(host, pki_);
  return *kept;
}

StagedSecrets* StagedTls::begin_gateway(world::World& host, const proxy::GatewayPlan& plan) {
  bool any = false;
  proxy::visit_tls(plan, [&any](const proxy::TlsPlan&) { any = true; });
  if (!any) return nullptr;
  StagedSecrets& own = secrets(host);
  own.restart();
  return &own;
}

void StagedTls::restart_services(world::World& host) {
  const auto own = secrets_.find(host.id());
  if (own == secrets_.end()) return;
  own->second->restart();
  for (const auto& side : sides_) {
    if (side->host == host.id()) own->second->read_files(side->plan);
  }
}

std::string StagedTls::problem(world::World& host, const proxy::GatewayPlan& plan) {
  std::string problem;
  proxy::visit_tls(plan, [&](const proxy::TlsPlan& tls) {
    if (problem.empty()) problem = secrets(host).problem(tls);
  });
  return problem;
}

std::function<StagedTls::ContextPtr()> StagedTls::of_service(world::World& host,
                                                             const mesh::Listener& listener,
                                                             const ServiceSetup& setup) {
  const bool off = setup.tls && setup.tls->off;
  const bool own = setup.tls && !setup.tls->certificate.certificates.empty();
  if (off || (!listener.has_tls() && !own)) return nullptr;
  auto side = std::make_unique<Side>();
  side->host = host.id();
  if (listener.has_tls()) {
    side->plan = proxy::listener_tls(listener);
    side->plan.settings.takes_plain = listener.tls->mode == mesh::TlsMode::Permissive;
  } else {
    side->plan.settings = Settings::of_proxy(Role::Server);
  }
  if (setup.tls) change_by(*setup.tls, side->plan);
  secrets(host).read_files(side->plan);
  side->side = std::make_unique<proxy::TlsSide>(host, side->plan, &secrets(host));
  sides_.push_back(std::move(side));
  return [side = sides_.back()->side.get()] { return side->context(); };
}

void StagedTls::change_by(const ServiceTls& tls, proxy::TlsPlan& plan) const {
  Settings& settings = plan.settings;
  if (!tls.certificate.certificates.empty()) {
    plan.certificates.clear();
    settings.identities = {pki_.identity(tls.certificate)};
    settings.shortest_rsa_key = 0;  // whatever flaw it has is meant
    settings.must_sign = false;
  }
  if (!tls.trust.empty()) {
    plan.trust.reset();
    settings.trust = pki_.trust(tls.trust);
    settings.require_certificate = true;
  }
  settings.require_certificate = tls.require_certificate.value_or(settings.require_certificate);
  if (tls.alpn) settings.alpn = *tls.alpn;
  settings.least = tls.least.value_or(settings.least);
  settings.most = tls.most.value_or(settings.most);
}

std::function<StagedTls::ContextPtr(const peers::RequestSpec&)> StagedTls::of_client(
    world::World& host, const ClientTls& tls) const {
  const bool for_show = host.secrets() != nullptr;
  return [this, tls, for_show](const peers::RequestSpec& request) -> ContextPtr {
    Settings settings;
    settings.role = Role::Client;
    settings.least = tls.least;
    settings.most = tls.most;
    if (!tls.certificate.certificates.empty()) {
      settings.identities = {pki_.identity(tls.certificate)};
    }
    settings.trust = pki_.trust(tls.trust);
    peers::set_host(settings, request, tls.server_name,
                    settings.trust != nullptr && tls.checks_name);
    if (tls.alpn) {
      settings.alpn = *tls.alpn;
    } else if (request.protocol == peers::Protocol::Http2) {
      settings.alpn = {"h2"};
    } else {
      settings.alpn = {"http/1.1"};
    }
    return *Context::make(std::move(settings), for_show);
  };
}

void StagedTls::change(const Materials& changes) {
  pki_.change(changes);
  for (const auto& [host, own] : secrets_) own->changed(changes);
}

std::string StagedTls::entry_of(const std::string& subject) const {
  for (const CertificateSetup& one : world_.pki) {
    if ("CN=" + one.description.name == subject) return one.name;
  }
  return subject;
}

}  // namespace conformance
