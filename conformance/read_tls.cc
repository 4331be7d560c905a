#include "conformance/read_tls.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "conformance/read_parts.h"
#include "conformance/units.h"

namespace conformance {

using document::Problems;
using document::Reader;
using Pki = std::vector<CertificateSetup>;

namespace {

using namespace std::chrono_literals;

constexpr std::string_view kAbsent = "absent";
constexpr world::Duration kDay = 24h;
constexpr world::Duration kLongest = 100 * 365 * kDay;

const CertificateSetup* find(const Pki& pki, std::string_view name) {
  const auto found = std::find_if(pki.begin(), pki.end(),
                                  [name](const CertificateSetup& one) { return one.name == name; });
  return found == pki.end() ? nullptr : &*found;
}

std::string unknown_entry(const Pki& pki, std::string_view name) {
  std::vector<std::string> names;
  for (const CertificateSetup& one : pki) names.push_back(one.name);
  const std::string near = document::nearest(name, names);
  return fmt::format("there is no {} in world.pki{}", name,
                     near.empty() ? "" : "; did you mean " + near + "?");
}

/// The name of an entry. Empty: there is none of that name, and that was reported.
std::string read_entry(const Reader& at, const Pki& pki) {
  auto name = at.as_string({1});
  if (!name) return {};
  if (find(pki, *name) != nullptr) return *std::move(name);
  at.fail(unknown_entry(pki, *name));
  return {};
}

/// One name, or a list of them.
std::vector<std::string> read_entries(const Reader& at, const Pki& pki) {
  std::vector<std::string> names;
  if (!at.value().is_list()) {
    names.push_back(read_entry(at, pki));
  } else {
    for (const Reader& item : at.as_items({1})) names.push_back(read_entry(item, pki));
  }
  return names;
}

/// A name stands for its certificate with those of its issuers, a list for exactly these.
Shown read_shown(const Reader& at, const Pki& pki) {
  return {read_entries(at, pki), !at.value().is_list()};
}

/// "90d", or "-1h" for what was before the start.
world::CalendarTime read_date(Reader& in, std::string_view key, world::Duration otherwise) {
  const auto at = in.optional(key);
  if (!at) return world::CalendarTime(otherwise);
  std::optional<world::Duration> value;
  if (at->value().is_string()) {
    std::string_view text = at->value().string();
    const bool before = text.starts_with('-');
    if (before) text.remove_prefix(1);
    value = parse_duration(text);
    if (value && before) value = -*value;
  }
  if (!value || *value > kLongest || *value < -kLongest) {
    at->fail("must be a time from the start of the world, such as 90d or -1h, is " +
             at->value().describe());
    return world::CalendarTime(otherwise);
  }
  return world::CalendarTime(*value);
}

void read_names(Reader& in, std::string_view key, pki::SubjectName::Kind kind,
                pki::Description& description) {
  for (const Reader& item : in.optional_items(key)) {
    if (auto text = item.as_string({1, 253})) {
      description.names.push_back({kind, *std::move(text)});
    }
  }
}

void read_uses(Reader& in, pki::Description& description) {
  using Use = pki::Description::Use;
  if (description.authority || !in.has("uses")) return;
  description.uses.emplace();
  constexpr Use kUses[] = {Use::Server, Use::Client, Use::CodeSigning};
  for (const Reader& item : in.optional_items("uses")) {
    if (const auto use = item.as_choice({"server", "client", "codeSigning"})) {
      description.uses->push_back(kUses[*use]);
    }
  }
  if (description.uses->empty()) description.uses.reset();
}

CertificateSetup read_certificate(const std::string& name, Reader in) {
  using Key = pki::Description::Key;
  using Kind = pki::SubjectName::Kind;
  CertificateSetup out;
  out.name = name;
  pki::Description& of = out.description;
  of.authority = in.optional_bool("ca").value_or(false);
  of.name = in.optional_string("commonName", {1, 64}).value_or(name);
  out.issuer = in.optional_string("issuer", {1}).value_or("");
  if (const auto key = in.optional("key")) {
    constexpr Key kKeys[] = {Key::EcP256, Key::Rsa1024, Key::Rsa2048, Key::Rsa4096};
    of.key = kKeys[key->as_choice({"ec", "rsa1024", "rsa2048", "rsa4096"}).value_or(0)];
  }
  read_names(in, "dns", Kind::Dns, of);
  read_names(in, "uri", Kind::Uri, of);
  read_names(in, "ip", Kind::Ip, of);
  read_uses(in, of);
  of.cannot_sign = !in.optional_bool("digitalSignature").value_or(true);
  of.not_before = read_date(in, "notBefore", -kDay);
  of.not_after = read_date(in, "notAfter", of.authority ? 3650 * kDay : 365 * kDay);
  if (of.not_after <= of.not_before) in.fail("notAfter", "must be after notBefore");
  if (of.authority) {
    for (const std::string_view key : {"dns", "uri", "ip", "uses", "digitalSignature"}) {
      if (in.has(key)) in.fail_key(key, "goes with a certificate that is no ca");
    }
  }
  in.finish();
  return out;
}

/// Puts issuers first. What issues itself in a circle is left out: that was reported.
Pki in_order(const Pki& entries, const std::map<std::string, Reader>& places) {
  Pki out;
  std::set<std::string> begun;
  const auto add = [&](const auto& self, const CertificateSetup& one) -> bool {
    if (find(out, one.name) != nullptr) return true;
    if (!begun.insert(one.name).second) return false;
    const CertificateSetup* const issuer = find(entries, one.issuer);
    if (issuer != nullptr && !self(self, *issuer)) return false;
    out.push_back(one);
    return true;
  };
  for (const CertificateSetup& one : entries) {
    if (!add(add, one)) places.at(one.name).fail("issuer", "must not lead back to " + one.name);
  }
  return out;
}

}  // namespace

Pki read_pki(Reader at) {
  Pki entries;
  std::map<std::string, Reader> places;
  if (!at.expect_object()) return entries;
  for (const auto& [member, value] : at.members()) {
    if (!is_name(member->key) || member->key == kAbsent) {
      at.fail_key(member->key, "must be a name, and not \"absent\"");
    }
    if (!value.expect_object()) continue;
    places.emplace(member->key, value);
    entries.push_back(read_certificate(member->key, value));
  }
  for (CertificateSetup& one : entries) {
    if (one.issuer.empty()) continue;
    const CertificateSetup* const issuer = find(entries, one.issuer);
    if (issuer == nullptr) {
      places.at(one.name).fail("issuer", unknown_entry(entries, one.issuer));
      one.issuer.clear();
    } else if (!issuer->description.authority) {
      places.at(one.name).fail("issuer", "must name a ca, which " + one.issuer + " is not");
    }
  }
  return in_order(entries, places);
}

// --- What names stand for ------------------------------------------------------------------------

namespace {

Material read_material(Reader at, const Pki& pki, bool may_be_text) {
  Material out;
  if (at.value().is_string() && at.value().string() == kAbsent) return out;
  out.kind = Material::Kind::Certificates;
  if (!at.value().is_object()) {
    out.shown = read_shown(at, pki);
    return out;
  }
  if (may_be_text && at.has("text")) {
    out.kind = Material::Kind::Text;
    out.text = at.required_string("text");
  } else {
    if (const auto shown = at.required("certificates")) out.shown = read_shown(*shown, pki);
    if (const auto key = at.optional("key")) out.key = read_entry(*key, pki);
  }
  at.finish();
  return out;
}

std::map<std::string, Material> read_named(Reader& in, std::string_view key, const Pki& pki) {
  std::map<std::string, Material> out;
  auto at = in.optional(key);
  if (!at || !at->expect_object()) return out;
  for (const auto& [member, value] : at->members()) {
    out[member->key] = read_material(value, pki, key == "files");
  }
  return out;
}

}  // namespace

Materials read_materials(Reader& in, const Pki& pki) {
  Materials out;
  out.files = read_named(in, "files", pki);
  out.secrets = read_named(in, "secrets", pki);
  out.acm = read_named(in, "acm", pki);
  return out;
}

// --- Clients and services ------------------------------------------------------------------------

namespace {

std::optional<wire::tls::Version> read_version(Reader& in, std::string_view key) {
  using wire::tls::Version;
  const auto at = in.optional(key);
  if (!at) return std::nullopt;
  const auto choice = at->as_choice({"1.0", "1.1", "1.2", "1.3"});
  constexpr Version kVersions[] = {Version::Tls10, Version::Tls11, Version::Tls12, Version::Tls13};
  return choice ? std::optional(kVersions[*choice]) : std::nullopt;
}

std::optional<std::vector<std::string>> read_alpn(Reader& in) {
  if (!in.has("alpn")) return std::nullopt;
  std::vector<std::string> out;
  for (const Reader& item : in.optional_items("alpn")) {
    if (auto text = item.as_string({1, 255})) out.push_back(*std::move(text));
  }
  return out;
}

std::vector<std::string> read_trust(Reader& in, const Pki& pki) {
  const auto at = in.optional("trust");
  return at ? read_entries(*at, pki) : std::vector<std::string>{};
}

Shown read_certificate_shown(Reader& in, const Pki& pki) {
  const auto at = in.optional("certificate");
  return at ? read_shown(*at, pki) : Shown{};
}

}  // namespace

ClientTls read_client_tls(Reader at, const Pki& pki) {
  ClientTls out;
  if (!at.expect_object()) return out;
  out.trust = read_trust(at, pki);
  out.certificate = read_certificate_shown(at, pki);
  if (const auto checks = at.optional("checkName")) {
    out.checks_name = checks->as_bool().value_or(true);
    if (out.trust.empty()) checks->fail("needs trust: without it nothing is checked");
  }
  out.server_name = at.optional_string("serverName", {0, 253});
  out.alpn = read_alpn(at);
  out.least = read_version(at, "minVersion").value_or(out.least);
  out.most = read_version(at, "maxVersion").value_or(out.most);
  if (out.least > out.most) {
    if (at.has("minVersion")) {
      at.fail("minVersion", "must not be above maxVersion");
    } else {
      out.least = out.most;  // "up to 1.1" is said by maxVersion alone
    }
  }
  at.finish();
  return out;
}

ServiceTls read_service_tls(Reader at, const Pki& pki) {
  ServiceTls out;
  if (at.value().is_bool()) {
    out.off = !at.value().boolean();
    if (!out.off) at.fail("must be false, or an object: TLS itself is what the listener says");
    return out;
  }
  if (!at.expect_object()) return out;
  out.certificate = read_certificate_shown(at, pki);
  out.trust = read_trust(at, pki);
  out.require_certificate = at.optional_bool("requireCertificate");
  out.alpn = read_alpn(at);
  out.least = read_version(at, "minVersion");
  out.most = read_version(at, "maxVersion");
  at.finish();
  return out;
}

// --- Whether all is there ------------------------------------------------------------------------

namespace {

class MaterialCheck {
 public:
  MaterialCheck(const Materials& materials, Problems& problems)
      : materials_(materials), problems_(problems) {}

