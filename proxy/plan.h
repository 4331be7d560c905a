#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "wire/headers.h"
#include "wire/tls/context.h"
#include "world/time.h"

namespace re2 {
class RE2;
}

namespace proxy {

using world::Duration;

/// What may wait for a slow peer, on each connection in each direction, before the other side is
/// held back: as in the real proxy.
inline constexpr std::size_t kBufferBytes = 1 << 20;

/// What a connection speaks.
enum class Protocol : std::uint8_t { Http1, Http2 };

/// A string test of a header, a query parameter or a path.
struct TextMatch {
  enum class Kind : std::uint8_t { Present, Exact, Prefix, Suffix, Regex, Range };
  Kind kind = Kind::Present;
  std::string text;
  std::shared_ptr<const re2::RE2> regex;  ///< Of kind Regex: matches the whole value.
  std::int64_t range_start = 0;           ///< Of kind Range: start <= value < end.
  std::int64_t range_end = 0;
};

struct HeaderMatch {
  std::string name;  ///< Lower case, or a pseudo header such as ":method".
  wire::HeaderName known = wire::HeaderName::Other;
  TextMatch test;
  bool invert = false;
};

struct QueryMatch {
  std::string name;
  TextMatch test;  ///< Present or Exact.
};

struct PathMatch {
  enum class Kind : std::uint8_t { Prefix, Exact, Regex };
  Kind kind = Kind::Prefix;
  std::string text;
  std::shared_ptr<const re2::RE2> regex;
};

/// When, and how often, a request is sent again.
///
/// Source: AM-RET-01, AM-RET-02, ENV-HTTP-80 to -82.
struct RetryPolicy {
  std::uint32_t max_retries = 0;
  Duration per_try_timeout{};  ///< 0: none.
  bool on_connect_failure = false;
  bool on_refused_stream = false;
  bool on_reset = false;
  std::set<std::uint16_t> statuses;
  std::set<int> grpc_statuses;
  bool previous_hosts = false;  ///< Prefer a host that was not tried yet.
  std::uint32_t host_selection_attempts = 1;
  /// The n-th retry waits for less than 2^(n-1) times this, at random. Source: ENV-HTTP-81.
  Duration backoff_base = std::chrono::milliseconds(25);
  Duration backoff_most = std::chrono::milliseconds(250);
  bool is_default = false;  ///< App Mesh's own, for routes that give none.
};

struct WeightedCluster {
  std::size_t cluster = 0;  ///< Index into HopPlan::clusters.
  std::uint32_t weight = 0;
};

/// One route of a virtual host: what it takes and what becomes of the request.
struct Route {
  std::string name;  ///< The gateway route's or route's name.
  PathMatch path;
  std::vector<HeaderMatch> headers;  ///< All must hold; the method is a match of ":method".
  std::vector<QueryMatch> query;     ///< All must hold.
  bool grpc_only = false;            ///< The content type must be a gRPC one.

  std::optional<std::string> prefix_rewrite;  ///< Replaces the matched prefix.
  std::optional<std::string> path_rewrite;    ///< Replaces the whole path, keeps the query.
  std::optional<std::string> host_rewrite;
  /// Added as x-app-mesh-virtual-service where the host is kept (CD-06).
  std::optional<std::string> virtual_service_header;
  /// Removed from responses (CD-06).
  bool remove_virtual_service_header = false;

  std::optional<Duration> timeout;       ///< Absent: 15 s. 0: none.
  std::optional<Duration> idle_timeout;  ///< Absent: the hop's. 0: none.
  std::optional<RetryPolicy> retry;
  std::vector<WeightedCluster> clusters;  ///< At least one, unless all weights are 0.

