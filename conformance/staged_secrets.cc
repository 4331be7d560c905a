#include "conformance/staged_secrets.h"

#include <algorithm>
#include <cassert>

#include <fmt/format.h>

namespace conformance {

using proxy::SecretName;
using wire::tls::Identity;
using wire::tls::TrustBundle;

namespace {

using namespace std::chrono_literals;

/// Within which a renewed certificate reaches the proxies, at the latest. Source: AM-ROT-01.
constexpr world::Duration kAcmDelay = 35min;

const Material& material_of(const std::map<std::string, Material>& known, const std::string& name) {
  static const Material kAbsent;
  const auto found = known.find(name);
  return found == known.end() ? kAbsent : found->second;
}

}  // namespace

// --- StagedPki -----------------------------------------------------------------------------------

StagedPki::StagedPki(const std::vector<CertificateSetup>& setups, Materials materials,
                     world::CalendarTime start)
    : setups_(setups), materials_(std::move(materials)), start_(start) {}

const CertificateSetup& StagedPki::setup(const std::string& name) const {
  const auto found = std::find_if(setups_.begin(), setups_.end(),
                                  [&](const CertificateSetup& one) { return one.name == name; });
  assert(found != setups_.end());
  return *found;
}

pki::IssuedPtr StagedPki::entry(const std::string& name) const {
  const CertificateSetup& one = setup(name);
  pki::Description description = one.description;
  description.not_before += start_.time_since_epoch();
  description.not_after += start_.time_since_epoch();
  return pki::issue(description, one.issuer.empty() ? nullptr : entry(one.issuer));
}

std::string StagedPki::subject(const std::string& name) const {
  return "CN=" + setup(name).description.name;
}

std::shared_ptr<const Identity> StagedPki::identity(const Shown& shown) const {
  const Material material{
      Material::Kind::Certificates, shown.certificates, shown.with_issuers, {}, {}};
  return *pki::shared_identity(chain_text(material), key_text(material));
}

std::shared_ptr<const TrustBundle> StagedPki::trust(const std::vector<std::string>& names) const {
  if (names.empty()) return nullptr;
  std::string pem;
  for (const std::string& name : names) pem += entry(name)->certificate;
  return *pki::shared_trust(pem);
}

void StagedPki::change(const Materials& changes) {
  for (const auto& [path, material] : changes.files) materials_.files[path] = material;
  for (const auto& [name, material] : changes.secrets) materials_.secrets[name] = material;
  for (const auto& [arn, material] : changes.acm) materials_.acm[arn] = material;
}

std::string StagedPki::chain_text(const Material& material) const {
  if (material.kind != Material::Kind::Certificates) return material.text;
  std::string pem;
  for (const std::string& name : material.certificates) {
    const pki::IssuedPtr one = entry(name);
    pem += material.with_issuers ? pki::chain_of(*one) : one->certificate;
  }
  return pem;
}

std::string StagedPki::key_text(const Material& material) const {
  if (material.kind != Material::Kind::Certificates) return material.text;
  return entry(material.key.empty() ? material.certificates.front() : material.key)->key;
}

std::string StagedPki::trust_text(const Material& material) const {
  if (material.kind != Material::Kind::Certificates) return material.text;
  std::string pem;
  for (const std::string& name : material.certificates) pem += entry(name)->certificate;
  return pem;
}

// --- StagedSecrets -------------------------------------------------------------------------------

StagedSecrets::StagedSecrets(world::World& host, const StagedPki& pki)
    : host_(host), pki_(pki), random_(host.random("acm")), acm_(pki.materials().acm) {}

void StagedSecrets::restart() {
  files_.clear();
  acm_ = pki_.materials().acm;
  identities_.clear();
  bundles_.clear();
  ++version_;
}

void StagedSecrets::changed(const Materials& changes) {
  if (!changes.secrets.empty()) ++version_;
  for (const auto& [name, material] : changes.acm) {
    const auto seconds = static_cast<std::uint64_t>(kAcmDelay / 1s);
    const world::Duration after = (1 + static_cast<std::int64_t>(random_.below(seconds))) * 1s;
    host_.loop().post_at(
        host_.now() + after,
        [this, name = name, material = material] {
          acm_[name] = material;
          ++version_;
          host_.trace(world::TraceKind::Note, 0, 0, 0, name + " has come from ACM");
        },
        host_.id());
  }
}

const Material& StagedSecrets::file(const std::string& path) {
  const auto [at, added] = files_.try_emplace(path);
  if (added) at->second = material_of(pki_.materials().files, path);
  return at->second;
}

const Material& StagedSecrets::arn(const std::string& name) {
  return material_of(acm_, name);
}

StagedSecrets::Text StagedSecrets::identity_text(const SecretName& name) {
  switch (name.kind) {
    case SecretName::Kind::File:
      return {pki_.chain_text(file(name.name)), pki_.key_text(file(name.key))};
    case SecretName::Kind::Sds: {
      const Material& secret = material_of(pki_.materials().secrets, name.name);
      if (secret.kind == Material::Kind::Absent) return {};
      return {pki_.chain_text(secret), pki_.key_text(secret)};
    }
    case SecretName::Kind::Acm: {
      const Material& certificate = arn(name.name);
      if (certificate.kind == Material::Kind::Absent) return {};
      return {pki_.chain_text(certificate), pki_.key_text(certificate)};
    }
  }
  return {};
}

/// Of an ARN that is a certificate's, its root is trusted. Source: AM-TLS-06.
std::string StagedSecrets::trust_text(const SecretName& name) {
  if (name.kind == SecretName::Kind::File) return pki_.trust_text(file(name.name));
  if (name.kind == SecretName::Kind::Sds) {
    return pki_.trust_text(material_of(pki_.materials().secrets, name.name));
  }
  std::vector<std::string> arns = name.others;
  arns.insert(arns.begin(), name.name);
  std::string pem;
  for (const std::string& each : arns) {
    const Material& material = arn(each);
    for (const std::string& one : material.certificates) {
      pki::IssuedPtr issued = pki_.entry(one);
      while (!issued->description.authority && issued->issuer != nullptr) issued = issued->issuer;
      const bool of_certificate = !pki_.entry(one)->description.authority;
      while (of_certificate && issued->issuer != nullptr) issued = issued->issuer;
      pem += issued->certificate;
    }
  }
  return pem;
}

/// What is there and cannot be read leaves what was there before. Source: ENV-TLS-16, AM-TLS-17.
std::shared_ptr<const Identity> StagedSecrets::identity(const SecretName& name) {
  const Text text = identity_text(name);
  auto& kept = identities_[name];
  if (text.certificates.empty() && text.key.empty()) return kept;
  if (auto made = pki::shared_identity(text.certificates, text.key)) kept = *made;
  return kept;
}

std::shared_ptr<const TrustBundle> StagedSecrets::trust(const SecretName& name) {
  const std::string text = trust_text(name);
  auto& kept = bundles_[name];
  if (text.empty()) return kept;
  if (auto made = pki::shared_trust(text)) kept = *made;
  return kept;
}

std::string StagedSecrets::problem(const proxy::TlsPlan& plan) {
  wire::tls::Settings settings = plan.settings;
  bool whole = true;  // no secret is only on its way
  for (const SecretName& name : plan.certificates) {
    if (name.kind == SecretName::Kind::File) {
      const Text text = identity_text(name);
      auto made = pki::shared_identity(text.certificates, text.key);
      if (!made) return fmt::format("{}, {}: {}", name.name, name.key, made.error());
    }
    auto shown = identity(name);
    whole = whole && shown != nullptr;
    settings.identities.push_back(std::move(shown));
  }
  if (plan.trust) {
    if (plan.trust->kind == SecretName::Kind::File) {
      auto made = pki::shared_trust(trust_text(*plan.trust));
      if (!made) return fmt::format("{}: {}", plan.trust->name, made.error());
    }
    settings.trust = trust(*plan.trust);
    whole = whole && settings.trust != nullptr;
  }
  const bool by_file =
      std::any_of(plan.certificates.begin(), plan.certificates.end(),
                  [](const SecretName& name) { return name.kind == SecretName::Kind::File; });
  if (!whole || !by_file) return {};
  auto context = wire::tls::Context::make(std::move(settings), host_.secrets() != nullptr);
  return context ? std::string() : plan.certificates.front().name + ": " + context.error();
}

}  // namespace conformance
