#include "conformance/recorded/action_tls.h"

#include <functional>
#include <optional>
#include <vector>

#include "conformance/recorded/action_plan.h"
#include "conformance/recorded/action_readings.h"
#include "pki/authority.h"

namespace conformance::recorded {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;
using pki::Description;
using wire::tls::Identity;
using wire::tls::Settings;
using wire::tls::SubjectName;
using wire::tls::TrustBundle;
using wire::tls::Version;
using Kind = SubjectName::Kind;
using Use = Description::Use;

constexpr int kDeepest = 12;

/// A row of the vocabulary's table.
struct Row {
  std::string name;
  std::string common_name = "svc";
  std::vector<SubjectName> names = {{Kind::Dns, "svc.example"}};
  std::string issuer = "ca";  ///< Empty: itself.
  std::function<void(Description&)> but = [](Description&) {};
  enum class File : std::uint8_t { Chain, LeafAlone, ChainThrice } file = File::Chain;
};

const std::vector<Row>& rows() {
  const auto key = [](Description::Key kind) { return [kind](Description& d) { d.key = kind; }; };
  const auto uses = [](std::vector<Use> list) { return [list](Description& d) { d.uses = list; }; };
  const auto dates = [](world::Duration begins, world::Duration ends) {
    return [=](Description& d) {
      d.not_after = d.not_before + 24h + ends;  // both are relative to today
      d.not_before += 24h + begins;
    };
  };
  static const std::vector<Row> kRows = {
      {.name = "good"},
      {.name = "good2", .common_name = "svc two"},
      {.name = "rsa", .but = key(Description::Key::Rsa2048)},
      {.name = "rsa1024", .but = key(Description::Key::Rsa1024)},
      {.name = "expired", .but = dates(-240h, -24h)},
      {.name = "notyet", .but = dates(120h, 720h)},
      {.name = "othersan", .names = {{Kind::Dns, "other.example"}}},
      {.name = "otherca", .issuer = "ca2"},
      {.name = "selfsigned", .issuer = ""},
      {.name = "interfull", .issuer = "inter"},
      {.name = "intermissing", .issuer = "inter", .file = Row::File::LeafAlone},
      {.name = "interexpired", .issuer = "inter-expired"},
      {.name = "clienteku", .but = uses({Use::Client})},
      {.name = "servereku", .but = uses({Use::Server})},
      {.name = "noeku", .but = [](Description& d) { d.uses.reset(); }},
      {.name = "codeeku", .but = uses({Use::CodeSigning})},
      {.name = "wild", .names = {{Kind::Dns, "*.example"}}},
      {.name = "uri", .names = {{Kind::Uri, "spiffe://mesh/svc"}}},
      {.name = "cnonly", .common_name = "svc.example", .names = {}},
      {.name = "multi",
       .names = {{Kind::Dns, "a.example"},
                 {Kind::Dns, "svc.example"},
                 {Kind::Dns, "b.example"},
                 {Kind::Uri, "spiffe://mesh/x"}}},
      {.name = "ip", .names = {{Kind::Ip, "127.0.0.1"}}},
      {.name = "upper", .names = {{Kind::Dns, "SVC.Example"}}},
      {.name = "nodigsig", .but = [](Description& d) { d.cannot_sign = true; }},
      {.name = "deep", .issuer = "deep"},
      {.name = "bigchain",
       .issuer = "ca",
       .but = key(Description::Key::Rsa4096),
       .file = Row::File::ChainThrice}};
  return kRows;
}

pki::IssuedPtr authority(const std::string& name, world::CalendarTime today) {
  const auto make = [&](const std::string& subject, const pki::IssuedPtr& issuer,
                        world::Duration until) {
    return pki::issue_authority(subject, {today - 48h, today + until}, issuer);
  };
  constexpr world::Duration kYear = 365 * 24h;
  if (name.empty()) return nullptr;
  if (name == "ca2") return make("Other Root", nullptr, kYear);
  const pki::IssuedPtr root = make("Mesh Root", nullptr, kYear);
  if (name == "inter") return make("Mesh Intermediate", root, kYear);
  if (name == "inter-expired") return make("Expired Intermediate", root, -12h);
  if (name != "deep") return root;
  pki::IssuedPtr last = root;
  for (int i = 0; i < kDeepest; ++i) last = make("Deep " + std::to_string(i), last, kYear);
  return last;
}

std::optional<Version> version_of(const json& text) {
  static const std::map<std::string, Version> kVersions = {{"1.0", Version::Tls10},
                                                           {"1.1", Version::Tls11},
                                                           {"1.2", Version::Tls12},
                                                           {"1.3", Version::Tls13}};
  const auto found = kVersions.find(text.get<std::string>());
  if (found == kVersions.end()) return std::nullopt;
  return found->second;
}

void read_versions(const json& from, Settings& settings) {
  if (from.contains("min")) settings.least = version_of(from["min"]).value_or(settings.least);
  if (from.contains("max")) settings.most = version_of(from["max"]).value_or(settings.most);
}

std::vector<std::string> words_of(const json& list) {
  return list.get<std::vector<std::string>>();
}

/// What both sides of a gateway say in the same words.
std::string read_tls(const json& from, proxy::TlsPlan& tls) {
  static const std::map<std::string, Kind> kKinds = {
      {"DNS", Kind::Dns}, {"URI", Kind::Uri}, {"IP_ADDRESS", Kind::Ip}};
  Settings& settings = tls.settings;
  for (const auto& [name, value] : from.items()) {
    if (name == "certificates") {
      for (const json& one : value) tls.certificates.push_back(ActionSecrets::name_of(one));
    } else if (name == "certificate_secret") {
      tls.certificates = {ActionSecrets::secret_of(value)};
    } else if (name == "trust") {
      tls.trust = ActionSecrets::bundle_of(value);
    } else if (name == "trust_secret") {
      tls.trust = ActionSecrets::secret_of(value);
    } else if (name == "subject_alt_names") {
      for (const json& one : value) {
        const auto kind = kKinds.find(one.at("type").get<std::string>());
        if (kind == kKinds.end() || !one.contains("exact")) return "the name " + one.dump();
        settings.names.push_back({kind->second, one["exact"].get<std::string>()});
      }
    } else if (name == "alpn") {
      settings.alpn = words_of(value);
    } else if (name == "require_client_certificate") {
      settings.require_certificate = value;
    } else if (name == "ciphers") {
      settings.ciphers.clear();
      for (const std::string& cipher : words_of(value)) settings.ciphers.push_back({cipher});
    } else if (name == "disable_stateless_session_resumption") {
      settings.tickets = !value.get<bool>();
    } else if (name == "sni") {
      if (value.is_string()) settings.server_name = value;
    } else if (name != "mode" && name != "min" && name != "max") {
      return "the member " + name + " of TLS";
    }
  }
  read_versions(from, settings);
  return {};
}

std::shared_ptr<const wire::tls::Context> make(Settings settings) {
  auto context = wire::tls::Context::make(std::move(settings), true);
  if (!context) throw NotSupported(context.error());
  return *context;
}

std::shared_ptr<const Identity> must_have(const ActionCertificates& certificates,
                                          const std::string& name) {
  auto identity = certificates.identity(name, name);
  if (!identity) throw NotSupported(identity.error());
  return *identity;
}

std::shared_ptr<const TrustBundle> must_trust(const ActionCertificates& certificates,
                                              const std::string& name) {
  auto bundle = certificates.bundle(name);
  if (bundle == nullptr) throw NotSupported("the bundle " + name);
  return bundle;
}

}  // namespace

