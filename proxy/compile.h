#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "mesh/model.h"
#include "proxy/plan.h"
#include "world/result.h"

namespace proxy {

struct CompileOptions {
  /// One hop with rewrite, timeout and retries in one route, as people migrate to.
  bool single_hop = false;
  /// The first hop takes over a route's idle timeout. App Mesh's did not (CD-05); the recorded
  /// cases were measured so.
  bool ingress_idle_timeout = false;
};

/// Compiles a gateway and everything of its mesh that it reaches into a plan.
///
/// Requires: the mesh was validated. Errors: there is no such gateway.
/// Source: CD-01 to CD-08, AM-ORD-01 to -08, AM-REW-01 to -11, AM-TMO-02, AM-TMO-03,
/// AM-TLS-01 to -11, AM-MTL-01, AM-MTL-02.
world::Result<std::shared_ptr<const GatewayPlan>> compile(const mesh::Mesh& mesh,
                                                          std::string_view gateway,
                                                          const CompileOptions& options = {});

/// The name by which the world is asked for the instances of a Cloud Map service that have all of a
/// node's attributes: "books.shop.local;stage=blue". Source: AM-SHP-296 to -299.
std::string cloud_map_name(const mesh::Discovery& discovery);

/// TLS of a listener, be it a gateway's or a node's. Requires: it has_tls().
/// Clients must show a certificate as soon as there is a validation.
///
/// Source: AM-TLS-02, -07, -10, -11, AM-MTL-01.
TlsPlan listener_tls(const mesh::Listener& listener);

/// What whoever connects to a listener speaks when it has no policy of its own: TLS, unless the
/// listener has none. Source: AM-TLS-06.
std::optional<TlsPlan> tls_without_policy(const mesh::Listener& listener);

/// A listener's health check by one of the two readings. Source: HC-01 to -09.
HealthCheckPlan check_plan(const mesh::HealthCheck& from, HealthCheckPlan::Rules rules);

}  // namespace proxy
