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

pki::IssuedPtr StagedPki::entry(const std::string& name) const {
  const auto one = std::find_if(setups_.begin(), setups_.end(),
                                [&](const CertificateSetup& each) { return each.name == name; });
  assert(one != setups_.end());
  pki::Description description = one->description;
  description.not_before += start_.time_since_epoch();
  description.not_after += start_.time_since_epoch();
  return pki::issue(description, one->issuer.empty() ? nullptr : entry(one->issuer));
}

std::shared_ptr<const Identity> StagedPki::identity(const Shown& shown) const {
  const Material material{.kind = Material::Kind::Certificates, .shown = shown};
  return *pki::shared_identity(chain_text(material), key_text(material));
}

std::shared_ptr<const TrustBundle> StagedPki::trust(const std::vector<std::string>& names) const {
  if (names.empty()) return nullptr;
  return *pki::shared_trust(
      trust_text({.kind = Material::Kind::Certificates, .shown = {.certificates = names}}));
}

void StagedPki::change(const Materials& changes) {
  for (const auto& [path, material] : changes.files) materials_.files[path] = material;
  for (const auto& [name, material] : changes.secrets) materials_.secrets[name] = material;
  for (const auto& [arn, material] : changes.acm) materials_.acm[arn] = material;
}

std::string StagedPki::chain_text(const Material& material) const {
  if (material.kind != Material::Kind::Certificates) return material.text;
  std::string pem;
  for (const std::string& name : material.shown.certificates) {
    const pki::IssuedPtr one = entry(name);
    pem += material.shown.with_issuers ? pki::chain_of(*one) : one->certificate;
  }
  return pem;
}

std::string StagedPki::key_text(const Material& material) const {
  if (material.kind != Material::Kind::Certificates) return material.text;
  return entry(material.key.empty() ? material.shown.certificates.front() : material.key)->key;
}

std::string StagedPki::trust_text(const Material& material) const {
  if (material.kind != Material::Kind::Certificates) return material.text;
  std::string pem;
  for (const std::string& name : material.shown.certificates) pem += entry(name)->certificate;
  return pem;
}

std::string StagedPki::root_text(const Material& material) const {
  std::string pem;
  for (const std::string& name : material.shown.certificates) {
    pki::IssuedPtr one = entry(name);
    const bool is_authority = one->description.authority;
    while (!is_authority && one->issuer != nullptr) one = one->issuer;
    pem += one->certificate;
  }
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

void StagedSecrets::read_files(const proxy::TlsPlan& plan) {
  const auto read = [this](const SecretName& name) {
    if (name.kind != SecretName::Kind::File) return;
    held(name.kind, name.name);
    if (!name.key.empty()) held(name.kind, name.key);
  };
  for (const SecretName& name : plan.certificates) read(name);
  if (plan.trust) read(*plan.trust);
}

void StagedSecrets::changed(const Materials& changes) {
  if (!changes.secrets.empty()) ++version_;
  for (const auto& change : changes.acm) {
    const auto seconds = static_cast<std::uint64_t>(kAcmDelay / 1s);
    const world::Duration after = (1 + static_cast<std::int64_t>(random_.below(seconds))) * 1s;
    host_.loop().post_at(
        host_.now() + after,
        [this, name = change.first] {
          acm_[name] = pki_.materials().acm.at(name);  // of two renewals the newer, always
          ++version_;
          host_.trace(world::TraceKind::Note, 0, 0, 0, name + " has come from ACM");
        },
        host_.id());
  }
}

const Material& StagedSecrets::held(SecretName::Kind kind, const std::string& name) {
  switch (kind) {
    case SecretName::Kind::File:
      break;
    case SecretName::Kind::Sds:
      return material_of(pki_.materials().secrets, name);
    case SecretName::Kind::Acm:
      return material_of(acm_, name);
  }
  const auto [at, added] = files_.try_emplace(name);
  if (added) at->second = material_of(pki_.materials().files, name);
  return at->second;
}

StagedSecrets::Text StagedSecrets::identity_text(const SecretName& name) {
  const bool by_file = name.kind == SecretName::Kind::File;  // the key has one of its own
  return {pki_.chain_text(held(name.kind, name.name)),
          pki_.key_text(held(name.kind, by_file ? name.key : name.name))};
}

std::string StagedSecrets::trust_text(const SecretName& name) {
  if (name.kind != SecretName::Kind::Acm) return pki_.trust_text(held(name.kind, name.name));
  std::string pem = pki_.root_text(held(name.kind, name.name));
  for (const std::string& other : name.others) pem += pki_.root_text(held(name.kind, other));
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
