#include "proxy/match.h"

#include <charconv>
#include <string>

#include <re2/re2.h>

#include "proxy/path.h"

namespace proxy {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool equals_ignoring_case(std::string_view text, std::string_view lower_case) {
  if (text.size() != lower_case.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (lower(text[i]) != lower_case[i]) return false;
  }
  return true;
}

bool ends_ignoring_case(std::string_view text, std::string_view lower_case) {
  return text.size() >= lower_case.size() &&
         equals_ignoring_case(text.substr(text.size() - lower_case.size()), lower_case);
}

bool full_match(const re2::RE2& regex, std::string_view text) {
  return re2::RE2::FullMatch(re2::StringPiece(text.data(), text.size()), regex);
}

/// Decimal, with an optional sign, and nothing else.
bool parse_integer(std::string_view text, std::int64_t& value) {
  if (!text.empty() && text.front() == '+') {
    text.remove_prefix(1);
    if (!text.empty() && text.front() == '-') return false;
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

bool holds(const TextMatch& test, std::string_view value) {
  switch (test.kind) {
    case TextMatch::Kind::Present:
      return true;
    case TextMatch::Kind::Exact:
      return value == test.text;
    case TextMatch::Kind::Prefix:
      return value.substr(0, test.text.size()) == test.text;
    case TextMatch::Kind::Suffix:
      return value.size() >= test.text.size() &&
             value.substr(value.size() - test.text.size()) == test.text;
    case TextMatch::Kind::Regex:
      return full_match(*test.regex, value);
    case TextMatch::Kind::Range: {
      std::int64_t number = 0;
      return parse_integer(value, number) && number >= test.range_start && number < test.range_end;
    }
  }
  return false;
}

/// A header that stands outside the map, if the name is one of those.
const std::string_view* special(const RequestView& request, wire::HeaderName name) {
  switch (name) {
    case wire::HeaderName::PseudoMethod:
      return &request.method;
    case wire::HeaderName::PseudoPath:
      return &request.target;
    case wire::HeaderName::PseudoScheme:
      return &request.scheme;
    case wire::HeaderName::PseudoAuthority:
    case wire::HeaderName::Host:
      return &request.authority;
    default:
      return nullptr;
  }
}

}  // namespace

const VirtualHost* find_host(const RouteTable& table, std::string_view authority) {
  const VirtualHost* best = nullptr;
  std::size_t best_length = 0;
  const VirtualHost* any = nullptr;
  for (const VirtualHost& host : table.hosts) {
    for (const std::string& domain : host.domains) {
      if (domain == "*") {
        any = &host;
      } else if (domain.front() == '*') {
        const std::string_view suffix = std::string_view(domain).substr(1);
        if (suffix.size() > best_length && authority.size() > suffix.size() &&
            ends_ignoring_case(authority, suffix)) {
          best = &host;
          best_length = suffix.size();
        }
      } else if (equals_ignoring_case(authority, domain)) {
        return &host;
      }
    }
  }
  return best != nullptr ? best : any;
}

bool is_grpc_content_type(std::string_view value) {
  constexpr std::string_view kGrpc = "application/grpc";
  if (value.substr(0, kGrpc.size()) != kGrpc) return false;
  return value.size() == kGrpc.size() || value[kGrpc.size()] == '+';
}

bool matches(const PathMatch& match, std::string_view path) {
  switch (match.kind) {
    case PathMatch::Kind::Prefix:
      return path.substr(0, match.text.size()) == match.text;
    case PathMatch::Kind::Exact:
      return path == match.text;
    case PathMatch::Kind::Regex:
      return full_match(*match.regex, path);
  }
  return false;
}

bool matches(const HeaderMatch& match, const RequestView& request) {
  const bool presence = match.test.kind == TextMatch::Kind::Present;
  if (const std::string_view* value = special(request, match.known)) {
    return holds(match.test, *value) != match.invert;
  }
  // Lines of one name are tested one by one: any hit counts. An absent header never passes a test
  // of its value, inverted or not.
  const auto next = [&](std::size_t from) {
    return match.known != wire::HeaderName::Other ? request.headers.find(match.known, from)
                                                  : request.headers.find(match.name, from);
  };
  bool present = false;
  bool hit = false;
  for (std::size_t i = next(0); i != wire::HeaderMap::npos && !hit; i = next(i + 1)) {
    present = true;
    hit = holds(match.test, request.headers.value(i));
  }
  if (presence) return present != match.invert;
  return present && hit != match.invert;
}

bool matches(const QueryMatch& match, std::string_view target) {
  const std::size_t question = target.find('?');
  if (question == std::string_view::npos) return false;
  std::string_view rest = target.substr(question + 1);
  while (true) {
    const std::size_t end = rest.find('&');
    const std::string_view parameter = rest.substr(0, end);
    const std::size_t equals = parameter.find('=');
    if (parameter.substr(0, equals) == match.name) {
      const bool bare = equals == std::string_view::npos;
      return holds(match.test, bare ? std::string_view() : parameter.substr(equals + 1));
    }
    if (end == std::string_view::npos) return false;
    rest.remove_prefix(end + 1);
  }
}

bool matches(const Route& route, const RequestView& request) {
  if (!matches(route.path, path_of(request.target))) return false;
  for (const HeaderMatch& header : route.headers) {
    if (!matches(header, request)) return false;
  }
  for (const QueryMatch& query : route.query) {
    if (!matches(query, request.target)) return false;
  }
  return !route.grpc_only ||
         is_grpc_content_type(request.headers.get(wire::HeaderName::ContentType));
}

const Route* find_route(const VirtualHost& host, const RequestView& request) {
  for (const Route& route : host.routes) {
    if (matches(route, request)) return &route;
  }
  return nullptr;
}

std::string rewritten_target(const Route& route, std::string_view target) {
  const std::string_view path = path_of(target);
  const std::string_view query = target.substr(path.size());
  if (route.path_rewrite) return *route.path_rewrite + std::string(query);
  if (!route.prefix_rewrite) return std::string(target);
  return *route.prefix_rewrite + std::string(target.substr(route.path.text.size()));
}

}  // namespace proxy
