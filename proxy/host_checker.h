#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

#include "proxy/check_state.h"
#include "proxy/plan.h"
#include "proxy/upstream.h"
#include "wire/grpc.h"
#include "wire/message.h"
#include "world/timer.h"

namespace proxy {

/// Probes one endpoint of a cluster, again and again, on connections of its own.
///
/// Source: ENV-HC-01 to -11, -16.
class HostChecker final : private UpstreamRequest, private world::TransportEvents {
 public:
  /// `traffic` tells whether the cluster has carried a request. `counts` gets the probes' numbers.
  HostChecker(world::World& world, Cork& cork, const Cluster& cluster,
              const world::Endpoint& endpoint, const PoolCounts& traffic, HealthCounts& counts,
              HostCheckEvents& events, Secrets* secrets = nullptr);
  ~HostChecker();
  HostChecker(const HostChecker&) = delete;
  HostChecker& operator=(const HostChecker&) = delete;

  /// The first probe, at once.
  void start();
  /// The endpoint is not one of the cluster's any more: nothing is sent to it from now on.
  void stop();
  /// Where the next probes go.
  void move_to(const world::Endpoint& endpoint);
  /// Traffic was told by the endpoint that it fails. Source: ENV-HC-12.
  void fail_now();

  /// Whose health it is about, where it is a cluster's endpoint.
  void set_host(UpstreamHost& host) { host_ = &host; }
  UpstreamHost* host() const { return host_; }

  bool healthy() const { return state_.healthy(); }
  /// Whether no probe has come to its end yet.
  bool first() const { return state_.first(); }
  const CheckRecord& record() const { return record_; }

 private:
  const HealthCheckPlan& check() const { return *cluster_.health_check; }
  void probe();
  void prepare_request();
  void send_request(UpstreamStream& stream);
  CheckResult judge() const;
  CheckResult judge_grpc() const;
  void finish(CheckResult result);
  Duration interval(CheckResult result, CheckState::Transition transition) const;
  void await_next(CheckResult result, CheckState::Transition transition);
  void on_timeout();
  void on_interval();

  void on_upstream_ready(UpstreamStream& stream) override;
  void on_upstream_reset(ResetReason reason, std::string_view transport) override;
  void on_response_head(wire::ResponseHead& head) override;
  void on_response_body(std::string_view bytes, bool ends) override;
  void on_response_trailers(wire::HeaderMap& trailers) override;
  void on_response_complete() override;
  void on_upstream_drained() override {}

  // Of a TCP probe.
  void on_connected() override;
  void on_data(std::string_view) override {}
  void on_end() override {}
  void on_error(std::error_code error) override;
  void on_drained() override {}
  void finish_tcp(CheckResult result);

  world::World& world_;
  Cork& cork_;
  const Cluster& cluster_;
  Cluster probes_;  // the same endpoint for probes alone
  std::unique_ptr<Upstream> pool_;
  world::Endpoint endpoint_;
  UpstreamHost* host_ = nullptr;
  const PoolCounts& traffic_;
  HealthCounts& counts_;
  HostCheckEvents& events_;
  CheckState state_;
  CheckRecord record_;
  world::Timer timeout_timer_;
  world::Timer interval_timer_;
  world::TimePoint begun_{};  // the last probe
  bool probing_ = false;

  wire::RequestHead head_;  // of each probe
  std::string body_;

  // Of the probe under way.
  std::uint16_t status_ = 0;
  bool grpc_content_ = false;
  int grpc_status_ = -1;
  wire::grpc::MessageReader messages_;
  std::unique_ptr<TlsSide> tls_;
  bool lacks_secret_ = false;  // such a connection is of no use
  std::unique_ptr<world::Transport> transport_;
};

}  // namespace proxy
