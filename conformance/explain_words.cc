#include "conformance/explain_words.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "conformance/units.h"
#include "proxy/path.h"

namespace conformance {

using proxy::HeaderMatch;
using proxy::PathMatch;
using proxy::QueryMatch;
using proxy::RequestView;
using proxy::Route;
using proxy::TextMatch;
using wire::HeaderName;

namespace {

std::string quoted(std::string_view text) {
  return fmt::format("\"{}\"", text);
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

/// What a test asks for, after "must" or "must not".
std::string must_words(const TextMatch& test) {
  switch (test.kind) {
    case TextMatch::Kind::Present:
      return "be there";
    case TextMatch::Kind::Exact:
      return "be " + quoted(test.text);
    case TextMatch::Kind::Prefix:
      return "begin with " + quoted(test.text);
    case TextMatch::Kind::Suffix:
      return "end with " + quoted(test.text);
    case TextMatch::Kind::Regex:
      return fmt::format("match regex {} as a whole", quoted(test.text));
    case TextMatch::Kind::Range:
      return fmt::format("be a number from {} to below {}", test.range_start, test.range_end);
  }
  return {};
}

/// The same as part of a list of criteria.
std::string test_words(const TextMatch& test) {
  switch (test.kind) {
    case TextMatch::Kind::Present:
      return "present";
    case TextMatch::Kind::Exact:
      return "= " + quoted(test.text);
    case TextMatch::Kind::Prefix:
      return "begins with " + quoted(test.text);
    case TextMatch::Kind::Suffix:
      return "ends with " + quoted(test.text);
    case TextMatch::Kind::Regex:
      return "matches regex " + quoted(test.text);
    case TextMatch::Kind::Range:
      return fmt::format("from {} to below {}", test.range_start, test.range_end);
  }
  return {};
}

/// "method" for ":method", "header x" for "x".
std::string header_noun(const HeaderMatch& match) {
  return match.name.front() == ':' ? match.name.substr(1) : "header " + match.name;
}

std::string header_words(const HeaderMatch& match) {
  if (match.known == HeaderName::PseudoMethod || match.known == HeaderName::PseudoScheme) {
    return fmt::format("{} {}", match.name.substr(1), match.test.text);
  }
  return fmt::format("{} {}{}", header_noun(match), match.invert ? "not " : "",
                     test_words(match.test));
}

/// What the request has of that header.
std::string seen_words(const HeaderMatch& match, const RequestView& request) {
  switch (match.known) {
    case HeaderName::PseudoMethod:
      return quoted(request.method);
    case HeaderName::PseudoScheme:
      return quoted(request.scheme);
    case HeaderName::PseudoPath:
      return quoted(request.target);
    case HeaderName::PseudoAuthority:
    case HeaderName::Host:
      return quoted(request.authority);
    default:
      break;
  }
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < request.headers.size(); ++i) {
    if (request.headers.name(i) == match.name) lines.push_back(quoted(request.headers.value(i)));
  }
  return lines.empty() ? "absent" : fmt::format("{}", fmt::join(lines, " and "));
}

std::string header_failure(const HeaderMatch& match, const RequestView& request) {
  const std::string seen = seen_words(match, request);
  const bool absent_value = match.invert && seen == "absent";
  // An absent header passes no test of its value, an inverted one neither: often overlooked.
  return fmt::format("{} must {}{}{}, is {}", header_noun(match),
                     absent_value ? "be there and " : "", match.invert ? "not " : "",
                     must_words(match.test), seen);
}

std::string query_words(const QueryMatch& match) {
  return fmt::format("query {} {}", match.name, test_words(match.test));
}

std::string query_failure(const QueryMatch& match, std::string_view target) {
  const QueryMatch present{match.name, {}};
  const bool there = proxy::matches(present, target);
  return fmt::format("query parameter {} must {}, is {}", match.name, must_words(match.test),
                     there ? "another" : "absent");
}

std::string path_failure(const PathMatch& match, std::string_view path) {
  std::string words;
  switch (match.kind) {
    case PathMatch::Kind::Prefix:
      words = fmt::format("path must begin with {}, is {}", match.text, path);
      break;
    case PathMatch::Kind::Exact:
      words = fmt::format("path must be {}, is {}", match.text, path);
      break;
    case PathMatch::Kind::Regex:
      return fmt::format("path must match regex {} as a whole, is {}", match.text, path);
  }
  // What is asked is whether a slight change of the request would do.
  const std::string lower_path = lower_case(path);
  const PathMatch lower{match.kind, lower_case(match.text), nullptr};
  if (proxy::matches(lower, lower_path)) return words + " (case counts)";
  if (proxy::matches(match, std::string(path) + "/")) {
    return words + " (the slash at the end counts)";
  }
  if (path.size() > 1 && path.back() == '/' &&
      proxy::matches(match, path.substr(0, path.size() - 1))) {
    return words + " (the slash at the end counts)";
  }
  return words;
}

std::size_t other_criteria(const Route& route) {
  return route.headers.size() + route.query.size();
}

}  // namespace

std::string path_words(const PathMatch& match) {
  switch (match.kind) {
    case PathMatch::Kind::Prefix:
      return "prefix " + match.text;
    case PathMatch::Kind::Exact:
      return "exact path " + match.text;
    case PathMatch::Kind::Regex:
      return "path regex " + match.text;
  }
  return {};
}

std::string match_words(const Route& route) {
  std::string words = path_words(route.path);
  for (const HeaderMatch& header : route.headers) words += ", " + header_words(header);
  for (const QueryMatch& query : route.query) words += ", " + query_words(query);
  if (route.grpc_only) words += ", gRPC only";
  return words;
}

std::vector<std::string> failed_criteria(const Route& route, const RequestView& request) {
  std::vector<std::string> failed;
  const std::string_view path = proxy::path_of(request.target);
  if (!proxy::matches(route.path, path)) failed.push_back(path_failure(route.path, path));
  for (const HeaderMatch& header : route.headers) {
    if (!proxy::matches(header, request)) failed.push_back(header_failure(header, request));
  }
  for (const QueryMatch& query : route.query) {
    if (!proxy::matches(query, request.target)) {
      failed.push_back(query_failure(query, request.target));
    }
  }
  // What is left is what only the gateway's own function knows.
  if (failed.empty() && !proxy::matches(route, request)) {
    const HeaderMatch content_type{"content-type", HeaderName::ContentType, {}, false};
    failed.push_back("content-type must be application/grpc, is " +
                     seen_words(content_type, request));
  }
  return failed;
}

std::string host_failure(std::string_view pattern, std::string_view authority, std::uint16_t port) {
  std::string words =
      pattern.front() == '*'
          ? fmt::format("host must end with {}, is {}", pattern.substr(1), authority)
          : fmt::format("host must be {}, is {}", pattern, authority);
  const std::string given = lower_case(authority);
  const std::string name = given.substr(0, given.find(':'));
  proxy::RouteTable table;
  table.hosts.push_back({{}, {std::string(pattern)}, {}});
  if (name != given && proxy::find_host(table, name) != nullptr) {
    words += fmt::format(" (the port is compared too: only none or :{} matches)", port);
  } else if (pattern.front() == '*' && pattern.substr(1) == "." + name) {
    words += " (a suffix needs a label before it)";
  }
  return words;
}

std::string order_words(const Route& winner, const Route& loser) {
  const bool winner_prefix = winner.path.kind == PathMatch::Kind::Prefix;
  const bool loser_prefix = loser.path.kind == PathMatch::Kind::Prefix;
  const std::size_t winner_length = winner.path.text.size();
  const std::size_t loser_length = loser.path.text.size();
  const bool more_criteria = other_criteria(loser) > other_criteria(winner);
  const std::string_view unimpressed = more_criteria ? "; more criteria do not count" : "";
  if (winner.priority < loser.priority) {
    std::string words = fmt::format("priority {} is tried after {}: the smaller number comes first",
                                    loser.priority, winner.priority);
    if (winner_prefix && loser_prefix && loser_length > winner_length) {
      words += fmt::format("; priority {} outranks prefix length", winner.priority);
    } else if (winner_prefix && !loser_prefix) {
      words += fmt::format("; priority {} outranks an exact path", winner.priority);
    }
    return words.append(unimpressed);
  }
  if (winner.priority == loser.priority && !winner_prefix && loser_prefix) {
    return fmt::format("same priority, and a prefix is tried after exact and regex paths{}",
                       unimpressed);
  }
  if (winner.priority == loser.priority && winner_prefix && loser_prefix) {
    if (winner_length > loser_length) {
      return fmt::format("same priority, and the longer prefix is tried first: {} before {}{}",
                         winner.path.text, loser.path.text, unimpressed);
    }
    if (winner.path.text == loser.path.text) {
      return fmt::format("same priority and prefix: the one defined first is tried first{}",
                         unimpressed);
    }
  }
  return fmt::format("stands behind it in the order of definition{}", unimpressed);
}

std::string retry_words(const proxy::RetryPolicy& policy) {
  std::vector<std::string> events;
  for (const std::uint16_t status : policy.statuses) events.push_back(std::to_string(status));
  if (policy.on_connect_failure) events.emplace_back("connect failure");
  if (policy.on_refused_stream) events.emplace_back("refused stream");
  if (policy.on_reset) events.emplace_back("reset");
  if (!policy.grpc_statuses.empty()) {
    events.push_back(fmt::format("gRPC status {}", fmt::join(policy.grpc_statuses, " ")));
  }
  if (policy.max_retries == 0) return "none: maxRetries is 0";
  std::string words =
      fmt::format("{} more {}", policy.max_retries, policy.max_retries == 1 ? "try" : "tries");
  if (policy.per_try_timeout > world::Duration::zero()) {
    words += fmt::format(", {} each", duration_text(policy.per_try_timeout));
  }
  words += policy.is_default ? " (the default: AM-RET-01)" : "";
  return words + ", on " + fmt::format("{}", fmt::join(events, ", "));
}

std::string endpoint_words(const proxy::Cluster& cluster) {
  switch (cluster.discovery) {
    case proxy::Cluster::Discovery::Self:
      return "the gateway's second hop";
    case proxy::Cluster::Discovery::LogicalDns:
      return fmt::format("{}:{}, one address at a time", cluster.host_name, cluster.port);
    case proxy::Cluster::Discovery::StrictDns:
      return fmt::format("{}:{}, all addresses", cluster.host_name, cluster.port);
    case proxy::Cluster::Discovery::Static:
      break;
  }
  if (cluster.endpoints.empty()) return "no service discovery, so no endpoint: 503";
  std::vector<std::string> endpoints;
  for (const auto& [host, port] : cluster.endpoints) {
    endpoints.push_back(fmt::format("{}:{}", host, port));
  }
  return fmt::format("{}", fmt::join(endpoints, ", "));
}

}  // namespace conformance
