#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "world/result.h"
#include "world/time.h"

/// App Mesh resources as values. What the API leaves out is absent here, or has the documented
/// default where one is named. Reading them is mesh/read.h's work, judging them together
/// mesh/validate.h's.
///
/// Source: AM-SHP-001 to -309.
namespace mesh {

using world::Duration;

/// Which rules of the service hold. Source: AM-ERA-01 to -04.
enum class Era : std::uint8_t {
  SeedA,  ///< Nov 2020: prefix required, no rewrites, no host or header match, no mutual TLS.
  SeedB,  ///< 2022: all of that, one listener a gateway.
  Last,   ///< Since Aug 2022: several listeners.
};

enum class Kind : std::uint8_t {
  Mesh,
  VirtualGateway,
  GatewayRoute,
  VirtualService,
  VirtualNode,
  VirtualRouter,
  Route
};

enum class Protocol : std::uint8_t { Http, Http2, Grpc, Tcp };

/// Where a resource, or a part of it, stands: for messages.
struct Origin {
  std::string pointer;  ///< JSON pointer within its document.
  world::Place place;
};

struct PortMapping {
  std::uint16_t port = 0;
  Protocol protocol = Protocol::Http;
};

// ---- Matches ------------------------------------------------------------------------------

/// A test of a header's, or a gRPC metadata entry's, value.
struct TextMatch {
  enum class Kind : std::uint8_t { Exact, Prefix, Suffix, Regex, Range };
  Kind kind = Kind::Exact;
  std::string text;        ///< All kinds but Range. A regex is known to compile.
  std::int64_t start = 0;  ///< Range: start <= value < end.
  std::int64_t end = 0;
};

struct HeaderMatch {
  std::string name;
  bool invert = false;
  std::optional<TextMatch> match;  ///< Absent: the header must be there.
};

struct QueryMatch {
  std::string name;
  std::optional<std::string> exact;  ///< Absent: the parameter must be there.
};

struct PathMatch {
  enum class Kind : std::uint8_t { Prefix, Exact, Regex };
  Kind kind = Kind::Prefix;
  std::string text;
};

struct HostnameMatch {
  enum class Kind : std::uint8_t { Exact, Suffix };
  Kind kind = Kind::Exact;
  std::string text;  ///< A suffix begins with "." ("*.example.com" is read as ".example.com").
};

/// What a gateway route or a route takes. All that is given must hold.
struct RouteMatch {
  std::optional<PathMatch> path;
  std::optional<HostnameMatch> hostname;  ///< Gateway routes only.
  std::optional<std::string> method;
  std::optional<std::string> scheme;  ///< "http" or "https"; routes only.
  std::vector<HeaderMatch> headers;   ///< Of a grpc route: its metadata.
  std::vector<QueryMatch> query;
  std::optional<std::uint16_t> port;        ///< The listener that the request came in on.
  std::optional<std::string> grpc_service;  ///< Fully qualified.
  std::optional<std::string> grpc_method;   ///< Routes only.
};

/// A duration that may be set.
struct Timeouts {
  std::optional<Duration> per_request;  ///< 0: none.
  std::optional<Duration> idle;         ///< 0: none.
};

// ---- TLS ----------------------------------------------------------------------------------

enum class TlsMode : std::uint8_t { Strict, Permissive, Disabled };
enum class TlsSource : std::uint8_t { Acm, File, Sds };

struct Certificate {
  TlsSource source = TlsSource::File;
  std::string arn;          ///< Acm.
  std::string chain;        ///< File: path of the chain.
  std::string private_key;  ///< File: path of the key.
  std::string secret;       ///< Sds.
};

struct Trust {
  TlsSource source = TlsSource::File;
  std::vector<std::string> authority_arns;  ///< Acm: 1 to 3.
  std::string chain;                        ///< File.
  std::string secret;                       ///< Sds.
};

struct TlsValidation {
  Trust trust;
  std::optional<std::vector<std::string>> subject_names;  ///< Exact subject alternative names.
};

struct ListenerTls {
  TlsMode mode = TlsMode::Strict;
  Certificate certificate;
  std::optional<TlsValidation> validation;  ///< Given: client certificates are asked for.
};

/// How connections to backends use TLS.
struct ClientTls {
  bool enforce = true;
  std::vector<std::uint16_t> ports;  ///< Empty: all.
  std::optional<Certificate> certificate;
  TlsValidation validation;
};

// ---- Listeners ----------------------------------------------------------------------------

/// Source: AM-VAL-03. http: connections and, if given, pending requests; tcp: connections;
/// http2, grpc: requests.
struct ConnectionPool {
  Protocol protocol = Protocol::Http;
  std::optional<std::uint32_t> max_connections;
  std::optional<std::uint32_t> max_pending_requests;
  std::optional<std::uint32_t> max_requests;
};

struct HealthCheck {
  Protocol protocol = Protocol::Http;
  std::uint32_t healthy_threshold = 0;
  std::uint32_t unhealthy_threshold = 0;
  Duration interval{};
  Duration timeout{};
  std::optional<std::string> path;
  std::optional<std::uint16_t> port;  ///< Equal to the listener's, if given.
};

struct OutlierDetection {
  std::int64_t max_server_errors = 0;
  Duration interval{};
  Duration base_ejection{};
  std::uint32_t max_ejection_percent = 0;
};

/// A listener of a gateway or of a virtual node.
struct Listener {
  PortMapping port_mapping;
  std::optional<ConnectionPool> pool;
  std::optional<HealthCheck> health_check;
  std::optional<ListenerTls> tls;
  std::optional<OutlierDetection> outlier_detection;  ///< Virtual nodes only.
  std::optional<Timeouts> timeouts;                   ///< Virtual nodes only.

