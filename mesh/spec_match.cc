#include <string>
#include <string_view>

#include <fmt/format.h>
#include <re2/re2.h>

#include "mesh/spec_parts.h"

namespace mesh {
namespace {

/// A regex is RE2's. Source: AM-GWR-04.
std::optional<std::string> as_regex(const Reader& at) {
  auto text = at.as_string({1, 255});
  if (!text) return std::nullopt;
  re2::RE2::Options options;
  options.set_log_errors(false);
  const re2::RE2 compiled(*text, options);
  if (!compiled.ok()) {
    at.fail(fmt::format("must be a regular expression of RE2: {}", compiled.error()));
    return std::nullopt;
  }
  return text;
}

/// Source: AM-SHP-101 to -107, AM-VAL-20.
std::optional<TextMatch> read_text_match(Reader at) {
  if (!at.expect_object()) return std::nullopt;
  const auto kind = at.one_of({"exact", "prefix", "suffix", "regex", "range"});
  TextMatch match;
  if (kind) match.kind = static_cast<TextMatch::Kind>(*kind);
  for (const std::string_view key : {"exact", "prefix", "suffix"}) {
    if (auto given = at.optional_string(key, {1, 255})) match.text = *std::move(given);
  }
  if (const auto regex = at.optional("regex")) match.text = as_regex(*regex).value_or("");
  if (auto range = at.optional("range"); range && range->expect_object()) {
    const std::size_t before = at.problems().size();
    match.start = range->required_integer("start");
    match.end = range->required_integer("end");
    if (at.problems().size() == before && match.start >= match.end) {
      range->fail(
          fmt::format("must have a start below its end, is {} to {}", match.start, match.end));
    }
    range->finish();
  }
  at.finish();
  return kind ? std::optional(match) : std::nullopt;
}

/// Headers, or a gRPC match's metadata: the same shape.
std::vector<HeaderMatch> read_headers(Reader& at, std::string_view key) {
  std::vector<HeaderMatch> headers;
  for (Reader& entry : at.optional_items(key, {1, 10})) {
    if (!entry.expect_object()) continue;
    HeaderMatch header;
    header.name = entry.required_string("name", {1, 50});
    header.invert = entry.optional_bool("invert").value_or(false);
    if (const auto match = entry.optional("match")) header.match = read_text_match(*match);
    entry.finish();
    headers.push_back(std::move(header));
  }
  return headers;
}

std::vector<QueryMatch> read_query(Reader& at) {
  std::vector<QueryMatch> query;
  for (Reader& entry : at.optional_items("queryParameters", {1, 10})) {
    if (!entry.expect_object()) continue;
    QueryMatch parameter;
    parameter.name = entry.required_string("name");
    if (auto match = entry.optional("match"); match && match->expect_object()) {
      parameter.exact = match->optional_string("exact");
      match->finish();
    }
    entry.finish();
    query.push_back(std::move(parameter));
  }
  return query;
}

/// Source: AM-VAL-19.
bool reserved_prefix(std::string_view prefix) {
  return prefix.starts_with("/aws-appmesh") || prefix.starts_with("/aws-app-mesh");
}
bool reserved_service(std::string_view service) {
  return service.starts_with("aws.appmesh") || service.starts_with("aws.app-mesh");
}

std::optional<PathMatch> read_path(Reader at) {
  if (!at.expect_object()) return std::nullopt;
  const auto kind = at.one_of({"exact", "regex"});
  PathMatch match;
  if (const auto exact = at.optional("exact")) {
    if (auto text = exact->as_string({1, 255}); text && check_begins_with_slash(*exact, *text)) {
      match = {PathMatch::Kind::Exact, *std::move(text)};
    }
  }
  if (const auto regex = at.optional("regex")) {
    if (auto text = as_regex(*regex)) match = {PathMatch::Kind::Regex, *std::move(text)};
  }
  at.finish();
  return kind ? std::optional(match) : std::nullopt;
}

/// `prefix` and `path` of an HTTP match, of which at most one may be there. Source: AM-VAL-17.
std::optional<PathMatch> read_prefix_or_path(Reader& at, MatchOf of) {
  at.one_of({"prefix", "path"}, false);
  std::optional<PathMatch> result;
  if (const auto path = at.optional("path")) result = read_path(*path);
  if (const auto prefix = at.optional("prefix")) {
    if (auto text = prefix->as_string(); text && check_begins_with_slash(*prefix, *text)) {
      if (of == MatchOf::GatewayRoute && reserved_prefix(*text)) {
        prefix->fail(
            fmt::format("must not begin with /aws-appmesh or /aws-app-mesh, is \"{}\"", *text));
      }
      result = PathMatch{PathMatch::Kind::Prefix, *std::move(text)};
    }
  }
  return result;
}

/// Source: AM-VAL-17, AM-VAL-30, AM-VAL-31.
std::optional<HostnameMatch> read_hostname(Reader at) {
  if (!at.expect_object()) return std::nullopt;
  const auto kind = at.one_of({"exact", "suffix"});
  HostnameMatch match;
  for (const std::string_view key : {"exact", "suffix"}) {
    const auto member = at.optional(key);
    if (!member) continue;
    auto host = member->as_string({1, 253});
    if (!host) continue;
    if (host->find(':') != std::string::npos) {
      member->fail(fmt::format("must be a host name without a port, is \"{}\"", *host));
    }
    match.kind = key == "exact" ? HostnameMatch::Kind::Exact : HostnameMatch::Kind::Suffix;
    match.text = *std::move(host);
    if (key == "exact") continue;
    if (match.text.starts_with("*.")) match.text.erase(0, 1);
    if (!match.text.starts_with('.') || match.text.size() == 1) {
      member->fail(fmt::format(
          "must begin at a label, as in .example.com or *.example.com, is \"{}\"", match.text));
    }
  }
  at.finish();
  return kind ? std::optional(match) : std::nullopt;
}

/// Headers, a method or a query alone are no match. Source: AM-VAL-17.
void require_base(Reader& at) {
  if (at.has("prefix") || at.has("path") || at.has("hostname") || at.has("port")) return;
  at.fail("must have at least one of prefix, path, hostname, port");
}

}  // namespace

bool check_begins_with_slash(const Reader& at, std::string_view text) {
  if (text.starts_with('/')) return true;
  at.fail(fmt::format("must begin with /, is \"{}\"", text));
  return false;
}

RouteMatch read_http_match(Reader at, MatchOf of, const SpecRules& rules) {
  RouteMatch match;
  if (!at.expect_object()) return match;
  const bool of_gateway = of == MatchOf::GatewayRoute;
  refuse_before(at, {"path", "queryParameters"}, kMatchesAndRewrites, rules);
  if (of_gateway) {
    refuse_before(at, {"hostname", "headers", "method"}, kMatchesAndRewrites, rules);
  }
  refuse_before(at, {"port"}, kPorts, rules);
  if (rules.era < kMatchesAndRewrites.era && !at.has("prefix")) {
    at.fail("prefix", fmt::format("is required in era {}", text(rules.era)));
  }

  match.path = read_prefix_or_path(at, of);
  if (of_gateway) {
    if (const auto host = at.optional("hostname")) match.hostname = read_hostname(*host);
  }
  if (const auto method = at.optional("method")) {
    constexpr std::string_view kMethods[] = {"GET",     "HEAD",    "POST",  "PUT",  "DELETE",
                                             "CONNECT", "OPTIONS", "TRACE", "PATCH"};
    if (const auto choice = method->as_choice(kMethods)) match.method = kMethods[*choice];
  }
  if (!of_gateway) {
    if (const auto scheme = at.optional("scheme")) {
      if (const auto choice = scheme->as_choice({"http", "https"})) {
        match.scheme = *choice == 0 ? "http" : "https";
      }
    }
  }
  match.headers = read_headers(at, "headers");
  match.query = read_query(at);
  match.port = optional_port(at, "port");
  if (of_gateway && rules.era >= kMatchesAndRewrites.era) require_base(at);
  at.finish();
  return match;
}

RouteMatch read_grpc_match(Reader at, MatchOf of, const SpecRules& rules) {
  RouteMatch match;
  if (!at.expect_object()) return match;
  const bool of_gateway = of == MatchOf::GatewayRoute;
  if (of_gateway) refuse_before(at, {"hostname", "metadata"}, kMatchesAndRewrites, rules);
  refuse_before(at, {"port"}, kPorts, rules);
  if (const auto service = at.optional("serviceName")) {
    match.grpc_service = service->as_string();
    if (of_gateway && match.grpc_service && reserved_service(*match.grpc_service)) {
      service->fail(fmt::format("must not begin with aws.appmesh or aws.app-mesh, is \"{}\"",
                                *match.grpc_service));
    }
  }
  if (!of_gateway || rules.recorded_cases) {
    match.grpc_method = at.optional_string("methodName", {1, 50});
  }
  if (of_gateway) {
    if (const auto host = at.optional("hostname")) match.hostname = read_hostname(*host);
  }
  match.headers = read_headers(at, "metadata");
  match.port = optional_port(at, "port");
  if (rules.recorded_cases && at.has("prefix")) match.path = read_prefix_or_path(at, of);
  at.finish();
  return match;
}

}  // namespace mesh
