#include "proxy/host_checker.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "proxy/tls_side.h"
#include "wire/grpc_health.h"

namespace proxy {
namespace {

using Kind = HealthCheckPlan::Kind;
using Ranges = std::vector<std::pair<std::uint16_t, std::uint16_t>>;
using wire::HeaderName;

constexpr std::string_view kUserAgent = "Envoy/HC";

bool contains(const Ranges& ranges, std::uint16_t status) {
  return std::any_of(ranges.begin(), ranges.end(), [status](const auto& range) {
    return status >= range.first && status < range.second;
  });
}

/// Status of a gRPC answer; -1 for none, or for one that is no number.
int grpc_status(const wire::HeaderMap& headers) {
  const std::string_view text = headers.get(HeaderName::GrpcStatus);
  int status = -1;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), status);
  return read.ec == std::errc() && read.ptr == text.data() + text.size() ? status : -1;
}

/// The cluster that only the probes of an endpoint use: without limits, and never given up before
/// the probe's own timeout.
Cluster cluster_of_probes(const Cluster& cluster) {
  Cluster probes;
  probes.name = cluster.name;
  const Kind kind = cluster.health_check->kind;
  probes.protocol = kind == Kind::Http2 || kind == Kind::Grpc ? Protocol::Http2 : Protocol::Http1;
  probes.discovery = Cluster::Discovery::Self;
  probes.tls = cluster.tls;
  probes.connect_timeout = {};
  probes.idle_timeout = {};
  return probes;
}

}  // namespace

HostChecker::HostChecker(world::World& world, Cork& cork, const Cluster& cluster,
                         const world::Endpoint& endpoint, const PoolCounts& traffic,
                         HealthCounts& counts, HostCheckEvents& events, Secrets* secrets)
    : world_(world),
      cork_(cork),
      cluster_(cluster),
      probes_(cluster_of_probes(cluster)),
      traffic_(traffic),
      counts_(counts),
      events_(events),
      state_(*cluster.health_check),
      timeout_timer_(world.loop(), world.id(), world::bind<&HostChecker::on_timeout>(this)),
      interval_timer_(world.loop(), world.id(), world::bind<&HostChecker::on_interval>(this)) {
  if (check().kind != Kind::Tcp) {
    pool_ = std::make_unique<Upstream>(world, cork, probes_, secrets);
    prepare_request();
  } else if (cluster.tls) {
    tls_ = std::make_unique<TlsSide>(world, *cluster.tls, secrets);
  }
  move_to(endpoint);
}

HostChecker::~HostChecker() = default;

void HostChecker::move_to(const world::Endpoint& endpoint) {
  endpoint_ = {endpoint.address, check().port.value_or(endpoint.port)};
  if (pool_ != nullptr) pool_->use({{endpoint_.address, endpoint_.port}});
}

void HostChecker::start() {
  probe();
}

void HostChecker::stop() {
  interval_timer_.stop();
  timeout_timer_.stop();
  if (pool_ == nullptr) {
    transport_.reset();
    return;
  }
  if (std::exchange(probing_, false)) pool_->cancel(*this);
  pool_->close_connections();
}

void HostChecker::on_interval() {
  const Cork::Event event(cork_);
  probe();
}

void HostChecker::probe() {
  ++counts_.attempts;
  probing_ = true;
  begun_ = world_.now();
  status_ = 0;
  grpc_content_ = false;
  grpc_status_ = -1;
  messages_ = {};
  timeout_timer_.start_after(check().timeout);
  if (pool_ == nullptr) {
    transport_ = tls_ != nullptr ? tls_->connect(endpoint_, *this) : nullptr;
    lacks_secret_ = tls_ != nullptr && transport_ == nullptr;
    if (transport_ == nullptr) transport_ = world_.connect(endpoint_, *this);
    return;
  }
  forget_upstream();
  pool_->request(*this, {}, 1);
}

// --- The request -----------------------------------------------------------------------------

void HostChecker::on_upstream_ready(UpstreamStream& stream) {
  send_request(stream);
}

/// All probes send the same head: codecs add nothing to one like it.
void HostChecker::prepare_request() {
  const HealthCheckPlan& plan = check();
  const bool grpc = plan.kind == Kind::Grpc;
  head_.method = grpc ? "POST" : "GET";
  head_.target = grpc ? std::string(wire::grpc::kHealthCheckPath) : plan.path;
  head_.scheme = "http";
  using enum HeaderName;
  if (grpc) {
    head_.pseudo_order = {PseudoMethod, PseudoPath, PseudoAuthority, PseudoScheme};
  } else {
    head_.pseudo_order = {PseudoMethod, PseudoAuthority, PseudoPath, PseudoScheme};
  }
  wire::HeaderMap& headers = head_.headers;
  headers.add(Host, plan.host.empty() ? cluster_.name : plan.host);
  if (!grpc) {
    headers.add("user-agent", kUserAgent);
    return;
  }
  headers.add("te", "trailers");
  headers.add(ContentType, "application/grpc");
  headers.add("user-agent", kUserAgent);
  const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(plan.timeout);
  headers.add("grpc-timeout", fmt::format("{}m", millis.count()));
  wire::grpc::append_message(body_, wire::grpc::health_check_request(plan.service));
}

