#include "envoy/tls.h"

#include <utility>

#include <fmt/format.h>

namespace envoy {
namespace {

using proxy::SecretName;
using proxy::TlsPlan;
using wire::tls::SubjectName;

Json file(const std::string& path) {
  return {{"filename", path}};
}

/// Text as a part of a file's name; no two texts become the same.
std::string file_name(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '-';
    out += plain ? std::string(1, c) : fmt::format("_{:02x}", static_cast<unsigned char>(c));
  }
  return out;
}

const char* text_of(SubjectName::Kind kind) {
  switch (kind) {
    case SubjectName::Kind::Uri:
      return "URI";
    case SubjectName::Kind::Ip:
      return "IP_ADDRESS";
    case SubjectName::Kind::Dns:
      break;
  }
  return "DNS";
}

Json socket(std::string_view type, Json members) {
  return extension("envoy.transport_sockets.tls",
                   fmt::format("envoy.extensions.transport_sockets.tls.v3.{}", type),
                   std::move(members));
}

}  // namespace

Json Tls::of_listener(const TlsPlan& plan) {
  Json members = {{"common_tls_context", common(plan)}};
  if (plan.settings.require_certificate) members["require_client_certificate"] = true;
  return socket("DownstreamTlsContext", std::move(members));
}

Json Tls::of_cluster(const TlsPlan& plan) {
  Json members = {{"common_tls_context", common(plan)}};
  if (!plan.settings.server_name.empty()) members["sni"] = plan.settings.server_name;
  return socket("UpstreamTlsContext", std::move(members));
}

Json Tls::common(const TlsPlan& plan) {
  Json out = Json::object();
  if (!plan.settings.alpn.empty()) out["alpn_protocols"] = plan.settings.alpn;
  for (const SecretName& name : plan.certificates) {
    if (name.kind == SecretName::Kind::File) {
      out["tls_certificates"].push_back(
          {{"certificate_chain", file(name.name)}, {"private_key", file(name.key)}});
    } else {
      out["tls_certificate_sds_secret_configs"].push_back(by_file(name, false));
    }
  }
  if (!plan.trust) return out;
  if (plan.trust->kind == SecretName::Kind::File) {
    out["validation_context"] = validation(plan);
  } else {
    out["combined_validation_context"] = {
        {"default_validation_context", validation(plan)},
        {"validation_context_sds_secret_config", by_file(*plan.trust, true)}};
  }
  return out;
}

Json Tls::validation(const TlsPlan& plan) {
  Json out = Json::object();
  if (plan.trust->kind == SecretName::Kind::File) out["trusted_ca"] = file(plan.trust->name);
  for (const SubjectName& name : plan.settings.names) {
    out["match_typed_subject_alt_names"].push_back(
        {{"san_type", text_of(name.kind)}, {"matcher", {{"exact", name.text}}}});
  }
  return out;
}

Json Tls::by_file(const SecretName& name, bool trust) {
  std::string stem = file_name(name.name);
  for (const std::string& other : name.others) stem += "+" + file_name(other);
  const std::string resource = (trust ? "trust-" : "certificate-") + stem;
  const std::string path = fmt::format("sds/{}.json", resource);
  if (!files_.contains(path)) add_file(path, resource, name, trust);
  return {{"name", resource},
          {"sds_config",
           {{"path_config_source", {{"path", fmt::format("{}/{}", folder_, path)}}},
            {"resource_api_version", "V3"}}}};
}

void Tls::add_file(const std::string& path, const std::string& resource, const SecretName& name,
                   bool trust) {
  const std::string pem = fmt::format("{}/secrets/{}.pem", folder_, resource);
  const std::string key = fmt::format("{}/secrets/{}.key", folder_, resource);
  const std::string what =
      name.kind == SecretName::Kind::Acm ? "ACM's " + name.name : "the secret " + name.name;
  secrets_.push_back(
      {name, trust, pem, trust ? std::string() : key, fmt::format("{}/{}", folder_, path)});
  Json secret = {{"name", resource}};
  if (trust) {
    secret["validation_context"] = {{"trusted_ca", file(pem)}};
    std::string more;
    for (const std::string& other : name.others) more += ", " + other;
    notes_.push_back(fmt::format("{} must hold the authority of {}{}", pem, what, more));
  } else {
    secret["tls_certificate"] = {{"certificate_chain", file(pem)}, {"private_key", file(key)}};
    notes_.push_back(fmt::format("{} and {} must hold certificate and key of {}", pem, key, what));
  }
  files_[path] = {{"resources",
                   {typed("envoy.extensions.transport_sockets.tls.v3.Secret", std::move(secret))}}};
}

}  // namespace envoy