  /// Whether it takes TLS at all: it may have a `tls` that is DISABLED.
  bool has_tls() const { return tls && tls->mode != TlsMode::Disabled; }
};

/// Source: AM-VAL-15, AM-LOG-01, AM-LOG-02.
struct AccessLog {
  enum class Format : std::uint8_t { Default, Text, Json };
  std::string path;
  Format format = Format::Default;
  std::string text;                                       ///< Text: a format string, unchecked.
  std::vector<std::pair<std::string, std::string>> json;  ///< Json: key, format; in order.
};

enum class IpPreference : std::uint8_t { Ipv6Preferred, Ipv4Preferred, Ipv4Only, Ipv6Only };

// ---- Resources ----------------------------------------------------------------------------

/// What every resource below a mesh has.
struct Resource {
  std::string name;
  Origin origin;
};

struct VirtualGateway : Resource {
  std::vector<Listener> listeners;  ///< At least one.
  std::optional<ClientTls> client_tls;
  std::optional<AccessLog> access_log;
};

/// What a gateway route changes in a request. Source: AM-REW-01 to -08.
struct Rewrite {
  bool default_target_hostname = true;      ///< Host becomes the virtual service's name.
  bool default_prefix = true;               ///< The matched prefix becomes "/".
  std::optional<std::string> prefix_value;  ///< The matched prefix becomes this.
  std::optional<std::string> path_exact;    ///< The whole path becomes this.
};

enum class RouteKind : std::uint8_t { Http, Http2, Grpc, Tcp };

struct GatewayRoute : Resource {
  std::string gateway;
  RouteKind kind = RouteKind::Http;  ///< Never Tcp.
  std::optional<int> priority;       ///< Absent counts as 1000 (AM-ORD-03).
  RouteMatch match;
  Rewrite rewrite;
  std::string virtual_service;               ///< The target.
  std::optional<std::uint16_t> target_port;  ///< Of the target's router or node.
  Origin target_origin;
};

struct Provider {
  enum class Kind : std::uint8_t { Node, Router };
  Kind kind = Kind::Node;
  std::string name;
  Origin origin;
};

struct VirtualService : Resource {
  std::optional<Provider> provider;  ///< Absent: the service leads nowhere.
};

struct Discovery {
  enum class Kind : std::uint8_t {
    Dns,
    CloudMap,
    Static,  ///< Named upstreams of a recorded case; never in the API.
  };
  Kind kind = Kind::Dns;
  std::string hostname;        ///< Dns.
  bool endpoints = false;      ///< Dns: response type ENDPOINTS rather than LOADBALANCER.
  std::string namespace_name;  ///< CloudMap.
  std::string service_name;    ///< CloudMap.
  std::vector<std::pair<std::string, std::string>> attributes;  ///< CloudMap: key, value.
  std::optional<IpPreference> ip_preference;
  std::vector<std::string> upstreams;  ///< Static.
};

struct Backend {
  std::string virtual_service;
  std::optional<ClientTls> client_tls;
  Origin origin;
};

struct VirtualNode : Resource {
  std::vector<Listener> listeners;
  std::optional<Discovery> discovery;
  std::vector<Backend> backends;
  std::optional<ClientTls> client_tls;  ///< Default of all backends.
  std::optional<AccessLog> access_log;
};

struct VirtualRouter : Resource {
  std::vector<PortMapping> listeners;
};

struct WeightedTarget {
  std::string node;
  int weight = 0;  ///< 0 to 100.
  std::optional<std::uint16_t> port;
  Origin origin;
};

/// Source: AM-RET-02, AM-RET-04.
struct RetryPolicy {
  std::vector<std::string> http_events;  ///< server-error, gateway-error, client-error, ...
  std::vector<std::string> grpc_events;  ///< cancelled, deadline-exceeded, internal, ...
  bool connection_error = false;         ///< The only event of tcpRetryEvents.
  std::int64_t max_retries = 0;
  Duration per_retry_timeout{};
};

/// A route of a virtual router.
struct Route : Resource {
  std::string router;
  RouteKind kind = RouteKind::Http;
  std::optional<int> priority;
  RouteMatch match;
  std::vector<WeightedTarget> targets;
  std::optional<RetryPolicy> retry;
  Timeouts timeouts;
};

/// A mesh and all that is in it, each list in the order of definition.
struct Mesh : Resource {
  Era era = Era::SeedB;
  /// Its account had a mesh before July 29, 2020: Envoy's own limits instead of none, and no retry
  /// policy where a route has none. Source: AM-CB-01, AM-RET-01.
  bool old_account = false;
  bool drop_external_egress = true;  ///< egressFilter DROP_ALL, the API's default.
  std::optional<IpPreference> ip_preference;