void HostChecker::send_request(UpstreamStream& stream) {
  stream.send_head(head_, {.ends = body_.empty()});
  if (!body_.empty()) stream.send_body(body_, true);
}

// --- The answer ------------------------------------------------------------------------------

void HostChecker::on_response_head(wire::ResponseHead& head) {
  status_ = head.status;
  if (check().kind != Kind::Grpc) return;
  const std::string_view content = head.headers.get(HeaderName::ContentType);
  grpc_content_ = content.rfind("application/grpc", 0) == 0;
  grpc_status_ = grpc_status(head.headers);
}

void HostChecker::on_response_body(std::string_view bytes, bool) {
  if (check().kind == Kind::Grpc) messages_.feed(bytes);
}

void HostChecker::on_response_trailers(wire::HeaderMap& trailers) {
  grpc_status_ = grpc_status(trailers);
}

void HostChecker::on_response_complete() {
  finish(judge());
}

void HostChecker::on_upstream_reset(ResetReason, std::string_view) {
  finish(CheckResult::NetworkFailure);
}

CheckResult HostChecker::judge() const {
  if (check().kind == Kind::Grpc) return judge_grpc();
  if (contains(check().expected_statuses, status_)) return CheckResult::Success;
  return contains(check().retriable_statuses, status_) ? CheckResult::RetriableFailure
                                                       : CheckResult::Failure;
}

/// SERVING alone is a success. Source: HC-08, ENV-HC-07.
CheckResult HostChecker::judge_grpc() const {
  if (status_ != 200 || !grpc_content_ || grpc_status_ != 0) return CheckResult::Failure;
  wire::grpc::MessageReader messages = messages_;
  const auto message = messages.next();
  if (!message || message->compressed || messages.partial()) return CheckResult::Failure;
  return wire::grpc::serving_status(message->bytes) == wire::grpc::ServingStatus::Serving
             ? CheckResult::Success
             : CheckResult::Failure;
}

void HostChecker::on_timeout() {
  const Cork::Event event(cork_);
  if (pool_ == nullptr) {
    finish_tcp(CheckResult::NetworkFailure);
    return;
  }
  pool_->cancel(*this);
  // Of gRPC only the stream ends (ENV-HC-11).
  if (check().kind != Kind::Grpc) pool_->close_connections();
  finish(CheckResult::NetworkFailure);
}

// --- TCP: the handshake is all ---------------------------------------------------------------

void HostChecker::on_connected() {
  finish_tcp(lacks_secret_ ? CheckResult::NetworkFailure : CheckResult::Success);
}

void HostChecker::on_error(std::error_code) {
  if (probing_) finish_tcp(CheckResult::NetworkFailure);
}

void HostChecker::finish_tcp(CheckResult result) {
  transport_->close();
  finish(result);
}

// --- What comes of it ------------------------------------------------------------------------

void HostChecker::finish(CheckResult result) {
  timeout_timer_.stop();
  probing_ = false;
  if (pool_ != nullptr && !check().reuse_connection) pool_->close_connections();
  if (result == CheckResult::Success) {
    ++counts_.successes;
  } else {
    ++counts_.failures;
    if (result == CheckResult::NetworkFailure) ++counts_.network_failures;
  }
  record_.add(result, status_);
  const CheckState::Transition transition = state_.take(result);
  await_next(result, transition);
  events_.on_checked(*this, result, transition);
}

void HostChecker::fail_now() {
  ++counts_.failures;
  record_.add(CheckResult::Failure, 0);
  const CheckState::Transition transition = state_.take(CheckResult::Failure);
  events_.on_checked(*this, CheckResult::Failure, transition);
}

void HostChecker::await_next(CheckResult result, CheckState::Transition transition) {
  if (check().rules == HealthCheckPlan::Rules::Letter) {
    interval_timer_.start_at(std::max(begun_ + check().interval, world_.now()));
  } else {
    interval_timer_.start_after(interval(result, transition));
  }
}

/// An edge interval holds while a change is near, not after it. Source: ENV-HC-05, -16.
Duration HostChecker::interval(CheckResult result, CheckState::Transition transition) const {
  const HealthCheckPlan& plan = check();
  if (traffic_.connections_total == 0) return plan.no_traffic_interval;
  const bool near = transition == CheckState::Transition::Pending;
  if (result == CheckResult::Success) {
    return near ? plan.healthy_edge_interval.value_or(plan.interval) : plan.interval;
  }
  const Duration unhealthy = plan.unhealthy_interval.value_or(plan.interval);
  return near ? plan.unhealthy_edge_interval.value_or(unhealthy) : unhealthy;
}

}  // namespace proxy
