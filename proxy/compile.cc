#include "proxy/compile.h"

#include <algorithm>
#include <map>
#include <string>

#include <fmt/format.h>
#include <re2/re2.h>

namespace proxy {
namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t kEgressPort = 15001;         // CD-01
constexpr Duration kSelfConnectTimeout = 250ms;      // CD-04, AM-TMO-09
constexpr Duration kNodeConnectTimeout = 1s;         // CD-04, AM-TMO-09
constexpr Duration kDefaultTimeout = 15s;            // AM-TMO-01
constexpr int kDefaultPriority = 1000;               // AM-ORD-03
constexpr std::uint32_t kHostSelectionAttempts = 5;  // CD-06

std::shared_ptr<const re2::RE2> compile_regex(const std::string& text) {
  return std::make_shared<const re2::RE2>(text, re2::RE2::Quiet);
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

HealthCheckPlan::Kind check_kind_of(mesh::Protocol protocol) {
  switch (protocol) {
    case mesh::Protocol::Http:
      return HealthCheckPlan::Kind::Http;
    case mesh::Protocol::Http2:
      return HealthCheckPlan::Kind::Http2;
    case mesh::Protocol::Grpc:
      return HealthCheckPlan::Kind::Grpc;
    case mesh::Protocol::Tcp:
      break;
  }
  return HealthCheckPlan::Kind::Tcp;
}

HeaderMatch header_match(const mesh::HeaderMatch& from) {
  HeaderMatch match;
  match.name = lower_case(from.name);
  match.known = wire::lookup_header(match.name);
  match.invert = from.invert;
  if (!from.match) return match;  // present
  const mesh::TextMatch& test = *from.match;
  match.test.text = test.text;
  switch (test.kind) {
    case mesh::TextMatch::Kind::Exact:
      match.test.kind = TextMatch::Kind::Exact;
      break;
    case mesh::TextMatch::Kind::Prefix:
      match.test.kind = TextMatch::Kind::Prefix;
      break;
    case mesh::TextMatch::Kind::Suffix:
      match.test.kind = TextMatch::Kind::Suffix;
      break;
    case mesh::TextMatch::Kind::Regex:
      match.test.kind = TextMatch::Kind::Regex;
      match.test.regex = compile_regex(test.text);
      break;
    case mesh::TextMatch::Kind::Range:
      match.test.kind = TextMatch::Kind::Range;
      match.test.range_start = test.start;
      match.test.range_end = test.end;
      break;
  }
  return match;
}

HeaderMatch pseudo_match(wire::HeaderName name, std::string value) {
  HeaderMatch match;
  match.name = std::string(wire::text_of(name));
  match.known = name;
  match.test.kind = TextMatch::Kind::Exact;
  match.test.text = std::move(value);
  return match;
}

/// Everything of a match but its host and port.
void take_match(Route& route, const mesh::RouteMatch& match, mesh::RouteKind kind) {
  if (kind == mesh::RouteKind::Grpc) {
    route.grpc_only = true;
    route.path.text = "/";
    if (match.grpc_service) route.path.text += *match.grpc_service + "/";
    if (match.grpc_service && match.grpc_method) {
      route.path.kind = PathMatch::Kind::Exact;
      route.path.text += *match.grpc_method;
    }
    if (match.path) route.path.text = match.path->text;
  } else if (match.path) {
    route.path.text = match.path->text;
    switch (match.path->kind) {
      case mesh::PathMatch::Kind::Prefix:
        route.path.kind = PathMatch::Kind::Prefix;
        break;
      case mesh::PathMatch::Kind::Exact:
        route.path.kind = PathMatch::Kind::Exact;
        break;
      case mesh::PathMatch::Kind::Regex:
        route.path.kind = PathMatch::Kind::Regex;
        route.path.regex = compile_regex(match.path->text);
        break;
    }
  } else {
    route.path.text = "/";
  }
  if (match.method) {
    route.headers.push_back(pseudo_match(wire::HeaderName::PseudoMethod, *match.method));
  }
  if (match.scheme) {
    route.headers.push_back(pseudo_match(wire::HeaderName::PseudoScheme, *match.scheme));
  }
  for (const mesh::HeaderMatch& header : match.headers) {
    route.headers.push_back(header_match(header));
  }
  for (const mesh::QueryMatch& query : match.query) {
    QueryMatch taken;
    taken.name = query.name;
    if (query.exact) {
      taken.test.kind = TextMatch::Kind::Exact;
      taken.test.text = *query.exact;
    }
    route.query.push_back(std::move(taken));
  }
}

/// Priority, then exact and regex paths before prefixes, then longer before shorter, then the
/// alphabet, then the order of definition. Source: AM-ORD-01 to -05, ENV-HTTP-05, CD-07.
void sort_routes(std::vector<Route>& routes) {
  std::stable_sort(routes.begin(), routes.end(), [](const Route& a, const Route& b) {
    if (a.priority != b.priority) return a.priority < b.priority;
    const bool a_prefix = a.path.kind == PathMatch::Kind::Prefix;
    const bool b_prefix = b.path.kind == PathMatch::Kind::Prefix;
    if (a_prefix != b_prefix) return b_prefix;
    if (!a_prefix) return false;
    if (a.path.text.size() != b.path.text.size()) {
      return a.path.text.size() > b.path.text.size();
    }
    return a.path.text < b.path.text;
  });
}

/// Source: AM-RET-01, ENV-HTTP-04, -80.
RetryPolicy default_retry() {
  RetryPolicy policy;
  policy.max_retries = 2;
  policy.on_connect_failure = true;
  policy.on_refused_stream = true;
  policy.statuses = {503};
  policy.grpc_statuses = {14};
  policy.previous_hosts = true;
  policy.host_selection_attempts = kHostSelectionAttempts;
  policy.is_default = true;
  return policy;
}

/// An explicit policy replaces the default one. Source: AM-RET-02, ENV-HTTP-04, -82.
RetryPolicy retry_policy(const mesh::RetryPolicy& from) {
  static const std::map<std::string_view, std::set<std::uint16_t>> kStatuses = {
      {"server-error", {500, 501, 502, 503, 504, 505, 506, 507, 508, 510, 511}},
      {"gateway-error", {502, 503, 504}},
      {"client-error", {409}},
  };
  static const std::map<std::string_view, int> kGrpcStatuses = {{"cancelled", 1},
                                                                {"deadline-exceeded", 4},
                                                                {"resource-exhausted", 8},
                                                                {"internal", 13},
                                                                {"unavailable", 14}};
  RetryPolicy policy;
  policy.max_retries = static_cast<std::uint32_t>(
      std::min<std::int64_t>(from.max_retries, std::numeric_limits<std::uint32_t>::max()));
  policy.per_try_timeout = from.per_retry_timeout;
  policy.on_connect_failure = from.connection_error;
  for (const std::string& event : from.http_events) {
    if (event == "stream-error") policy.on_refused_stream = true;
    if (event == "server-error" || event == "gateway-error") policy.on_reset = true;
    if (const auto found = kStatuses.find(event); found != kStatuses.end()) {
      policy.statuses.insert(found->second.begin(), found->second.end());
    }
  }
  for (const std::string& event : from.grpc_events) {
    if (const auto found = kGrpcStatuses.find(event); found != kGrpcStatuses.end()) {
      policy.grpc_statuses.insert(found->second);
    }
  }
  policy.previous_hosts = true;
  policy.host_selection_attempts = kHostSelectionAttempts;
  return policy;
}

Protocol protocol_of(mesh::Protocol protocol) {
  return protocol == mesh::Protocol::Http2 || protocol == mesh::Protocol::Grpc ? Protocol::Http2
                                                                               : Protocol::Http1;
}

SecretName secret_name(const mesh::Certificate& from) {
  switch (from.source) {
    case mesh::TlsSource::Acm:
      return {.kind = SecretName::Kind::Acm, .name = from.arn, .key = {}, .others = {}};
    case mesh::TlsSource::Sds:
      return {.kind = SecretName::Kind::Sds, .name = from.secret, .key = {}, .others = {}};
    case mesh::TlsSource::File:
      break;
  }
  return {
      .kind = SecretName::Kind::File, .name = from.chain, .key = from.private_key, .others = {}};
}

SecretName secret_name(const mesh::Trust& from) {
  switch (from.source) {
    case mesh::TlsSource::Acm: {
      SecretName name{.kind = SecretName::Kind::Acm,
                      .name = from.authority_arns.front(),
                      .key = {},
                      .others = {}};
      name.others.assign(from.authority_arns.begin() + 1, from.authority_arns.end());
      return name;
    }
    case mesh::TlsSource::Sds:
      return {.kind = SecretName::Kind::Sds, .name = from.secret, .key = {}, .others = {}};
    case mesh::TlsSource::File:
      break;
  }
  return {.kind = SecretName::Kind::File, .name = from.chain, .key = {}, .others = {}};
}

std::vector<wire::tls::SubjectName> subject_names(const std::vector<std::string>& from) {
  using wire::tls::SubjectName;
  std::vector<SubjectName> names;
  for (const std::string& name : from) {
    const bool uri = name.find("://") != std::string::npos;
    names.push_back({uri ? SubjectName::Kind::Uri : SubjectName::Kind::Dns, name});
  }
  return names;
}

/// The name that an endpoint's certificate must have unless the client says otherwise: its
/// host name or `<service>.<namespace>`; none of a fixed list. Source: AM-TLS-04, AM-TLS-07.
std::vector<std::string> discovery_names(const mesh::VirtualNode* node) {
  if (node == nullptr || !node->discovery) return {};
  const mesh::Discovery& discovery = *node->discovery;
  switch (discovery.kind) {
    case mesh::Discovery::Kind::Dns:
      return {discovery.hostname};
    case mesh::Discovery::Kind::CloudMap:
      return {discovery.service_name + "." + discovery.namespace_name};
    case mesh::Discovery::Kind::Static:
      break;
  }
  return {};
}

/// Towards a node by a policy that applies to it. Source: AM-TLS-05, AM-TLS-07, AM-MTL-02.
TlsPlan tls_by_policy(const mesh::ClientTls& policy, const mesh::VirtualNode* node) {
  TlsPlan plan;
  plan.settings = wire::tls::Settings::of_proxy(wire::tls::Role::Client);
  if (policy.certificate) plan.certificates.push_back(secret_name(*policy.certificate));
  plan.trust = secret_name(policy.validation.trust);
  plan.settings.names =
      subject_names(policy.validation.subject_names.value_or(discovery_names(node)));
  return plan;
}

class Compiler {
 public:
  Compiler(const mesh::Mesh& mesh, const mesh::VirtualGateway& gateway,
           const CompileOptions& options)
      : mesh_(mesh), gateway_(gateway), options_(options) {}

  std::shared_ptr<const GatewayPlan> compile() {
    auto plan = std::make_shared<GatewayPlan>();
    plan->mesh = mesh_.name;
    plan->gateway = gateway_.name;
    for (const mesh::Listener& listener : gateway_.listeners) {
      plan->ingress.push_back(ingress(listener));
    }
    if (!options_.single_hop) plan->egress = egress();
    return plan;
  }

 private:
  std::optional<AccessLogPlan> access_log() const {
    if (!gateway_.access_log) return std::nullopt;
    const mesh::AccessLog& from = *gateway_.access_log;
    AccessLogPlan log;
    log.path = from.path;
    log.text = from.text;
    log.json = from.json;
    switch (from.format) {
      case mesh::AccessLog::Format::Default:
        log.kind = AccessLogPlan::Kind::Default;
        break;
      case mesh::AccessLog::Format::Text:
        log.kind = AccessLogPlan::Kind::Text;
        break;
      case mesh::AccessLog::Format::Json:
        log.kind = AccessLogPlan::Kind::Json;
        break;
    }
    return log;
  }

  // --- First hop ---

  HopPlan ingress(const mesh::Listener& listener) {
    HopPlan hop;
    hop.role = HopPlan::Role::Ingress;
    hop.name = "ingress";
    hop.port = listener.port_mapping.port;
    hop.accept_http1 = protocol_of(listener.port_mapping.protocol) == Protocol::Http1;
    hop.access_log = access_log();
    if (listener.has_tls()) {
      hop.tls_mode = listener.tls->mode == mesh::TlsMode::Strict ? HopPlan::TlsMode::Strict
                                                                 : HopPlan::TlsMode::Permissive;
      hop.tls = listener_tls(listener);
    }
    if (!options_.single_hop) hop.clusters.push_back(self_redirect(listener));

    // One virtual host for each host pattern, in order of first use; then the one for the rest.
    std::map<std::string, std::size_t> index;
    std::vector<VirtualHost>& hosts = hop.routes.hosts;
    for (const mesh::GatewayRoute* route : mesh_.routes_of_gateway(gateway_.name)) {
      if (route->match.port && *route->match.port != hop.port) continue;
      const std::string pattern = host_pattern(route->match);
      const auto [found, added] = index.try_emplace(pattern, hosts.size());
      if (added) hosts.push_back(virtual_host(pattern, hop.port));
      append_entries(hosts[found->second].routes, *route, hop);
    }
    for (VirtualHost& host : hosts) sort_routes(host.routes);
    return hop;
  }

  static std::string host_pattern(const mesh::RouteMatch& match) {
    if (!match.hostname) return "*";
    const std::string name = lower_case(match.hostname->text);
    return match.hostname->kind == mesh::HostnameMatch::Kind::Suffix ? "*" + name : name;
  }

  static VirtualHost virtual_host(const std::string& pattern, std::uint16_t port) {
    VirtualHost host;
    host.name = pattern == "*" ? "self_redirect" : pattern;
    host.domains.push_back(pattern);
    if (pattern != "*") host.domains.push_back(fmt::format("{}:{}", pattern, port));
    return host;
  }

  Cluster self_redirect(const mesh::Listener& listener) const {
    Cluster cluster;
    const std::string several =
        gateway_.listeners.size() > 1 ? fmt::format("{}_", listener.port_mapping.port) : "";
    cluster.protocol = protocol_of(listener.port_mapping.protocol);
    cluster.name = fmt::format("cds_ingress_{}_{}_self_redirect_{}{}_{}", mesh_.name, gateway_.name,
                               several, mesh::text(listener.port_mapping.protocol), kEgressPort);
    cluster.connect_timeout = kSelfConnectTimeout;
    cluster.discovery = Cluster::Discovery::Self;
    cluster.port = kEgressPort;
    cluster.limits = default_limits();
    if (listener.pool) {
      const auto set = [](std::uint32_t& limit, const std::optional<std::uint32_t>& given) {
        if (given) limit = *given;
      };
      set(cluster.limits.max_connections, listener.pool->max_connections);
      set(cluster.limits.max_pending_requests, listener.pool->max_pending_requests);
      set(cluster.limits.max_requests, listener.pool->max_requests);
      // Not given is unlimited, whatever the account (CP-06).
      if (listener.pool->max_connections && !listener.pool->max_pending_requests) {
        cluster.limits.max_pending_requests = Limits::kUnlimited;
      }
    }
    return cluster;
  }

  Limits default_limits() const { return mesh_.old_account ? Limits::of_old_accounts() : Limits{}; }

  /// Source: AM-RET-01.
  std::optional<RetryPolicy> account_retry() const {
    if (mesh_.old_account) return std::nullopt;
    return default_retry();
  }

  /// The entries of one gateway route. Source: CD-05, AM-REW-03 to -10.
  void append_entries(std::vector<Route>& routes, const mesh::GatewayRoute& from, HopPlan& hop) {
    Route route;
    route.name = from.name;
    route.resource = "gatewayRoute " + from.name;
    route.priority = from.priority.value_or(kDefaultPriority);
    take_match(route, from.match, from.kind);
    if (from.rewrite.default_target_hostname) {
      route.host_rewrite = from.virtual_service;
    } else {
      route.virtual_service_header = from.virtual_service;
    }
    if (from.rewrite.path_exact) route.path_rewrite = from.rewrite.path_exact;

    const bool by_prefix = from.kind != mesh::RouteKind::Grpc && from.match.path &&
                           from.match.path->kind == mesh::PathMatch::Kind::Prefix;
    const std::string prefix = route.path.text;
    if (by_prefix && !from.rewrite.path_exact) {
      route.prefix_rewrite = "/";
      if (from.rewrite.prefix_value) route.prefix_rewrite = from.rewrite.prefix_value;
      if (!from.rewrite.default_prefix) route.prefix_rewrite = prefix;
    }
    const bool default_rewrite = by_prefix && from.rewrite.default_prefix &&
                                 !from.rewrite.prefix_value && !from.rewrite.path_exact;

    std::vector<Route> entries;
    if (options_.single_hop) {
      entries = direct_entries(route, from, hop);
    } else {
      route.clusters = {{0, 1}};
      route.timeout = computed_timeout(from.virtual_service);
      if (options_.ingress_idle_timeout) route.idle_timeout = first_idle(from.virtual_service);
      entries.push_back(route);
    }
    for (Route& entry : entries) {
      // Without a trailing slash the default rewrite takes two entries: see AM-REW-09.
      if (default_rewrite && prefix.back() != '/') {
        Route with_slash = entry;
        with_slash.path.text += '/';
        routes.push_back(std::move(with_slash));
      }
      routes.push_back(std::move(entry));
    }
  }

  /// Of the flattened form: the gateway route and the service's routes in one.
  std::vector<Route> direct_entries(const Route& base, const mesh::GatewayRoute& from,
                                    HopPlan& hop) {
    std::vector<Route> entries;
    for (const Route& inner : service_routes(from.virtual_service, hop.clusters)) {
      Route entry = base;
      entry.timeout = inner.timeout;
      entry.idle_timeout = inner.idle_timeout;
      entry.retry = inner.retry;
      entry.clusters = inner.clusters;
      // What the service's route asks of headers and the query is asked here; its path cannot be,
      // as it would have to match the path after the rewrite.
      entry.headers.insert(entry.headers.end(), inner.headers.begin(), inner.headers.end());
      entry.query.insert(entry.query.end(), inner.query.begin(), inner.query.end());
      entries.push_back(std::move(entry));
    }
    return entries;
  }

  /// The largest of the service's routes; absent without routes. Source: AM-TMO-02, AM-TMO-03.
  std::optional<Duration> computed_timeout(const std::string& service) const {
    const auto routes = routes_of(service);
    std::optional<Duration> largest;
    for (const mesh::Route* route : routes) {
      const Duration timeout = route->timeouts.per_request.value_or(kDefaultTimeout);
      if (timeout == Duration::zero()) return timeout;  // none at all
      largest = std::max(largest.value_or(timeout), timeout);
    }
    return largest;
  }

  std::optional<Duration> first_idle(const std::string& service) const {
    const auto routes = routes_of(service);
    return routes.empty() ? std::nullopt : routes.front()->timeouts.idle;
  }

  std::vector<const mesh::Route*> routes_of(const std::string& service) const {
    const mesh::VirtualService* found = mesh_.service(service);
    if (found == nullptr || !found->provider ||
        found->provider->kind != mesh::Provider::Kind::Router) {
      return {};
    }
    return mesh_.routes_of_router(found->provider->name);
  }

  // --- Second hop ---

  HopPlan egress() {
    HopPlan hop;
    hop.role = HopPlan::Role::Egress;
    hop.name = "egress";
    hop.port = kEgressPort;
    hop.access_log = access_log();
    for (const mesh::VirtualService& service : mesh_.services) {
      VirtualHost host;
      host.name = service.name;
      const std::string name = lower_case(service.name);
      host.domains = {name, fmt::format("{}:{}", name, kEgressPort)};
      host.routes = service_routes(service.name, hop.clusters);
      hop.routes.hosts.push_back(std::move(host));
    }
    // For requests that kept their host: the first hop names the service in a header (CD-06).
    VirtualHost rest;
    rest.name = "default_backend";
    rest.domains = {"*"};
    std::set<std::string> named;
    for (const mesh::GatewayRoute* route : mesh_.routes_of_gateway(gateway_.name)) {
      if (route->rewrite.default_target_hostname) continue;
      if (!named.insert(route->virtual_service).second) continue;
      for (Route& entry : service_routes(route->virtual_service, hop.clusters)) {
        entry.remove_virtual_service_header = true;
        HeaderMatch header;
        header.known = wire::HeaderName::MeshVirtualService;
        header.name = std::string(wire::text_of(header.known));
        header.test.kind = TextMatch::Kind::Exact;
        header.test.text = route->virtual_service;
        entry.headers.push_back(std::move(header));
        rest.routes.push_back(std::move(entry));
      }
    }
    hop.routes.hosts.push_back(std::move(rest));
    return hop;
  }

  /// The routes of a virtual service, in order: its router's, or the one to its node.
  std::vector<Route> service_routes(const std::string& name, std::vector<Cluster>& clusters) {
    std::vector<Route> routes;
    const mesh::VirtualService* service = mesh_.service(name);
    if (service == nullptr || !service->provider) return routes;
    const mesh::Provider& provider = *service->provider;
    if (provider.kind == mesh::Provider::Kind::Node) {
      Route route;
      route.resource = "virtualNode " + provider.name;
      route.path.text = "/";
      route.retry = account_retry();
      route.clusters = {{cluster_of(provider.name, std::nullopt, clusters), 1}};
      routes.push_back(std::move(route));
      return routes;
    }
    for (const mesh::Route* from : mesh_.routes_of_router(provider.name)) {
      if (from->kind == mesh::RouteKind::Tcp) continue;  // a gateway has no tcp (AM-SHP-N3)
      Route route;
      route.resource = fmt::format("route {} of virtualRouter {}", from->name, provider.name);
      route.priority = from->priority.value_or(kDefaultPriority);
      take_match(route, from->match, from->kind);
      route.timeout = from->timeouts.per_request.value_or(kDefaultTimeout);
      route.idle_timeout = from->timeouts.idle;
      route.retry = from->retry ? retry_policy(*from->retry) : account_retry();
      std::uint32_t total = 0;
      for (const mesh::WeightedTarget& target : from->targets) {
        const auto weight = static_cast<std::uint32_t>(target.weight);
        total += weight;
        route.clusters.push_back({cluster_of(target.node, target.port, clusters), weight});
      }
      if (total == 0) route.clusters.clear();
      routes.push_back(std::move(route));
    }
    sort_routes(routes);
    return routes;
  }

  /// Source: CD-04, AM-STA-02, AM-OUT-02.
  std::size_t cluster_of(const std::string& node_name, std::optional<std::uint16_t> port,
                         std::vector<Cluster>& clusters) {
    const mesh::VirtualNode* node = mesh_.node(node_name);
    const mesh::Listener* listener = nullptr;
    if (node != nullptr) {
      for (const mesh::Listener& candidate : node->listeners) {
        if (!port || candidate.port_mapping.port == *port) {
          listener = &candidate;
          break;
        }
      }
    }
    Cluster cluster;
    cluster.node = node_name;
    cluster.connect_timeout = kNodeConnectTimeout;
    cluster.limits = default_limits();
    const mesh::Protocol protocol =
        listener != nullptr ? listener->port_mapping.protocol : mesh::Protocol::Http;
    cluster.port = listener != nullptr ? listener->port_mapping.port : port.value_or(0);
    cluster.protocol = protocol_of(protocol);
    cluster.name = fmt::format("cds_egress_{}_{}_{}_{}", mesh_.name, node_name,
                               mesh::text(protocol), cluster.port);
    for (std::size_t i = 0; i < clusters.size(); ++i) {
      if (clusters[i].name == cluster.name) return i;
    }
    cluster.discovery = Cluster::Discovery::Static;  // without discovery: no endpoint
    if (node != nullptr && node->discovery && listener != nullptr) {
      const mesh::Discovery& discovery = *node->discovery;
      switch (discovery.kind) {
        case mesh::Discovery::Kind::Dns:
          cluster.discovery =
              discovery.endpoints ? Cluster::Discovery::StrictDns : Cluster::Discovery::LogicalDns;
          cluster.host_name = discovery.hostname;
          break;
        case mesh::Discovery::Kind::CloudMap:
          cluster.discovery = Cluster::Discovery::StrictDns;
          cluster.host_name = cloud_map_name(discovery);
          break;
        case mesh::Discovery::Kind::Static:
          for (const std::string& upstream : discovery.upstreams) {
            cluster.endpoints.emplace_back(upstream, cluster.port);
          }
          break;
      }
    }
    if (listener != nullptr) take_health(cluster, *listener);
    if (applies(gateway_.client_tls, cluster.port)) {
      cluster.tls = tls_by_policy(*gateway_.client_tls, node);
    } else if (listener != nullptr) {
      cluster.tls = tls_without_policy(*listener);
    }
    clusters.push_back(std::move(cluster));
    return clusters.size() - 1;
  }

  /// Source: AM-TLS-05, AM-TLS-09.
  static bool applies(const std::optional<mesh::ClientTls>& policy, std::uint16_t port) {
    if (!policy || !policy->enforce) return false;
    return policy->ports.empty() ||
           std::find(policy->ports.begin(), policy->ports.end(), port) != policy->ports.end();
  }

  /// How a node's listener wants its endpoints to be checked. Source: AM-HC-02, AM-OUT-01.
  static void take_health(Cluster& cluster, const mesh::Listener& listener) {
    if (listener.health_check) {
      cluster.health_check = check_plan(*listener.health_check, HealthCheckPlan::Rules::Proxy);
    }
    if (listener.outlier_detection) {
      const mesh::OutlierDetection& from = *listener.outlier_detection;
      OutlierPlan& outlier = cluster.outlier.emplace();
      outlier.consecutive_5xx = static_cast<std::uint32_t>(
          std::min<std::int64_t>(from.max_server_errors, Limits::kUnlimited));
      outlier.interval = from.interval;
      outlier.base_ejection_time = from.base_ejection;
      outlier.max_ejection_percent = from.max_ejection_percent;
      outlier.always_eject_one = true;
    }
  }

  const mesh::Mesh& mesh_;
  const mesh::VirtualGateway& gateway_;
  const CompileOptions& options_;
};

}  // namespace

std::string cloud_map_name(const mesh::Discovery& discovery) {
  std::string name = discovery.service_name + "." + discovery.namespace_name;
  auto attributes = discovery.attributes;
  std::sort(attributes.begin(), attributes.end());
  for (const auto& [key, value] : attributes) name += ";" + key + "=" + value;
  return name;
}

TlsPlan listener_tls(const mesh::Listener& listener) {
  const mesh::ListenerTls& from = *listener.tls;
  TlsPlan plan;
  plan.settings = wire::tls::Settings::of_proxy(wire::tls::Role::Server);
  if (protocol_of(listener.port_mapping.protocol) == Protocol::Http2) plan.settings.alpn = {"h2"};
  plan.certificates.push_back(secret_name(from.certificate));
  if (from.validation) {
    plan.trust = secret_name(from.validation->trust);
    plan.settings.require_certificate = true;
    if (from.validation->subject_names) {
      plan.settings.names = subject_names(*from.validation->subject_names);
    }
  }
  return plan;
}

/// A certificate of ACM is held against its own root; one from a file is not looked at, nor is one
/// by SDS, of which nothing is known.
std::optional<TlsPlan> tls_without_policy(const mesh::Listener& listener) {
  if (!listener.has_tls()) return std::nullopt;
  TlsPlan plan;
  plan.settings = wire::tls::Settings::of_proxy(wire::tls::Role::Client);
  const mesh::Certificate& certificate = listener.tls->certificate;
  if (certificate.source == mesh::TlsSource::Acm) plan.trust = secret_name(certificate);
  return plan;
}

HealthCheckPlan check_plan(const mesh::HealthCheck& from, HealthCheckPlan::Rules rules) {
  HealthCheckPlan plan;
  plan.kind = check_kind_of(from.protocol);
  plan.rules = rules;
  plan.interval = from.interval;
  plan.timeout = from.timeout;
  plan.healthy_threshold = from.healthy_threshold;
  plan.unhealthy_threshold = from.unhealthy_threshold;
  plan.path = from.path.value_or("/");
  plan.port = from.port;
  return plan;
}

world::Result<std::shared_ptr<const GatewayPlan>> compile(const mesh::Mesh& mesh,
                                                          std::string_view gateway,
                                                          const CompileOptions& options) {
  const mesh::VirtualGateway* found = mesh.gateway(gateway);
  if (found == nullptr) {
    return world::Error{
        {}, fmt::format("there is no virtual gateway {} in mesh {}", gateway, mesh.name)};
  }
  return Compiler(mesh, *found, options).compile();
}

}  // namespace proxy
