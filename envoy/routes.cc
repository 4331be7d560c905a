#include "envoy/routes.h"

#include <array>
#include <string>
#include <utility>

namespace envoy {
namespace {

using proxy::PathMatch;
using proxy::RetryPolicy;
using proxy::Route;
using proxy::TextMatch;

/// No cluster has this name: a request that is to go nowhere is answered 503, as by App Mesh where
/// all weights are 0.
constexpr const char* kNoTarget = "no_target_has_a_weight";

Json string_match(const TextMatch& test) {
  switch (test.kind) {
    case TextMatch::Kind::Prefix:
      return {{"prefix", test.text}};
    case TextMatch::Kind::Suffix:
      return {{"suffix", test.text}};
    case TextMatch::Kind::Regex:
      return {{"safe_regex", {{"regex", test.text}}}};
    case TextMatch::Kind::Present:
    case TextMatch::Kind::Exact:
    case TextMatch::Kind::Range:
      break;
  }
  return {{"exact", test.text}};
}

Json header_match(const proxy::HeaderMatch& from) {
  Json out = {{"name", from.name}};
  const TextMatch& test = from.test;
  if (test.kind == TextMatch::Kind::Present) {
    out["present_match"] = true;
  } else if (test.kind == TextMatch::Kind::Range) {
    out["range_match"] = {{"start", test.range_start}, {"end", test.range_end}};
  } else {
    out["string_match"] = string_match(test);
  }
  if (from.invert) out["invert_match"] = true;
  return out;
}

Json query_match(const proxy::QueryMatch& from) {
  Json out = {{"name", from.name}};
  if (from.test.kind == TextMatch::Kind::Present) {
    out["present_match"] = true;
  } else {
    out["string_match"] = string_match(from.test);
  }
  return out;
}

Json route_match(const Route& route) {
  Json out;
  switch (route.path.kind) {
    case PathMatch::Kind::Prefix:
      out["prefix"] = route.path.text;
      break;
    case PathMatch::Kind::Exact:
      out["path"] = route.path.text;
      break;
    case PathMatch::Kind::Regex:
      out["safe_regex"] = {{"regex", route.path.text}};
      break;
  }
  for (const auto& header : route.headers) out["headers"].push_back(header_match(header));
  for (const auto& query : route.query) out["query_parameters"].push_back(query_match(query));
  if (route.grpc_only) out["grpc"] = Json::object();
  return out;
}

/// "connect-failure,retriable-status-codes"
std::string retry_on(const RetryPolicy& policy) {
  static constexpr std::array<std::pair<int, const char*>, 5> kGrpc = {{{1, "cancelled"},
                                                                        {4, "deadline-exceeded"},
                                                                        {8, "resource-exhausted"},
                                                                        {13, "internal"},
                                                                        {14, "unavailable"}}};
  std::string out;
  const auto add = [&out](bool wanted, const char* event) {
    if (wanted) out += (out.empty() ? "" : ",") + std::string(event);
  };
  for (const auto& [status, event] : kGrpc) add(policy.grpc_statuses.contains(status), event);
  add(policy.on_connect_failure, "connect-failure");
  add(policy.on_refused_stream, "refused-stream");
  add(policy.on_reset, "reset");
  add(!policy.statuses.empty(), "retriable-status-codes");
  return out;
}

Json retry_policy(const RetryPolicy& policy) {
  Json out = {{"retry_on", retry_on(policy)}, {"num_retries", policy.max_retries}};
  if (policy.per_try_timeout > world::Duration::zero()) {
    out["per_try_timeout"] = text_of(policy.per_try_timeout);
  }
  if (!policy.statuses.empty()) out["retriable_status_codes"] = policy.statuses;
  out["retry_back_off"] = {{"base_interval", text_of(policy.backoff_base)},
                           {"max_interval", text_of(policy.backoff_most)}};
  if (policy.previous_hosts) {
    out["retry_host_predicate"] = Json::array(
        {extension("envoy.retry_host_predicates.previous_hosts",
                   "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate")});
  }
  out["host_selection_retry_max_attempts"] = policy.host_selection_attempts;
  return out;
}

void set_target(Json& action, const Route& route, const proxy::HopPlan& hop) {
  const auto name = [&](const proxy::WeightedCluster& to) { return hop.clusters[to.cluster].name; };
  if (route.clusters.empty()) {
    action["cluster"] = kNoTarget;
  } else if (route.clusters.size() == 1) {
    action["cluster"] = name(route.clusters.front());
  } else {
    Json& clusters = action["weighted_clusters"]["clusters"];
    for (const proxy::WeightedCluster& to : route.clusters) {
      clusters.push_back({{"name", name(to)}, {"weight", to.weight}});
    }
  }
}

/// The whole path becomes another one; the query stays.
Json whole_path(const std::string& path) {
  std::string substitution;
  for (const char c : path) substitution.append(c == '\\' ? 2 : 1, c);
  return {{"pattern", {{"regex", "^/.*$"}}}, {"substitution", substitution}};
}

Json route_action(const Route& route, const proxy::HopPlan& hop) {
  Json out;
  set_target(out, route, hop);
  if (route.prefix_rewrite) out["prefix_rewrite"] = *route.prefix_rewrite;
  if (route.path_rewrite) out["regex_rewrite"] = whole_path(*route.path_rewrite);
  if (route.host_rewrite) out["host_rewrite_literal"] = *route.host_rewrite;
  if (route.timeout) out["timeout"] = text_of(*route.timeout);
  if (route.idle_timeout) out["idle_timeout"] = text_of(*route.idle_timeout);
  if (route.retry && route.retry->max_retries > 0) out["retry_policy"] = retry_policy(*route.retry);
  return out;
}

Json entry(const Route& route, const proxy::HopPlan& hop) {
  const std::string_view header = wire::text_of(wire::HeaderName::MeshVirtualService);
  Json out;
  if (!route.name.empty()) out["name"] = route.name;
  out["match"] = route_match(route);
  out["route"] = route_action(route, hop);
  if (route.virtual_service_header) {
    out["request_headers_to_add"].push_back(
        {{"header", {{"key", header}, {"value", without_operators(*route.virtual_service_header)}}},
         {"append_action", "APPEND_IF_EXISTS_OR_ADD"}});
  }
  if (route.remove_virtual_service_header) out["response_headers_to_remove"].push_back(header);
  return out;
}

}  // namespace

Json route_configuration(std::string_view name, const proxy::HopPlan& hop) {
  Json hosts = Json::array();
  bool all_lead_somewhere = true;
  for (const proxy::VirtualHost& from : hop.routes.hosts) {
    Json host = {{"name", from.name}, {"domains", from.domains}, {"routes", Json::array()}};
    for (const Route& route : from.routes) {
      host["routes"].push_back(entry(route, hop));
      all_lead_somewhere = all_lead_somewhere && !route.clusters.empty();
    }
    hosts.push_back(std::move(host));
  }
  Json out = {{"name", name}, {"virtual_hosts", std::move(hosts)}};
  if (!all_lead_somewhere) out["validate_clusters"] = false;
  return out;
}

}  // namespace envoy