  int priority = 1000;   ///< As it was ordered by; for explanations.
  std::string resource;  ///< "gatewayRoute chapters" or "route r of virtualRouter v".
};

/// The routes for the authorities it names. Exactly one is chosen for a request.
struct VirtualHost {
  std::string name;
  std::vector<std::string> domains;  ///< "a.example", "*.example", "*"; lower case.
  std::vector<Route> routes;         ///< The first that matches is taken.
};

struct RouteTable {
  std::vector<VirtualHost> hosts;
};

struct Limits {
  static constexpr std::uint32_t kUnlimited = 2147483647;
  std::uint32_t max_connections = kUnlimited;
  std::uint32_t max_pending_requests = kUnlimited;
  std::uint32_t max_requests = kUnlimited;
  std::uint32_t max_retries = kUnlimited;
  /// Envoy's own, of the accounts that were there first. Source: AM-CB-01.
  static constexpr Limits of_old_accounts();
  bool operator==(const Limits&) const = default;
};

constexpr Limits Limits::of_old_accounts() {
  return {.max_connections = 1024,
          .max_pending_requests = 1024,
          .max_requests = 1024,
          .max_retries = 3};
}

/// How the endpoints of a cluster are checked. Source: ENV-HC-01 to -16.
struct HealthCheckPlan {
  enum class Kind : std::uint8_t { Http, Http2, Grpc, Tcp };
  /// Two readings of a check's settings.
  enum class Rules : std::uint8_t {
    Proxy,   ///< Of the endpoints of a virtual node: what the real proxy does. Source: HC-04.
    Letter,  ///< Of a gateway's own listener: what the documents say. Source: HC-02, HC-03, HC-05.
  };
  Kind kind = Kind::Http;
  Rules rules = Rules::Proxy;
  Duration interval{};  ///< From one probe's end to the next, or by the letter from its begin.
  Duration timeout{};   ///< From the sending of a probe to the end of its answer.
  std::uint32_t healthy_threshold = 1;
  std::uint32_t unhealthy_threshold = 1;
  /// In place of the interval until the cluster has carried a request.
  Duration no_traffic_interval = std::chrono::seconds(60);
  std::optional<Duration> unhealthy_interval;       ///< While unhealthy; absent: the interval.
  std::optional<Duration> unhealthy_edge_interval;  ///< Once after the change to unhealthy.
  std::optional<Duration> healthy_edge_interval;    ///< Once after the change to healthy.
  bool reuse_connection = true;
  std::string path;                   ///< Of kind Http and Http2.
  std::string host;                   ///< Empty: the cluster's name.
  std::string service;                ///< Of kind Grpc: what is asked about; empty: all of it.
  std::optional<std::uint16_t> port;  ///< Absent: the endpoint's own.
  /// Half-open ranges. Statuses that pass, and those that count towards the threshold.
  std::vector<std::pair<std::uint16_t, std::uint16_t>> expected_statuses = {{200, 201}};
  std::vector<std::pair<std::uint16_t, std::uint16_t>> retriable_statuses;
};

/// When traffic's own answers keep an endpoint out. Source: ENV-HC-18, AM-OUT-01 to -03.
struct OutlierPlan {
  std::uint32_t consecutive_5xx = 5;
  Duration interval = std::chrono::seconds(10);
  Duration base_ejection_time = std::chrono::seconds(30);
  std::uint32_t max_ejection_percent = 10;
  bool always_eject_one = false;  ///< One endpoint, whatever the percentage says.
};

/// Names a certificate with its key, or authorities, for whoever has them.
struct SecretName {
  enum class Kind : std::uint8_t {
    File,  ///< `name` is the path of a file of PEM; `key` that of the key.
    Sds,   ///< A secret by its name.
    Acm,   ///< A certificate or an authority by its ARN; as trust, a certificate means its root.
  };
  Kind kind = Kind::File;
  std::string name;
  std::string key;
  /// Of kind Acm: more authorities that are trusted.
  std::vector<std::string> others;
  auto operator<=>(const SecretName&) const = default;
};

/// TLS of a listener or towards a cluster's endpoints. Source: AM-TLS-01 to -09.
struct TlsPlan {
  wire::tls::Settings settings;  ///< Without what the names below stand for.
  std::vector<SecretName> certificates;
  std::optional<SecretName> trust;  ///< Absent: the other end is not verified.
};

/// An upstream group with one policy.
struct Cluster {
  std::string name;
  std::string node;  ///< The virtual node it stands for; empty for the inner hop.
  Protocol protocol = Protocol::Http1;
  Duration connect_timeout{};
  Limits limits;
  std::uint32_t max_requests_per_connection = 0;  ///< 0: without limit.
  Duration idle_timeout = std::chrono::hours(1);  ///< Of connections without a request; 0: none.
  std::optional<HealthCheckPlan> health_check;
  std::optional<OutlierPlan> outlier;
  std::optional<TlsPlan> tls;        ///< Absent: in plain text.
  std::uint32_t panic_percent = 50;  ///< With fewer healthy endpoints all are used; 0: never.
  bool fail_on_panic = false;        ///< Then none is used.
  /// How long further changes of endpoints' states wait after one was told. Source: ENV-HC-19.
  Duration merge_window = std::chrono::seconds(1);