// --- Certificates --------------------------------------------------------------------------------

std::pair<std::string, std::string> ActionCertificates::files(const std::string& name) const {
  for (const Row& row : rows()) {
    if (row.name != name) continue;
    Description of;
    of.name = row.common_name;
    of.names = row.names;
    of.not_before = today_ - 24h;
    of.not_after = today_ + 30 * 24h;
    row.but(of);
    const pki::IssuedPtr leaf = pki::issue(of, authority(row.issuer, today_));
    switch (row.file) {
      case Row::File::Chain:
        return {pki::chain_of(*leaf), leaf->key};
      case Row::File::LeafAlone:
        return {leaf->certificate, leaf->key};
      case Row::File::ChainThrice: {
        const std::string deep = pki::chain_of(*authority("deep", today_));
        return {leaf->certificate + deep + deep + deep, leaf->key};
      }
    }
  }
  return {};
}

world::Result<std::shared_ptr<const Identity>, std::string> ActionCertificates::identity(
    const std::string& certificate, const std::string& key) const {
  const auto chain = files(certificate);
  const auto other = certificate == key ? chain : files(key);
  if (chain.first.empty() || other.first.empty()) {
    return "the certificate " + (chain.first.empty() ? certificate : key);
  }
  return Identity::read(chain.first, other.second);
}

