#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "proxy/check_state.h"
#include "proxy/plan.h"
#include "world/transport.h"

namespace proxy {

/// What the pools of a cluster hold at an instant, and what has happened to them so far.
///
/// Behind each number: its name among the real proxy's statistics, which operators know.
/// Source: ENV-POOL-05, -21, -22, ENV-POOL-29 to -33.
struct PoolCounts {
  std::uint64_t connections = 0;  ///< upstream_cx_active
  std::uint64_t pending = 0;      ///< upstream_rq_pending_active
  std::uint64_t requests = 0;     ///< upstream_rq_active
  std::uint64_t retries = 0;      ///< Requests that wait for their next try, or are at it.

  std::uint64_t connections_total = 0;    ///< upstream_cx_total
  std::uint64_t connection_overflow = 0;  ///< upstream_cx_overflow
  std::uint64_t connect_failures = 0;     ///< upstream_cx_connect_fail
  std::uint64_t connect_timeouts = 0;     ///< upstream_cx_connect_timeout
  std::uint64_t connections_used_up = 0;  ///< upstream_cx_max_requests
  std::uint64_t close_notifies = 0;       ///< upstream_cx_close_notify
  std::uint64_t closed_here = 0;          ///< upstream_cx_destroy_local
  std::uint64_t closed_there = 0;         ///< upstream_cx_destroy_remote
  std::uint64_t no_host = 0;              ///< upstream_cx_none_healthy
  std::uint64_t requests_total = 0;       ///< upstream_rq_total
  std::uint64_t pending_total = 0;        ///< upstream_rq_pending_total
  std::uint64_t pending_overflow = 0;     ///< upstream_rq_pending_overflow
  std::uint64_t active_overflow = 0;      ///< upstream_rq_active_overflow
  std::uint64_t pending_failures = 0;     ///< upstream_rq_pending_failure_eject
  std::uint64_t timeouts = 0;             ///< upstream_rq_timeout
  std::uint64_t cancelled = 0;            ///< upstream_rq_cancelled
  std::uint64_t resets_received = 0;      ///< upstream_rq_rx_reset
  std::uint64_t resets_sent = 0;          ///< upstream_rq_tx_reset
  std::uint64_t completed = 0;            ///< upstream_rq_completed
  std::uint64_t retries_total = 0;        ///< upstream_rq_retry
  std::uint64_t retries_succeeded = 0;    ///< upstream_rq_retry_success
  std::uint64_t retry_limits = 0;         ///< upstream_rq_retry_limit_exceeded
  std::uint64_t retry_overflow = 0;       ///< upstream_rq_retry_overflow
};

/// Which limits of a cluster are reached at an instant: circuit_breakers.default.*.
struct OpenCircuits {
  bool connections = false;  ///< cx_open
  bool pending = false;      ///< rq_pending_open
  bool requests = false;     ///< rq_open
  bool retries = false;      ///< rq_retry_open
};

/// What the checks of a cluster's endpoints, and outlier detection, have seen so far.
struct HealthCounts {
  std::uint64_t attempts = 0;          ///< health_check.attempt: probes that were begun.
  std::uint64_t successes = 0;         ///< health_check.success
  std::uint64_t failures = 0;          ///< health_check.failure, network failures included.
  std::uint64_t network_failures = 0;  ///< health_check.network_failure
  std::uint64_t changes = 0;           ///< membership_change
  std::uint64_t panics = 0;            ///< lb_healthy_panic: picks among all endpoints.

  std::uint64_t ejections = 0;           ///< outlier_detection.ejections_consecutive_5xx
  std::uint64_t ejections_detected = 0;  ///< outlier_detection.ejections_detected_consecutive_5xx
  std::uint64_t ejections_overflow = 0;  ///< outlier_detection.ejections_overflow
};

/// One endpoint of a cluster at an instant.
struct HostState {
  world::Endpoint endpoint;
  bool failed_check = false;  ///< By active checks; false where there are none.
  bool excluded = false;      ///< By an answer that told so: immediate-health-check-fail.
  bool ejected = false;       ///< By outlier detection.
  bool usable = true;         ///< As the balancer of the cluster has been told so far.
  CheckRecord checks;         ///< Nothing in it where there are none.

  bool healthy() const { return !failed_check && !ejected; }
};

/// What a listener and its connection manager have seen so far.
struct ListenerCounts {
  std::uint64_t connections_total = 0;     ///< listener.*.downstream_cx_total, past its filters.
  std::uint64_t connections = 0;           ///< listener.*.downstream_cx_active
  std::uint64_t filter_timeouts = 0;       ///< listener.*.downstream_pre_cx_timeout
  std::uint64_t proxy_header_errors = 0;   ///< listener.*.downstream_cx_proxy_proto_error
  std::uint64_t proxy_v1_found = 0;        ///< proxy_proto.versions.v1.found
  std::uint64_t proxy_v1_errors = 0;       ///< proxy_proto.versions.v1.error
  std::uint64_t proxy_v2_found = 0;        ///< proxy_proto.versions.v2.found
  std::uint64_t proxy_v2_errors = 0;       ///< proxy_proto.versions.v2.error
  std::uint64_t proxy_absent_allowed = 0;  ///< proxy_proto.not_found_allowed
  std::uint64_t proxy_absent_refused = 0;  ///< proxy_proto.not_found_disallowed
  std::uint64_t requests_total = 0;        ///< http.*.downstream_rq_total
  std::uint64_t requests = 0;              ///< http.*.downstream_rq_active
  std::uint64_t protocol_errors = 0;       ///< http.*.downstream_cx_protocol_error
};

/// What TLS of a listener or a cluster has seen so far: listener.*.ssl.*, cluster.*.ssl.*.
struct TlsCounts {
  std::uint64_t handshakes = 0;             ///< handshake
  std::uint64_t resumed = 0;                ///< session_reused
  std::uint64_t no_certificate = 0;         ///< no_certificate: good ones without the peer's.
  std::uint64_t connection_errors = 0;      ///< connection_error
  std::uint64_t verify_no_certificate = 0;  ///< fail_verify_no_cert
  std::uint64_t verify_errors = 0;          ///< fail_verify_error
  std::uint64_t verify_names = 0;           ///< fail_verify_san
  std::uint64_t secrets_missing = 0;        ///< *_context_secrets_not_ready
  std::uint64_t updates = 0;                ///< ssl_context_update_by_sds
};

/// One listener of a gateway, as it is seen from outside.
struct ListenerState {
  const HopPlan* hop = nullptr;
  ListenerCounts counts;
  TlsCounts tls;
};

/// One cluster of a gateway, as it is seen from outside.
struct ClusterState {
  const HopPlan* hop = nullptr;
  const Cluster* cluster = nullptr;
  PoolCounts pool;
  TlsCounts tls;
  OpenCircuits open;
  HealthCounts health;
  std::vector<HostState> hosts;  ///< In the order of discovery.
};

}  // namespace proxy
