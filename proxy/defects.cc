#include "proxy/defects.h"

#include <algorithm>
#include <array>
#include <utility>

#include <re2/re2.h>

namespace proxy {
namespace {

using namespace std::chrono_literals;
using Plan = GatewayPlan;

// --- What a defect is of ---

template <class F>
void each_ingress(Plan& plan, F&& change) {
  for (HopPlan& hop : plan.ingress) change(hop);
}

template <class F>
void each_hop(Plan& plan, F&& change) {
  each_ingress(plan, change);
  if (plan.egress) change(*plan.egress);
}

template <class F>
void each_route_of(HopPlan& hop, F&& change) {
  for (VirtualHost& host : hop.routes.hosts) {
    for (Route& route : host.routes) change(route);
  }
}

/// The gateway routes.
template <class F>
void each_first(Plan& plan, F&& change) {
  each_ingress(plan, [&](HopPlan& hop) { each_route_of(hop, change); });
}

/// The services' routes.
template <class F>
void each_second(Plan& plan, F&& change) {
  if (plan.egress) each_route_of(*plan.egress, change);
}

template <class F>
void each_host(Plan& plan, F&& change) {
  each_ingress(plan, [&](HopPlan& hop) {
    for (VirtualHost& host : hop.routes.hosts) change(host);
  });
}

/// The limits of the way to the second hop.
template <class F>
void each_pool(Plan& plan, F&& change) {
  each_ingress(plan, [&](HopPlan& hop) {
    for (Cluster& cluster : hop.clusters) change(cluster.limits);
  });
}

/// The clusters of virtual nodes.
template <class F>
void each_node(Plan& plan, F&& change) {
  if (!plan.egress) return;
  for (Cluster& cluster : plan.egress->clusters) change(cluster);
}

template <class F>
void each_listener_tls(Plan& plan, F&& change) {
  each_ingress(plan, [&](HopPlan& hop) {
    if (hop.tls) change(*hop.tls);
  });
}

template <class F>
void each_node_tls(Plan& plan, F&& change) {
  each_node(plan, [&](Cluster& cluster) {
    if (cluster.tls) change(*cluster.tls);
  });
}

template <class F>
void each_retry(Plan& plan, F&& change) {
  each_second(plan, [&](Route& route) {
    if (route.retry) change(*route.retry);
  });
}

// --- Parts of defects ---

void match_by(Route& route, const std::string& regex) {
  route.path.kind = PathMatch::Kind::Regex;
  route.path.text = regex;
  route.path.regex = std::make_shared<const re2::RE2>(regex);
}

void order(VirtualHost& host, bool (*before)(const Route&, const Route&)) {
  std::stable_sort(host.routes.begin(), host.routes.end(), before);
}

void drop_header(Route& route, bool of_method) {
  std::erase_if(route.headers,
                [&](const HeaderMatch& one) { return (one.name == ":method") == of_method; });
}

void add_one(std::uint32_t& limit) {
  if (limit != Limits::kUnlimited) ++limit;
}

bool ends_with_slash(const Route& route) {
  return route.path.kind == PathMatch::Kind::Prefix && route.path.text.size() > 1 &&
         route.path.text.back() == '/';
}

bool is_host_pattern(const VirtualHost& host) {
  return host.domains.front() != "*";
}

void take_routes_of_the_rest(HopPlan& hop) {
  std::vector<Route> rest;
  for (const VirtualHost& host : hop.routes.hosts) {
    if (!is_host_pattern(host)) rest = host.routes;
  }
  for (VirtualHost& host : hop.routes.hosts) {
    if (is_host_pattern(host)) host.routes.insert(host.routes.end(), rest.begin(), rest.end());
  }
}

/// One more route that takes everything that no other one does.
void take_the_rest(VirtualHost& host) {
  if (host.routes.empty()) return;
  Route all = host.routes.back();
  all.path = {.kind = PathMatch::Kind::Prefix, .text = "/", .regex = nullptr};
  all.headers.clear();
  all.query.clear();
  host.routes.push_back(std::move(all));
}

constexpr auto kDefects = std::to_array<Defect>({
    {"route/last-is-lost", "RT-01", "the last gateway route of each host is not there",
     [](Plan& plan) {
       each_host(plan, [](VirtualHost& host) {
         if (host.routes.empty()) return;
         std::erase_if(host.routes, [name = host.routes.back().name](const Route& one) {
           return one.name == name;
         });
       });
     }},
    {"route/unmatched-is-taken", "RT-01", "what no gateway route matches goes to the last one's",
     [](Plan& plan) { each_host(plan, take_the_rest); }},
    {"route/prefix-by-segments", "RT-02", "prefix /chapter does not take /chapters",
     [](Plan& plan) {
       each_first(plan, [](Route& route) {
         if (route.path.kind == PathMatch::Kind::Prefix && route.path.text.back() != '/') {
           route.path.kind = PathMatch::Kind::Exact;
         }
       });
     }},
    {"route/shortest-prefix-first", "RT-03", "of two prefixes the shorter one is tried first",
     [](Plan& plan) {
       each_host(plan, [](VirtualHost& host) {
         order(host, [](const Route& one, const Route& other) {
           return one.path.text.size() < other.path.text.size();
         });
       });
     }},
    {"route/greatest-priority-first", "RT-04", "a greater priority number is tried first",
     [](Plan& plan) {
       each_host(plan, [](VirtualHost& host) {
         order(host, [](const Route& one, const Route& other) {
           return one.priority > other.priority;
         });
       });
     }},
    {"route/priority-ignored", "RT-04", "routes are tried by the length of their prefix alone",
     [](Plan& plan) {
       each_host(plan, [](VirtualHost& host) {
         order(host, [](const Route& one, const Route& other) {
           return one.path.text.size() > other.path.text.size();
         });
       });
     }},
    {"route/one-criterion-is-enough", "RT-05", "all criteria of a match but the path are ignored",
     [](Plan& plan) {
       each_first(plan, [](Route& route) {
         route.headers.clear();
         route.query.clear();
       });
     }},
    {"route/exact-path-as-prefix", "RT-06", "an exact path also takes what begins with it",
     [](Plan& plan) {
       each_first(plan, [](Route& route) {
         if (route.path.kind == PathMatch::Kind::Exact) route.path.kind = PathMatch::Kind::Prefix;
       });
     }},
    {"route/regex-anywhere", "RT-06", "a regex may match a part of the path",
     [](Plan& plan) {
       each_first(plan, [](Route& route) {
         if (route.path.kind == PathMatch::Kind::Regex) {
           match_by(route, ".*(?:" + route.path.text + ").*");
         }
       });
     }},
    {"route/headers-ignored", "RT-07", "header matches are not looked at",
     [](Plan& plan) { each_first(plan, [](Route& route) { drop_header(route, false); }); }},
    {"route/header-inverse-ignored", "RT-07", "the inverse of a header match is the match",
     [](Plan& plan) {
       each_first(plan, [](Route& route) {
         for (HeaderMatch& one : route.headers) one.invert = false;
       });
     }},
    {"route/header-prefix-as-exact", "RT-07", "a header's prefix must be all of its value",
     [](Plan& plan) {
       each_first(plan, [](Route& route) {
         for (HeaderMatch& one : route.headers) {
           if (one.test.kind == TextMatch::Kind::Prefix) one.test.kind = TextMatch::Kind::Exact;
         }
       });
     }},
    {"route/header-suffix-as-prefix", "RT-07", "a header's suffix is taken for a prefix",
     [](Plan& plan) {
       each_first(plan, [](Route& route) {
         for (HeaderMatch& one : route.headers) {
           if (one.test.kind == TextMatch::Kind::Suffix) one.test.kind = TextMatch::Kind::Prefix;
         }
       });
     }},
    {"route/header-range-with-its-end", "RT-07", "a header's range has its end in it",
     [](Plan& plan) {
       each_first(plan, [](Route& route) {
         for (HeaderMatch& one : route.headers) {
           if (one.test.kind == TextMatch::Kind::Range) ++one.test.range_end;
         }
       });
     }},
    {"route/query-ignored", "RT-08", "query parameters are not looked at",
     [](Plan& plan) { each_first(plan, [](Route& route) { route.query.clear(); }); }},
    {"route/query-by-presence", "RT-08", "a query parameter need only be there",
     [](Plan& plan) {
       each_first(plan, [](Route& route) {
         for (QueryMatch& one : route.query) one.test.kind = TextMatch::Kind::Present;
       });
     }},
    {"route/method-ignored", "RT-09", "methods are not looked at",
     [](Plan& plan) { each_first(plan, [](Route& route) { drop_header(route, true); }); }},
    {"route/host-falls-back", "RT-10", "a host with routes of its own also sees those without host",
     [](Plan& plan) { each_ingress(plan, take_routes_of_the_rest); }},
    {"route/host-suffix-anywhere", "RT-11", "suffix .example.com takes aexample.com",
     [](Plan& plan) {
       each_host(plan, [](VirtualHost& host) {
         for (std::string& domain : host.domains) {
           if (domain.starts_with("*.")) domain.erase(1, 1);
         }
       });
     }},
    {"route/grpc-service-by-prefix", "RT-12", "a gRPC service also takes those that begin with it",
     [](Plan& plan) {
       each_first(plan, [](Route& route) {
         if (route.grpc_only && ends_with_slash(route)) route.path.text.pop_back();
       });
     }},
    {"route/metadata-ignored", "RT-12", "gRPC metadata is not looked at",
     [](Plan& plan) {
       each_first(plan, [](Route& route) {
         if (route.grpc_only) route.headers.clear();
       });
     }},
    {"route/service-routes-take-all", "RT-14", "the first route of a service takes all requests",
     [](Plan& plan) {
       each_second(plan, [](Route& route) {
         route.path = {.kind = PathMatch::Kind::Prefix, .text = "/", .regex = nullptr};
         route.headers.clear();
       });
     }},
    {"route/first-target-alone", "RT-15", "of weighted targets the first one gets all",
     [](Plan& plan) {
       each_second(plan, [](Route& route) {
         if (!route.clusters.empty()) route.clusters.resize(1);
       });
     }},
    {"route/weights-ignored", "RT-15", "each weighted target gets as many as any other",
     [](Plan& plan) {
       each_second(plan, [](Route& route) {
         for (WeightedCluster& one : route.clusters) one.weight = 1;
       });
     }},
    {"route/no-routes-no-listener", "RT-16", "a gateway without routes does not listen",
     [](Plan& plan) {
       std::erase_if(plan.ingress, [](const HopPlan& hop) { return hop.routes.hosts.empty(); });
     }},

    {"rewrite/no-host", "RW-01", "the client's host stays",
     [](Plan& plan) { each_first(plan, [](Route& route) { route.host_rewrite.reset(); }); }},
    {"rewrite/host-to-path", "RW-01", "the host becomes the gateway route's name",
     [](Plan& plan) {
       each_first(plan, [](Route& route) {
         if (route.host_rewrite) route.virtual_service_header = route.host_rewrite;
         if (route.host_rewrite) route.host_rewrite = route.name;
       });
     }},
    {"rewrite/no-prefix", "RW-02", "the matched prefix stays",
     [](Plan& plan) { each_first(plan, [](Route& route) { route.prefix_rewrite.reset(); }); }},
    {"rewrite/prefix-to-nothing", "RW-03", "/chapter becomes nothing, and /chapter/1 becomes //1",
     [](Plan& plan) {
       each_host(plan, [](VirtualHost& host) { std::erase_if(host.routes, ends_with_slash); });
     }},
    {"rewrite/host-always", "RW-04", "the host is rewritten though it is to stay",
     [](Plan& plan) {
       each_first(plan, [](Route& route) {
         if (route.virtual_service_header) {
           route.host_rewrite = std::exchange(route.virtual_service_header, {});
         }
       });
     }},
    {"rewrite/prefix-always", "RW-05", "the prefix is rewritten though it is to stay",
     [](Plan& plan) {
       each_first(plan, [](Route& route) {
         if (route.prefix_rewrite == route.path.text) route.prefix_rewrite = "/";
       });
     }},
    {"rewrite/value-ignored", "RW-06", "a prefix always becomes /, whatever it should become",
     [](Plan& plan) {
       each_first(plan, [](Route& route) {
         if (route.prefix_rewrite && route.prefix_rewrite != route.path.text) {
           route.prefix_rewrite = "/";
         }
       });
     }},
    {"rewrite/exact-path-ignored", "RW-07", "a path that is to be replaced as a whole stays",
     [](Plan& plan) { each_first(plan, [](Route& route) { route.path_rewrite.reset(); }); }},
    {"rewrite/exact-has-a-default", "RW-07", "an exact path becomes /, which nobody has asked for",
     [](Plan& plan) {
       each_first(plan, [](Route& route) {
         const bool exact = route.path.kind == PathMatch::Kind::Exact;
         if (exact && !route.path_rewrite) route.path_rewrite = "/";
       });
     }},
    {"rewrite/grpc-host-stays", "RW-08", "the host of gRPC calls is not rewritten",
     [](Plan& plan) {
       each_first(plan, [](Route& route) {
         if (route.grpc_only) route.host_rewrite.reset();
       });
     }},
    {"rewrite/grpc-path", "RW-08", "the path of gRPC calls is rewritten",
     [](Plan& plan) {
       each_first(plan, [](Route& route) {
         if (route.grpc_only && route.path.kind == PathMatch::Kind::Prefix) {
           route.prefix_rewrite = "/";
         }
       });
     }},

    {"listener/no-websocket", "LS-04", "no connection changes over to WebSocket",
     [](Plan& plan) { each_hop(plan, [](HopPlan& hop) { hop.websocket = false; }); }},
    {"listener/first-alone", "LS-07", "of several listeners only the first one is there",
     [](Plan& plan) { plan.ingress.resize(std::min<std::size_t>(plan.ingress.size(), 1)); }},
    {"listener/grpc-as-http1", "LS-06", "services of gRPC are spoken to by HTTP/1.1",
     [](Plan& plan) {
       each_node(plan, [](Cluster& cluster) { cluster.protocol = Protocol::Http1; });
     }},
    {"listener/no-log", "LG-01", "there is no access log",
     [](Plan& plan) { each_hop(plan, [](HopPlan& hop) { hop.access_log.reset(); }); }},
    {"listener/one-hop-logs", "LG-01", "only the first hop writes to the access log",
     [](Plan& plan) {
       if (plan.egress) plan.egress->access_log.reset();
     }},
    {"listener/log-format-ignored", "LG-01", "the access log has Envoy's own format",
     [](Plan& plan) {
       each_hop(plan, [](HopPlan& hop) {
         if (hop.access_log) hop.access_log->kind = AccessLogPlan::Kind::Default;
       });
     }},
    {"listener/always-logs", "LG-02", "there is an access log though nobody has asked for one",
     [](Plan& plan) {
       each_hop(plan, [](HopPlan& hop) {
         if (!hop.access_log) hop.access_log.emplace().path = "/dev/stdout";
       });
     }},

    {"pool/one-more-connection", "CP-03", "one connection more than allowed is opened",
     [](Plan& plan) { each_pool(plan, [](Limits& limits) { add_one(limits.max_connections); }); }},
    {"pool/one-more-waits", "CP-04", "one request more than allowed waits",
     [](Plan& plan) {
       each_pool(plan, [](Limits& limits) { add_one(limits.max_pending_requests); });
     }},
    {"pool/nobody-waits", "CP-04", "requests past the connections are refused",
     [](Plan& plan) {
       each_pool(plan, [](Limits& limits) {
         if (limits.max_pending_requests != Limits::kUnlimited) limits.max_pending_requests = 0;
       });
     }},
    {"pool/all-wait", "CP-05", "the queue has no end",
     [](Plan& plan) {
       each_pool(plan,
                 [](Limits& limits) { limits.max_pending_requests = Limits::kUnlimited; });
     }},
    {"pool/default-queue-of-one", "CP-06", "without maxPendingRequests one request may wait",
     [](Plan& plan) {
       each_pool(plan, [](Limits& limits) {
         const bool given = limits.max_connections != Limits::kUnlimited;
         if (given && limits.max_pending_requests == Limits::kUnlimited) {
           limits.max_pending_requests = 1;
         }
       });
     }},
    {"pool/one-more-request", "CP-07", "one request of HTTP/2 more than allowed is under way",
     [](Plan& plan) { each_pool(plan, [](Limits& limits) { add_one(limits.max_requests); }); }},
    {"pool/limits-of-envoy", "CP-08", "without a pool the limits are a proxy's own",
     [](Plan& plan) {
       each_pool(plan, [](Limits& limits) {
         if (limits == Limits{}) limits = Limits::of_old_accounts();
       });
     }},

    {"health/not-checked", "HC-12", "endpoints are not checked",
     [](Plan& plan) {
       each_node(plan, [](Cluster& cluster) { cluster.health_check.reset(); });
     }},
    {"health/no-panic", "HC-12", "few healthy endpoints get all requests, and none gets none",
     [](Plan& plan) { each_node(plan, [](Cluster& cluster) { cluster.panic_percent = 0; }); }},
    {"health/one-failure-fewer", "HC-04", "one failure less than asked for is enough",
     [](Plan& plan) {
       each_node(plan, [](Cluster& cluster) {
         if (cluster.health_check) --cluster.health_check->unhealthy_threshold;
       });
     }},
    {"health/one-success-more", "HC-04", "one success more than asked for is needed",
     [](Plan& plan) {
       each_node(plan, [](Cluster& cluster) {
         if (cluster.health_check) ++cluster.health_check->healthy_threshold;
       });
     }},

    {"tls/strict-is-permissive", "TL-01", "STRICT takes plain text too",
     [](Plan& plan) {
       each_ingress(plan, [](HopPlan& hop) {
         if (hop.tls) hop.tls_mode = HopPlan::TlsMode::Permissive;
       });
     }},
    {"tls/permissive-is-strict", "TL-01", "PERMISSIVE takes no plain text",
     [](Plan& plan) {
       each_ingress(plan, [](HopPlan& hop) {
         if (hop.tls) hop.tls_mode = HopPlan::TlsMode::Strict;
       });
     }},
    {"tls/no-certificate", "TL-02", "the listener has no certificate to show",
     [](Plan& plan) { each_listener_tls(plan, [](TlsPlan& tls) { tls.certificates.clear(); }); }},
    {"tls/client-certificate-is-optional", "TL-03", "a client need not show a certificate",
     [](Plan& plan) {
       each_listener_tls(plan, [](TlsPlan& tls) { tls.settings.require_certificate = false; });
     }},
    {"tls/client-names-ignored", "TL-04", "names of clients' certificates are not looked at",
     [](Plan& plan) { each_listener_tls(plan, [](TlsPlan& tls) { tls.settings.names.clear(); }); }},
    {"tls/no-alpn", "TL-06", "h2 is not offered",
     [](Plan& plan) { each_listener_tls(plan, [](TlsPlan& tls) { tls.settings.alpn.clear(); }); }},
    {"tls/plain-to-services", "TC-01", "services are spoken to in plain text",
     [](Plan& plan) { each_node(plan, [](Cluster& cluster) { cluster.tls.reset(); }); }},
    {"tls/on-every-port", "TC-02", "services are spoken to by TLS whatever their port",
     [](Plan& plan) {
       each_node(plan, [](Cluster& cluster) {
         if (cluster.tls) return;
         cluster.tls.emplace().settings =
             wire::tls::Settings::of_proxy(wire::tls::Role::Client);
       });
     }},
    {"tls/any-server", "TC-03", "certificates of services are not verified",
     [](Plan& plan) {
       each_node_tls(plan, [](TlsPlan& tls) {
         tls.trust.reset();
         tls.settings.names.clear();
       });
     }},
    {"tls/server-names-ignored", "TC-04", "names of services' certificates are not looked at",
     [](Plan& plan) { each_node_tls(plan, [](TlsPlan& tls) { tls.settings.names.clear(); }); }},
    {"tls/shows-no-certificate", "TC-05", "the gateway shows no certificate to services that ask",
     [](Plan& plan) { each_node_tls(plan, [](TlsPlan& tls) { tls.certificates.clear(); }); }},

    {"timeout/none", "TF-01", "no request times out",
     [](Plan& plan) {
       const auto none = [](Route& route) { route.timeout = 0s; };
       each_first(plan, none);
       each_second(plan, none);
     }},
    {"timeout/always-the-default", "TF-01", "every request has 15 s",
     [](Plan& plan) {
       const auto absent = [](Route& route) { route.timeout.reset(); };
       each_first(plan, absent);
       each_second(plan, absent);
     }},
    {"retry/none", "TF-02", "nothing is tried again",
     [](Plan& plan) { each_second(plan, [](Route& route) { route.retry.reset(); }); }},
    {"retry/one-more", "TF-02", "one more try than allowed is made",
     [](Plan& plan) { each_retry(plan, [](RetryPolicy& retry) { ++retry.max_retries; }); }},
    {"retry/at-both-hops", "TF-02", "the first hop tries again too",
     [](Plan& plan) {
       each_first(plan, [](Route& route) {
         RetryPolicy& retry = route.retry.emplace();
         retry.max_retries = 1;
         retry.statuses = {503};
       });
     }},
    {"retry/on-every-500", "TF-02", "an answer of 500 is tried again",
     [](Plan& plan) { each_retry(plan, [](RetryPolicy& retry) { retry.statuses.insert(500); }); }},
    {"retry/not-on-503", "TF-02", "an answer of 503 is not tried again",
     [](Plan& plan) { each_retry(plan, [](RetryPolicy& retry) { retry.statuses.clear(); }); }},
    {"retry/not-on-refused-connections", "TF-02", "a connection that is refused ends the request",
     [](Plan& plan) {
       each_retry(plan, [](RetryPolicy& retry) { retry.on_connect_failure = false; });
     }},
});

}  // namespace

std::span<const Defect> defects() {
  return kDefects;
}

const Defect* find_defect(std::string_view name) {
  const auto found = std::find_if(kDefects.begin(), kDefects.end(),
                                  [&](const Defect& one) { return one.name == name; });
  return found == kDefects.end() ? nullptr : &*found;
}

std::shared_ptr<const GatewayPlan> with_defect(const GatewayPlan& plan, const Defect& defect) {
  auto changed = std::make_shared<GatewayPlan>(plan);
  defect.apply(*changed);
  return changed;
}

}  // namespace proxy