  void check(const mesh::Certificate& certificate, const mesh::Origin& origin) {
    switch (certificate.source) {
      case mesh::TlsSource::Acm:
        return need("acm", materials_.acm, certificate.arn, origin);
      case mesh::TlsSource::File:
        need("files", materials_.files, certificate.chain, origin);
        return need("files", materials_.files, certificate.private_key, origin);
      case mesh::TlsSource::Sds:
        return need("secrets", materials_.secrets, certificate.secret, origin);
    }
  }

  void check(const mesh::Trust& trust, const mesh::Origin& origin) {
    switch (trust.source) {
      case mesh::TlsSource::Acm:
        for (const std::string& arn : trust.authority_arns) {
          need("acm", materials_.acm, arn, origin);
        }
        return;
      case mesh::TlsSource::File:
        return need("files", materials_.files, trust.chain, origin);
      case mesh::TlsSource::Sds:
        return need("secrets", materials_.secrets, trust.secret, origin);
    }
  }

  void check(const std::vector<mesh::Listener>& listeners, const mesh::Origin& origin) {
    for (const mesh::Listener& listener : listeners) {
      if (!listener.has_tls()) continue;
      check(listener.tls->certificate, origin);
      if (listener.tls->validation) check(listener.tls->validation->trust, origin);
    }
  }

 private:
  void need(std::string_view where, const std::map<std::string, Material>& known,
            const std::string& name, const mesh::Origin& origin) {
    if (known.count(name) != 0 || !told_.emplace(where, name).second) return;
    problems_.add(origin.pointer,
                  fmt::format("names {}, of which world.{} must say what it is: an entry of "
                              "world.pki, or absent",
                              name, where),
                  origin.place);
  }

  const Materials& materials_;
  Problems& problems_;
  std::set<std::pair<std::string_view, std::string>> told_;
};

}  // namespace

void check_materials(const mesh::Mesh& mesh, const Materials& materials, Problems& problems) {
  MaterialCheck check(materials, problems);
  for (const mesh::VirtualGateway& gateway : mesh.gateways) {
    check.check(gateway.listeners, gateway.origin);
    if (!gateway.client_tls || !gateway.client_tls->enforce) continue;
    if (gateway.client_tls->certificate) {
      check.check(*gateway.client_tls->certificate, gateway.origin);
    }
    check.check(gateway.client_tls->validation.trust, gateway.origin);
  }
  for (const mesh::VirtualNode& node : mesh.nodes) check.check(node.listeners, node.origin);
}

}  // namespace conformance
