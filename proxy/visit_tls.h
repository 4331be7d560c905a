#pragma once

#include "proxy/plan.h"

namespace proxy {

/// Calls `visit` for the TLS of each listener and of each cluster of a plan.
template <class Visit>
void visit_tls(const GatewayPlan& plan, Visit&& visit) {
  const auto hop = [&](const HopPlan& one) {
    if (one.tls) visit(*one.tls);
    for (const Cluster& cluster : one.clusters) {
      if (cluster.tls) visit(*cluster.tls);
    }
  };
  for (const HopPlan& one : plan.ingress) hop(one);
  if (plan.egress) hop(*plan.egress);
}

}  // namespace proxy