std::shared_ptr<const TrustBundle> ActionCertificates::bundle(const std::string& name) const {
  if (name == "both") {
    return *TrustBundle::read(authority("ca", today_)->certificate +
                              authority("ca2", today_)->certificate);
  }
  if (name == "inter_ca") return pki::trust_in(*authority("inter", today_));
  if (name == "ca" || name == "ca2") return pki::trust_in(*authority(name, today_));
  return nullptr;
}

// --- What a gateway is given ---------------------------------------------------------------------

proxy::SecretName ActionSecrets::name_of(const json& certificate) {
  proxy::SecretName name;
  name.name = certificate.is_string() ? certificate : certificate.at("certificate");
  name.key = certificate.is_string() ? certificate : certificate.at("key");
  return name;
}

proxy::SecretName ActionSecrets::secret_of(const json& secret) {
  return secret_of(secret.at("file").get<std::string>(), secret.at("name").get<std::string>());
}

proxy::SecretName ActionSecrets::secret_of(const std::string& file, const std::string& name) {
  proxy::SecretName secret;
  secret.kind = proxy::SecretName::Kind::Sds;
  secret.name = file + "#" + name;
  return secret;
}

proxy::SecretName ActionSecrets::bundle_of(const std::string& name) {
  proxy::SecretName bundle;
  bundle.name = name;
  return bundle;
}

void ActionSecrets::write(const std::string& file, const json& secrets) {
  for (const json& secret : secrets) {
    const proxy::SecretName key = secret_of(file, secret.at("name").get<std::string>());
    if (secret.contains("trust")) {
      bundles_[key] = certificates_.bundle(secret["trust"]);
      ++updates_;
      continue;
    }
    const std::string certificate = secret.at("certificate");
    auto identity = certificates_.identity(certificate, secret.value("key", certificate));
    ++(identity ? updates_ : rejected_);
    if (identity) identities_[key] = *identity;
  }
  ++version_;
}

std::string ActionSecrets::problem(const proxy::SecretName& name) const {
  if (name.kind == proxy::SecretName::Kind::Sds) return {};
  const auto identity = certificates_.identity(name.name, name.key);
  return identity ? "" : identity.error();
}

std::shared_ptr<const Identity> ActionSecrets::identity(const proxy::SecretName& name) {
  auto& kept = identities_[name];
  if (kept == nullptr && name.kind == proxy::SecretName::Kind::File) {
    if (auto made = certificates_.identity(name.name, name.key)) kept = *made;
  }
  return kept;
}

std::shared_ptr<const TrustBundle> ActionSecrets::trust(const proxy::SecretName& name) {
  auto& kept = bundles_[name];
  if (kept == nullptr && name.kind == proxy::SecretName::Kind::File) {
    kept = certificates_.bundle(name.name);
  }
  return kept;
}

// --- What is read --------------------------------------------------------------------------------

