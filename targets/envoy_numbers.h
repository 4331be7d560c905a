#pragma once

#include <set>
#include <string>

#include "conformance/target.h"

namespace targets {

/// What an Envoy's administration interface tells, as numbers of a virtual gateway.
class EnvoyNumbers {
 public:
  explicit EnvoyNumbers(const proxy::GatewayPlan& plan);

  static constexpr const char* kStats =
      "GET "
      "/stats?format=json&filter=%5E(sds%5C..*%5C.update_success|cluster%5C..*%5C.upstream_(cx_"
      "active|rq_pending_active|"
      "rq_pending_overflow|rq_active_overflow|rq_retry)|http%5C.ingress%5C.downstream_(rq_active|"
      "rq_total|cx_active))"
      "$";
  static constexpr const char* kClusters = "GET /clusters?format=json";

  void read_stats(const std::string& body);
  void read_clusters(const std::string& body);
  const conformance::GatewayNumbers& numbers() const { return numbers_; }
  /// How often secrets have been read so far, all together.
  std::int64_t secrets_read() const { return secrets_read_; }

 private:
  std::set<std::string> first_;  // the clusters of the first hop
  conformance::GatewayNumbers numbers_;
  std::int64_t secrets_read_ = 0;
};

}  // namespace targets