  /// How its endpoints are found.
  enum class Discovery : std::uint8_t {
    Self,        ///< The gateway's own second hop, at 127.0.0.1:15001.
    LogicalDns,  ///< One address at a time of `host_name`.
    StrictDns,   ///< Every address of `host_name` is an endpoint.
    Static,      ///< `endpoints` ("host:port" names), resolved once.
  };
  Discovery discovery = Discovery::LogicalDns;
  std::string host_name;
  std::uint16_t port = 0;
  std::vector<std::pair<std::string, std::uint16_t>> endpoints;
};

/// Timers of a connection manager. Source: ENV-HTTP-66, -67, -70; Envoy's defaults (CD-03).
struct HopTimers {
  Duration stream_idle = std::chrono::minutes(5);
  Duration connection_idle = std::chrono::hours(1);
  Duration delayed_close = std::chrono::seconds(1);
  Duration drain = std::chrono::seconds(5);
  Duration request{};                                 ///< Whole request must have arrived; 0: none.
  Duration request_headers{};                         ///< The head must have arrived; 0: none.
  Duration max_connection{};                          ///< Then a connection is drained; 0: none.
  Duration max_stream{};                              ///< Request and answer together; 0: none.
  Duration tls_inspector = std::chrono::seconds(15);  ///< For the first byte; 0: no inspector.
  Duration proxy_header = std::chrono::seconds(15);   ///< For a PROXY protocol header; 0: none.
  std::uint32_t max_requests_per_connection = 0;      ///< 0: without limit.
};

/// Where access-log lines go and what they say. Source: LG-01, AM-LOG-01, AM-LOG-02.
struct AccessLogPlan {
  enum class Kind : std::uint8_t { Default, Text, Json };
  std::string path;
  Kind kind = Kind::Default;
  std::string text;                                       ///< Of kind Text: a format string.
  std::vector<std::pair<std::string, std::string>> json;  ///< Of kind Json: key, format; in order.
};

/// One connection manager with its routes and clusters: the ingress or the egress.
struct HopPlan {
  enum class Role : std::uint8_t { Ingress, Egress };
  Role role = Role::Ingress;
  std::string name;            ///< "ingress" or "egress".
  std::uint16_t port = 0;      ///< It listens on.
  bool loopback_only = false;  ///< Bound to 127.0.0.1 rather than to all addresses.
  bool accept_http1 = true;    ///< False for http2 and grpc listeners.
  bool websocket = true;
  enum class TlsMode : std::uint8_t { Disabled, Permissive, Strict };
  TlsMode tls_mode = TlsMode::Disabled;
  std::optional<TlsPlan> tls;  ///< Unless the mode is Disabled.
  /// More connections than this are closed, so long after they were accepted. Never of App Mesh.
  struct ConnectionLimit {
    std::uint32_t most = 0;
    Duration delay{};
  };
  std::optional<ConnectionLimit> connection_limit;
  /// Connections begin with a PROXY protocol header. Never of App Mesh (UP-72).
  enum class ProxyProtocol : std::uint8_t { No, Optional, Required };
  ProxyProtocol proxy_protocol = ProxyProtocol::No;
  /// The client's address is added to x-forwarded-for. Never of App Mesh (CD-03).
  bool use_remote_address = false;
  bool allow_connect = false;  ///< WebSocket over HTTP/2 (RFC 8441); not of App Mesh (AM-WS-02).
  RouteTable routes;
  std::vector<Cluster> clusters;
  HopTimers timers;
  std::optional<AccessLogPlan> access_log;
  /// A line for each connection when it has ended. Never of App Mesh.
  std::optional<AccessLogPlan> connection_log;
};

/// What a gateway is made of, compiled from mesh resources. Immutable and shared by instances.
///
/// Source: CD-01 to CD-08, ENV-HTTP-01 to -05.
struct GatewayPlan {
  std::string mesh;
  std::string gateway;
  std::vector<HopPlan> ingress;   ///< One for each listener.
  std::optional<HopPlan> egress;  ///< Absent in the flattened, single-hop form.
  /// Over which a drain grows. The real proxy's default (--drain-time-s).
  Duration drain_time = std::chrono::seconds(600);
};

}  // namespace proxy