std::string read_listener_tls(const json& from, proxy::HopPlan& hop) {
  using Mode = proxy::HopPlan::TlsMode;
  const std::string mode = from.value("mode", "DISABLED");
  if (mode == "DISABLED") return {};
  if (mode != "STRICT" && mode != "PERMISSIVE") return "the mode " + mode;
  hop.tls_mode = mode == "STRICT" ? Mode::Strict : Mode::Permissive;
  hop.tls.emplace().settings = Settings::of_proxy(wire::tls::Role::Server);
  return read_tls(from, *hop.tls);
}

std::string read_upstream_tls(const json& from, proxy::Cluster& cluster) {
  cluster.tls.emplace().settings = Settings::of_proxy(wire::tls::Role::Client);
  return read_tls(from, *cluster.tls);
}

std::shared_ptr<const wire::tls::Context> client_context(const json& tls,
                                                         const ActionCertificates& certificates) {
  static const std::map<std::string, std::string> kGroups = {{"P-256", "P-256"},
                                                             {"P-384", "P-384"},
                                                             {"P-521", "P-521"},
                                                             {"X25519", "X25519"},
                                                             {"X448", "X448"}};
  Settings settings;
  settings.role = wire::tls::Role::Client;
  settings.least = Version::Tls10;
  settings.most = Version::Tls13;
  for (const auto& [name, value] : tls.items()) {
    if (name == "certificate") {
      settings.identities = {must_have(certificates, value)};
    } else if (name == "verify") {
      settings.trust = must_trust(certificates, value);
    } else if (name == "alpn") {
      settings.alpn = words_of(value);
    } else if (name == "sni") {
      if (value.is_string()) settings.server_name = value;
    } else if (name == "ciphers") {
      for (const std::string& cipher : words_of(value)) {
        if (cipher.starts_with("TLS_")) {
          settings.ciphers13.push_back(cipher);
        } else {
          settings.ciphers.push_back({cipher});
        }
      }
    } else if (name == "groups") {
      for (const std::string& group : words_of(value)) {
        const auto found = kGroups.find(group);
        if (found == kGroups.end()) throw NotSupported("the group " + group);
        settings.groups += (settings.groups.empty() ? "" : ":") + found->second;
      }
    } else if (name != "min" && name != "max" && name != "resume_from") {
      throw NotSupported("the client's TLS setting " + name);
    }
  }
  read_versions(tls, settings);
  return make(std::move(settings));
}

std::shared_ptr<const wire::tls::Context> upstream_context(const json& tls,
                                                           const ActionCertificates& certificates) {
  Settings settings;
  settings.role = wire::tls::Role::Server;
  for (const auto& [name, value] : tls.items()) {
    if (name == "certificate") {
      settings.identities = {must_have(certificates, value)};
    } else if (name == "alpn") {
      settings.alpn = words_of(value);
    } else if (name == "client_ca") {
      if (tls.value("client_certificate", "not-asked") != "not-asked") {
        settings.trust = must_trust(certificates, value);
      }
    } else if (name == "client_certificate") {
      settings.require_certificate = value == "required";
    } else if (name != "min" && name != "max") {
      throw NotSupported("the upstream's TLS setting " + name);
    }
  }
  read_versions(tls, settings);
  return make(std::move(settings));
}

json alert_result(std::uint8_t alert) {
  // The client's library names one that only TLS 1.3 has in its own way.
  constexpr std::uint8_t kCertificateRequired = 116;
  const std::string name = alert == kCertificateRequired
                               ? "TLSV13_ALERT_CERTIFICATE_REQUIRED"
                               : std::string(wire::tls::reason_of_alert(alert));
  return {{"alert", alert}, {"name", name}};
}

json handshake_result(const wire::tls::TlsTransport& transport) {
  if (transport.secured()) return "ok";
  const wire::tls::Failure* const failure = transport.failure();
  if (failure == nullptr) return "timeout";
  if (failure->alert_received) return alert_result(*failure->alert_received);
  if (failure->cause == wire::tls::Failure::Cause::Transport) return "closed without TLS bytes";
  return {{"error", failure->reason}};
}

}  // namespace conformance::recorded
