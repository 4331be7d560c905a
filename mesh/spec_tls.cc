#include <algorithm>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "mesh/spec_parts.h"

namespace mesh {
namespace {

Certificate read_certificate(Reader at, bool with_acm, const SpecRules& rules) {
  Certificate certificate;
  if (!at.expect_object()) return certificate;
  refuse_before(at, {"sds"}, kMutualTls, rules);
  if (with_acm) {
    at.one_of({"acm", "file", "sds"});
  } else {
    at.one_of({"file", "sds"});
  }
  if (with_acm) {
    if (auto acm = at.optional("acm"); acm && acm->expect_object()) {
      certificate.source = TlsSource::Acm;
      certificate.arn = acm->required_string("certificateArn");
      acm->finish();
    }
  }
  if (auto file = at.optional("file"); file && file->expect_object()) {
    certificate.source = TlsSource::File;
    certificate.chain = file->required_string("certificateChain", {1, 255});
    certificate.private_key = file->required_string("privateKey", {1, 255});
    file->finish();
  }
  if (auto sds = at.optional("sds"); sds && sds->expect_object()) {
    certificate.source = TlsSource::Sds;
    certificate.secret = sds->required_string("secretName");
    sds->finish();
  }
  at.finish();
  return certificate;
}

Trust read_trust(Reader at, bool with_acm, const SpecRules& rules) {
  Trust trust;
  if (!at.expect_object()) return trust;
  refuse_before(at, {"sds"}, kMutualTls, rules);
  if (with_acm) {
    at.one_of({"acm", "file", "sds"});
  } else {
    at.one_of({"file", "sds"});
  }
  if (with_acm) {
    if (auto acm = at.optional("acm"); acm && acm->expect_object()) {
      trust.source = TlsSource::Acm;
      for (const Reader& arn : acm->required_items("certificateAuthorityArns", {1, 3})) {
        if (auto text = arn.as_string()) trust.authority_arns.push_back(*std::move(text));
      }
      acm->finish();
    }
  }
  if (auto file = at.optional("file"); file && file->expect_object()) {
    trust.source = TlsSource::File;
    trust.chain = file->required_string("certificateChain", {1, 255});
    file->finish();
  }
  if (auto sds = at.optional("sds"); sds && sds->expect_object()) {
    trust.source = TlsSource::Sds;
    trust.secret = sds->required_string("secretName");
    sds->finish();
  }
  at.finish();
  return trust;
}

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// Labels of letters, digits, "-" and "_", the first of which may be "*".
bool is_domain_name(std::string_view name) {
  if (name.starts_with("*.")) name.remove_prefix(2);
  bool in_label = false;
  for (const char c : name) {
    if (c == '.') {
      if (!in_label) return false;
      in_label = false;
    } else {
      if (!is_alphanumeric(c) && c != '-' && c != '_') return false;
      in_label = true;
    }
  }
  return in_label;
}

/// Scheme, "://", something, and no blanks.
bool is_uri(std::string_view name) {
  const std::size_t end = name.find("://");
  if (end == std::string_view::npos || end == 0 || end + 3 == name.size()) return false;
  const std::string_view scheme = name.substr(0, end);
  return std::all_of(
             scheme.begin(), scheme.end(),
             [](char c) { return is_alphanumeric(c) || c == '+' || c == '-' || c == '.'; }) &&
         std::none_of(name.begin(), name.end(), [](char c) { return c <= ' '; });
}

/// Source: AM-VAL-13, AM-VAL-14.
std::vector<std::string> read_subject_names(Reader at, bool wildcards) {
  std::vector<std::string> names;
  if (!at.expect_object()) return names;
  if (auto match = at.required("match"); match && match->expect_object()) {
    for (const Reader& entry : match->required_items("exact")) {
      auto name = entry.as_string({1, 254});
      if (!name) continue;
      if (!is_domain_name(*name) && !is_uri(*name)) {
        entry.fail(fmt::format("must be a domain name or a URI, is \"{}\"", *name));
      } else if (!wildcards && name->starts_with("*")) {
        entry.fail(fmt::format(
            "must not have a wildcard where the client policy enforces TLS, is \"{}\"", *name));
      }
      names.push_back(*std::move(name));
    }
    match->finish();
  }
  at.finish();
  return names;
}

TlsValidation read_validation(Reader at, bool with_acm, bool wildcards, const SpecRules& rules) {
  TlsValidation validation;
  if (!at.expect_object()) return validation;
  refuse_before(at, {"subjectAlternativeNames"}, kMutualTls, rules);
  if (const auto trust = at.required("trust")) {
    validation.trust = read_trust(*trust, with_acm, rules);
  }
  if (const auto names = at.optional("subjectAlternativeNames")) {
    validation.subject_names = read_subject_names(*names, wildcards);
  }
  at.finish();
  return validation;
}

}  // namespace

ListenerTls read_listener_tls(Reader at, const SpecRules& rules) {
  ListenerTls tls;
  if (!at.expect_object()) return tls;
  refuse_before(at, {"validation"}, kMutualTls, rules);
  if (const auto mode = at.required("mode")) {
    tls.mode =
        static_cast<TlsMode>(mode->as_choice({"STRICT", "PERMISSIVE", "DISABLED"}).value_or(0));
  }
  if (const auto certificate = at.required("certificate")) {
    tls.certificate = read_certificate(*certificate, true, rules);
  }
  if (const auto validation = at.optional("validation")) {
    tls.validation = read_validation(*validation, false, true, rules);
  }
  at.finish();
  return tls;
}

std::optional<ClientTls> read_client_policy(Reader at, const SpecRules& rules) {
  if (!at.expect_object()) return std::nullopt;
  auto member = at.optional("tls");
  at.finish();
  if (!member || !member->expect_object()) return std::nullopt;
  ClientTls tls;
  refuse_before(*member, {"certificate"}, kMutualTls, rules);
  tls.enforce = member->optional_bool("enforce").value_or(true);
  for (const Reader& entry : member->optional_items("ports")) {
    if (const auto port = as_port(entry)) tls.ports.push_back(*port);
  }
  if (const auto certificate = member->optional("certificate")) {
    tls.certificate = read_certificate(*certificate, false, rules);
  }
  if (const auto validation = member->required("validation")) {
    tls.validation = read_validation(*validation, true, !tls.enforce, rules);
  }
  member->finish();
  return tls;
}

}  // namespace mesh