  std::vector<VirtualGateway> gateways;
  std::vector<GatewayRoute> gateway_routes;
  std::vector<VirtualService> services;
  std::vector<VirtualNode> nodes;
  std::vector<VirtualRouter> routers;
  std::vector<Route> routes;

  // The resource of that name, or null.
  const VirtualGateway* gateway(std::string_view wanted) const;
  const VirtualService* service(std::string_view wanted) const;
  const VirtualNode* node(std::string_view wanted) const;
  const VirtualRouter* router(std::string_view wanted) const;
  const GatewayRoute* gateway_route(std::string_view of_gateway, std::string_view wanted) const;
  const Route* route(std::string_view of_router, std::string_view wanted) const;

  // The routes of one gateway, or router, in the order of definition.
  std::vector<const GatewayRoute*> routes_of_gateway(std::string_view of_gateway) const;
  std::vector<const Route*> routes_of_router(std::string_view of_router) const;
};

/// As in the API: "http", "http2", "grpc", "tcp".
std::string_view text(Protocol protocol);
/// As in scenarios: "seed-a", "seed-b", "last".
std::string_view text(Era era);
std::optional<Era> era_from_text(std::string_view written);
/// As in the API's members: "virtualGateway".
std::string_view text(Kind kind);

}  // namespace mesh
