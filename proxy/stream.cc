#include "proxy/stream.h"

#include <algorithm>
#include <cassert>
#include <charconv>

#include "proxy/path.h"
#include "proxy/request_rules.h"
#include "wire/grpc.h"
#include "wire/http1/connection_rules.h"

namespace proxy {
namespace {

using namespace std::chrono_literals;
using wire::Framing;
using wire::HeaderMap;
using wire::HeaderName;

constexpr Duration kDefaultTimeout = 15s;  // Envoy's own; AM-TMO-01
constexpr std::string_view kViaUpstream = "via_upstream";
constexpr std::string_view kImmediateFail = "x-envoy-immediate-health-check-fail";

std::string underscored(std::string_view text) {
  std::string out(text);
  std::replace(out.begin(), out.end(), ' ', '_');
  return out;
}

ResponseFlag flag_of(ResetReason reason) {
  switch (reason) {
    case ResetReason::RefusedConnection:
    case ResetReason::ConnectTimeout:
      return ResponseFlag::UpstreamFailure;
    case ResetReason::ConnectionTermination:
      return ResponseFlag::UpstreamClosed;
    case ResetReason::ProtocolError:
      return ResponseFlag::UpstreamProtocol;
    case ResetReason::ConnectError:
    case ResetReason::RemoteReset:
    case ResetReason::RemoteRefused:
      return ResponseFlag::UpstreamReset;
    case ResetReason::Overflow:
      return ResponseFlag::UpstreamOverflow;
    case ResetReason::NoHealthyHost:
      return ResponseFlag::NoHealthyUpstream;
  }
  return ResponseFlag::UpstreamFailure;
}

/// Writes a number into a header.
void set_number(HeaderMap& headers, HeaderName name, std::int64_t number) {
  char digits[24];
  const auto [end, error] = std::to_chars(digits, digits + sizeof(digits), number);
  (void)error;
  headers.set(name, {digits, static_cast<std::size_t>(end - digits)});
}

/// The gRPC status for an HTTP status. Source: ENV-HTTP-101.
int grpc_status_of(std::uint16_t status) {
  switch (status) {
    case 400:
      return 13;
    case 401:
      return 16;
    case 403:
      return 7;
    case 404:
      return 12;
    case 429:
    case 502:
    case 503:
    case 504:
      return 14;
    default:
      return 2;
  }
}

}  // namespace

Stream::Stream(Hop& hop)
    : hop_(hop),
      route_timer_(hop.world().loop(), hop.world().id(),
                   world::bind<&Stream::on_route_timeout>(this)),
      try_timer_(hop.world().loop(), hop.world().id(), world::bind<&Stream::on_try_timeout>(this)),
      idle_timer_(hop.world().loop(), hop.world().id(), world::bind<&Stream::on_idle>(this)),
      retry_timer_(hop.world().loop(), hop.world().id(), world::bind<&Stream::retry>(this)) {}

Stream::~Stream() = default;

void Stream::reset() {
  if (head_ != nullptr) hop_.give_back(std::move(head_));
  if (response_ != nullptr) hop_.give_back(std::move(response_));
  downstream_ = nullptr;
  authority_.clear();
  original_path_.clear();
  details_.clear();
  transport_failure_.clear();
  // Large bodies were rare: their memory is not kept.
  if (body_.capacity() > 4096) {
    body_ = {};
  } else {
    body_.clear();
  }
  tried_.clear();
  route_ = nullptr;
  upstream_ = nullptr;
  host_ = nullptr;
  forget_upstream();
  idle_after_ = {};
  completed_ = {};
  received_ = answered_ = 0;
  attempts_ = retries_ = 0;
  flags_ = status_ = 0;
  grpc_status_ = LogEntry::kNoGrpcStatus;
  upstream_local_ = {};
  keep_body_ = body_begun_ = request_complete_ = response_begun_ = response_complete_ = false;
  answer_ended_ = head_request_ = grpc_request_ = false;
  trailers_.reset();
  upgrade_ = tunnel_ = counted_retry_ = upstream_paused_ = ended_ = false;
}

Duration Stream::route_timeout() const {
  return route_ != nullptr && route_->timeout ? *route_->timeout : kDefaultTimeout;
}

// --- The request's way in --------------------------------------------------------------------

void Stream::begin(Responder& downstream, std::unique_ptr<wire::RequestHead> head, bool complete) {
  downstream_ = &downstream;
  head_ = std::move(head);
  started_ = active_at_ = hop_.world().now();
  ++hop_.active_requests_;
  ++hop_.requests_total_;
  request_complete_ = complete;
  if (complete) completed_ = started_;
  if (head_->scheme != "https") head_->scheme.clear();
  head_request_ = head_->method == "HEAD";
  upgrade_ = head_->upgrade;
  grpc_request_ = is_grpc();
  idle_after_ = hop_.plan().timers.stream_idle;
  if (idle_after_ > Duration::zero()) idle_timer_.start_after(idle_after_);
  // No try begins to count before the request is complete: until then its timer is free.
  const HopTimers& timers = hop_.plan().timers;
  if (timers.max_stream > Duration::zero()) {
    if (!age_timer_) {
      age_timer_.emplace(hop_.world().loop(), hop_.world().id(),
                         world::bind<&Stream::on_old>(this));
    }
    age_timer_->start_after(timers.max_stream);
  }
  const Duration whole = timers.request;
  if (whole > Duration::zero() && !complete) try_timer_.start_after(whole);

  const RequestVerdict verdict = check_request_head(*head_);
  authority_ = head_->headers.get(HeaderName::Host);
  if (verdict.closes) downstream.set_client_closes();
  if (verdict.expects_continue) {
    downstream.send_continue();
    head_->headers.remove(HeaderName::Expect);
  }
  if (verdict.status != 0) {
    if (verdict.status == 400) downstream.set_closing();
    local_reply(verdict.status, {}, verdict.details);
    return;
  }
  const bool connect = head_->method == "CONNECT";
  if (!connect && !normalize_path(head_->target)) {
    downstream.set_closing();
    local_reply(400, {}, "path_normalization_failed");
    return;
  }
  choose_route(prepare_headers());
}

/// What the connection manager itself removes and adds. Source: ENV-HTTP-41, -42, -44, -45.
/// False: without a scheme there is no route, as an empty x-forwarded-proto leaves none.
bool Stream::prepare_headers() {
  HeaderMap& headers = head_->headers;
  remove_connection_headers(headers, upgrade_);
  const std::size_t proto = headers.find(HeaderName::ForwardedProto);
  const bool routable = proto == HeaderMap::npos || !headers.value(proto).empty();
  if (proto == HeaderMap::npos) {
    const Origin* const origin = downstream_->origin().get();
    const bool secure = origin != nullptr && origin->tls;
    headers.add(HeaderName::ForwardedProto, secure ? std::string_view("https") : "http");
  }
  if (hop_.plan().use_remote_address) add_forwarded_for();
  const std::size_t id = headers.find(HeaderName::RequestId);
  const char decision = headers.find("x-client-trace-id") == HeaderMap::npos ? '9' : 'b';
  if (id == HeaderMap::npos) {
    headers.add(HeaderName::RequestId, hop_.new_request_id(decision));
  } else if (const std::string_view given = headers.value(id); given.empty()) {
    headers.set_value(id, hop_.new_request_id(decision));
  } else if (is_undecided_uuid(given)) {
    std::string marked(given);
    marked[kTraceDecisionAt] = decision;
    headers.set_value(id, marked);
  }
  return routable;
}

/// Source: ENV-LIFE-10.
void Stream::add_forwarded_for() {
  const Origin* const origin = downstream_->origin().get();
  const std::string client = origin != nullptr && origin->announced
                                 ? origin->announced->source.address_text()
                                 : downstream_->transport().remote().address_text();
  HeaderMap& headers = head_->headers;
  const std::string_view before = headers.get(HeaderName::ForwardedFor);
  headers.set(HeaderName::ForwardedFor,
              before.empty() ? client : std::string(before) + "," + client);
}

void Stream::choose_route(bool routable) {
  const RequestView view{head_->method, head_->target, authority_, head_->scheme_or_http(),
                         head_->headers};
  const VirtualHost* host = find_host(hop_.plan().routes, authority_);
  if (routable && host != nullptr && head_->method != "CONNECT") route_ = find_route(*host, view);
  if (route_ != nullptr && !route_->clusters.empty()) {
    upstream_ = &hop_.upstream(hop_.pick_cluster(*route_));
  }
  const bool websocket = hop_.plan().websocket && asks_for_websocket(head_->headers);
  if (route_ != nullptr && upgrade_ && !websocket) {
    local_reply(403, {}, "upgrade_failed");
    return;
  }
  if (route_ == nullptr) {
    set_flag(ResponseFlag::NoRoute);
    local_reply(404, {}, "route_not_found");
    return;
  }
  if (upstream_ == nullptr) {
    set_flag(ResponseFlag::NoCluster);
    local_reply(503, {}, "cluster_not_found");
    return;
  }
  if (route_->idle_timeout) {
    idle_after_ = *route_->idle_timeout;
    idle_timer_.stop();
    if (idle_after_ > Duration::zero()) idle_timer_.start_after(idle_after_);
  }
  set_expected_timeout();
  rewrite();
  keep_body_ = route_->retry && route_->retry->max_retries > 0;
  if (request_complete_) start_response_timers();
  send_upstream();
}

void Stream::set_expected_timeout() {
  const Duration whole = route_timeout();
  Duration expected = route_->retry ? route_->retry->per_try_timeout : Duration::zero();
  if (expected == Duration::zero() || (whole > Duration::zero() && expected >= whole)) {
    expected = whole;
  }
  if (expected == Duration::zero()) return;
  if (whole > Duration::zero() && attempts_ > 0 && request_complete_) {
    const Duration left = whole - (hop_.world().now() - completed_);
    expected = std::clamp<Duration>(expected, 1ms, std::max<Duration>(left, 1ms));
  }
  set_number(head_->headers, HeaderName::EnvoyExpectedTimeout,
             std::chrono::duration_cast<std::chrono::milliseconds>(expected).count());
}

/// Source: ENV-HTTP-03, -16, -17, -40, CD-05.
void Stream::rewrite() {
  HeaderMap& headers = head_->headers;
  if (route_->virtual_service_header) {
    headers.add(HeaderName::MeshVirtualService, *route_->virtual_service_header);
  }
  if (route_->host_rewrite) {
    if (!authority_.empty()) headers.set(HeaderName::EnvoyOriginalHost, authority_);
    authority_ = *route_->host_rewrite;
    headers.set(HeaderName::Host, authority_);
  }
  if (route_->prefix_rewrite || route_->path_rewrite) {
    headers.set(HeaderName::EnvoyOriginalPath, head_->target);
    head_->target = rewritten_target(*route_, head_->target);
  }
}

void Stream::send_upstream() {
  ++attempts_;
  const bool prefer_others = route_->retry && route_->retry->previous_hosts;
  upstream_->request(*this, prefer_others ? tried_ : std::vector<UpstreamHost*>(),
                     prefer_others ? route_->retry->host_selection_attempts : 1);
}

void Stream::on_upstream_ready(UpstreamStream& stream) {
  host_ = upstream_host();
  upstream_local_ = stream.transport().local();
  stream.lend(hop_.take_response_head());
  const bool ends = request_complete_ && !body_begun_ && trailers_ == nullptr;
  stream.send_head(*head_, {.ends = ends, .to_head = head_request_, .upgrade = upgrade_});
  hop_.world().trace(world::TraceKind::RouteChosen, downstream_->flow(), stream.flow(), attempts_,
                     route_->resource);
  // What follows an upgrade waits until the other side has agreed to it.
  if (body_begun_ && !upgrade_) {
    const bool last = request_complete_ && trailers_ == nullptr;
    if (!body_.empty() || last) stream.send_body(body_, last);
    if (!keep_body_) body_.clear();
  }
  if (trailers_ != nullptr) stream.send_trailers(*trailers_);
  if (request_complete_) start_try_timer();
}

void Stream::on_body(std::string_view bytes, bool ends) {
  if (ended_ || request_complete_) return;
  touch();
  received_ += bytes.size();
  body_begun_ = true;
  UpstreamStream* const stream = upstream_stream();
  if (stream != nullptr && (!upgrade_ || tunnel_)) {
    if (!bytes.empty() || ends) stream->send_body(bytes, ends);
    if (stream->unsent() > kBufferBytes) downstream_->pause();
  }
  keep_body(bytes, stream != nullptr);
  if (ends) request_ended();
}

/// What may be sent later, or again, is kept, as far as there is room.
void Stream::keep_body(std::string_view bytes, bool sent) {
  if (sent && (!upgrade_ || tunnel_)) {
    if (!keep_body_ || tunnel_) return;
    if (body_.size() + bytes.size() > kBufferBytes) {  // too large to be sent again
      keep_body_ = false;
      body_ = {};
      return;
    }
  }
  body_ += bytes;
  if (!sent && body_.size() > kBufferBytes) downstream_->pause();
}

void Stream::on_request_trailers(const HeaderMap& trailers) {
  if (ended_ || request_complete_) return;
  touch();
  if (keep_body_ || upstream_stream() == nullptr) trailers_ = std::make_unique<HeaderMap>(trailers);
  if (upstream_stream() != nullptr) upstream_stream()->send_trailers(trailers);
  request_ended();
}

void Stream::request_ended() {
  request_complete_ = true;
  completed_ = hop_.world().now();
  try_timer_.stop();
  if (upgrade_) return;  // a tunnel has no answer to wait for
  start_response_timers();
  if (upstream_stream() != nullptr) start_try_timer();
}

void Stream::start_response_timers() {
  const Duration timeout = route_timeout();
  if (timeout > Duration::zero()) route_timer_.start_after(timeout);
}

void Stream::start_try_timer() {
  if (!route_->retry) return;
  const Duration timeout = route_->retry->per_try_timeout;
  const Duration whole = route_timeout();
  if (timeout == Duration::zero() || (whole > Duration::zero() && timeout >= whole)) return;
  try_timer_.start_after(timeout);
}

void Stream::on_upstream_drained() {
  if (!ended_) downstream_->resume();
}

// --- What can go wrong -----------------------------------------------------------------------

void Stream::on_client_gone() {
  if (ended_) return;
  set_flag(ResponseFlag::DownstreamClosed);
  details_ = "downstream_remote_disconnect";
  end(true);
}

void Stream::on_client_reset(Responder& downstream, bool protocol, std::string_view details) {
  if (ended_) return;
  if (downstream_ == nullptr) begin_without_head(downstream);
  if (!details.empty()) {
    set_flag(protocol ? ResponseFlag::DownstreamProtocol : ResponseFlag::DownstreamReset);
  }
  details_ = details;
  end(true);
}

void Stream::on_cut_off(std::string_view details) {
  if (ended_) return;
  details_ = details;
  end(true);
}

void Stream::on_codec_error(Responder& downstream, const wire::CodecError& error) {
  if (downstream_ == nullptr) {
    begin_without_head(downstream);
  } else if (head_ != nullptr && route_ == nullptr) {
    hop_.give_back(std::move(head_));  // as if it had never been read
  }
  set_flag(ResponseFlag::DownstreamProtocol);
  ++hop_.counts_.protocol_errors;
  if (hop_.connection_log_format_) {
    ensure(downstream.origin()).flags |=
        static_cast<std::uint16_t>(ResponseFlag::DownstreamProtocol);
  }
  downstream.set_closing();
  if (error.status == 0 || response_begun_) {
    details_ = error.details;
    end(true);
    return;
  }
  grpc_request_ = false;
  local_reply(error.status, error.reason, error.details);
}

void Stream::begin_without_head(Responder& downstream) {
  downstream_ = &downstream;
  started_ = hop_.world().now();
  ++hop_.active_requests_;
  ++hop_.requests_total_;
}

void Stream::on_client_gone_early(Responder& downstream) {
  begin_without_head(downstream);
  on_client_gone();
}

void Stream::on_head_timeout(Responder& downstream, HeadTimeout timeout) {
  begin_without_head(downstream);
  downstream.set_closing();
  switch (timeout) {
    case HeadTimeout::Headers:
      local_reply(408, "request header timeout", "request_header_timeout");
      break;
    case HeadTimeout::Request:
      local_reply(408, "request timeout", "request_overall_timeout");
      break;
    case HeadTimeout::Idle:
      set_flag(ResponseFlag::StreamIdle);
      local_reply(408, "stream timeout", "stream_idle_timeout");
      break;
    case HeadTimeout::Age:
      local_reply(408, "downstream duration timeout", "max_duration_timeout");
      break;
  }
}

void Stream::on_route_timeout() {
  const Cork::Event event(hop_.cork());
  set_flag(ResponseFlag::UpstreamTimeout);
  ++upstream_->counts().timeouts;
  if (response_begun_) {
    details_ = "response_timeout";
    cut_off();
    return;
  }
  if (upstream_stream() != nullptr) report_no_answer(504);
  ++upstream_->counts().completed;
  local_reply(504, "upstream request timeout", "response_timeout");
}

void Stream::on_try_timeout() {
  const Cork::Event event(hop_.cork());
  if (response_begun_) return;
  if (!request_complete_) {
    local_reply(408, "request timeout", "request_overall_timeout");
    return;
  }
  // A 1xx ends both the try's timeout and all retries.
  if (upstream_stream() != nullptr && upstream_stream()->saw_interim()) return;
  if (host_ != nullptr) tried_.push_back(host_);
  if (upstream_stream() != nullptr) report_no_answer(504);
  upstream_->cancel(*this);
  if (route_->retry->on_reset && schedule_retry()) return;
  set_flag(ResponseFlag::UpstreamTimeout);
  ++upstream_->counts().completed;
  local_reply(504, "upstream request timeout", "upstream_per_try_timeout");
}

/// Restarts itself while there was activity: activity only leaves a time stamp.
void Stream::on_idle() {
  const Cork::Event event(hop_.cork());
  const world::TimePoint due = active_at_ + idle_after_;
  if (due > hop_.world().now()) {
    idle_timer_.start_at(due);
    return;
  }
  set_flag(ResponseFlag::StreamIdle);
  if (response_begun_) {
    details_ = "stream_idle_timeout";
    cut_off();
    return;
  }
  local_reply(request_complete_ ? 504 : 408, "stream timeout", "stream_idle_timeout");
}

/// Source: ENV-LIFE-05.
void Stream::on_old() {
  const Cork::Event event(hop_.cork());
  if (response_begun_) {
    details_ = "max_duration_timeout";
    cut_off();
    return;
  }
  local_reply(request_complete_ ? 504 : 408, "downstream duration timeout", "max_duration_timeout");
}

void Stream::on_upstream_reset(ResetReason reason, std::string_view transport) {
  host_ = upstream_host();
  try_timer_.stop();
  if (!transport.empty()) transport_failure_ = underscored(transport);
  if (tunnel_) {
    set_flag(flag_of(reason));
    details_ = "upstream_reset_after_response_started{" + underscored(reset_text(reason)) + "}";
    end(false);
    return;
  }
  if (response_begun_) {
    set_flag(flag_of(reason));
    details_ = "upstream_reset_after_response_started{" + underscored(reset_text(reason)) + "}";
    cut_off();
    return;
  }
  if (host_ != nullptr) tried_.push_back(host_);
  if (reason != ResetReason::Overflow) report_no_answer(503);
  if (!interim() && retry_on_reset(reason)) return;
  set_flag(flag_of(reason));
  ++upstream_->counts().completed;
  if (reason == ResetReason::NoHealthyHost) {
    local_reply(503, "no healthy upstream", "no_healthy_upstream");
    return;
  }
  const std::string_view text = reset_text(reason);
  std::string body = "upstream connect error or disconnect/reset before headers. ";
  body += retries_ > 0 ? "retried and the latest reset reason: " : "reset reason: ";
  body += text;
  // A 1xx that was not passed on counts as the begin of a response.
  std::string details = interim() ? "upstream_reset_after_response_started{"
                                  : "upstream_reset_before_response_started{";
  details += underscored(text);
  if (!transport.empty()) details += "|" + transport_failure_;
  details += "}";
  local_reply(reason == ResetReason::ProtocolError ? 502 : 503, body, details,
              reason == ResetReason::Overflow);
}

/// The endpoint did not answer, which counts as if it had with that status.
void Stream::report_no_answer(std::uint16_t status) {
  if (host_ != nullptr && upstream_->judges_answers()) upstream_->report(*host_, status);
}

// --- Retries ---------------------------------------------------------------------------------

bool Stream::retry_on_status(const wire::ResponseHead& head) {
  if (!route_->retry) return false;
  const RetryPolicy& policy = *route_->retry;
  bool wanted = policy.statuses.count(head.status) != 0;
  if (!wanted && !policy.grpc_statuses.empty()) {
    const std::string_view text = head.headers.get(HeaderName::GrpcStatus);
    int status = -1;
    std::from_chars(text.data(), text.data() + text.size(), status);
    wanted = policy.grpc_statuses.count(status) != 0;
  }
  if (!wanted || head.headers.has(HeaderName::EnvoyRateLimited)) return no_retry();
  return schedule_retry();
}

bool Stream::retry_on_reset(ResetReason reason) {
  if (!route_->retry) return false;
  const RetryPolicy& policy = *route_->retry;
  switch (reason) {
    case ResetReason::RefusedConnection:
    case ResetReason::ConnectTimeout:
      if (!policy.on_connect_failure && !policy.on_reset) return no_retry();
      break;
    case ResetReason::ConnectionTermination:
    case ResetReason::ProtocolError:
      if (!policy.on_reset) return no_retry();
      break;
    case ResetReason::ConnectError:
    case ResetReason::RemoteReset:
      if (!policy.on_reset) return no_retry();
      break;
    case ResetReason::RemoteRefused:
      if (!policy.on_refused_stream && !policy.on_reset) return no_retry();
      break;
    case ResetReason::Overflow:
    case ResetReason::NoHealthyHost:
      return no_retry();
  }
  return schedule_retry();
}

/// This try was the last one that was wanted.
bool Stream::no_retry() {
  if (std::exchange(counted_retry_, false)) {
    --upstream_->counts().retries;
    ++upstream_->counts().retries_succeeded;
  }
  return false;
}

/// Waits for the back-off, unless the limits say that this was the last try.
/// Source: ENV-HTTP-80, -81, ENV-POOL-32, -33.
bool Stream::schedule_retry() {
  PoolCounts& counts = upstream_->counts();
  if (std::exchange(counted_retry_, false)) --counts.retries;
  const RetryPolicy& policy = *route_->retry;
  if (retries_ >= policy.max_retries) {
    ++counts.retry_limits;
    set_flag(ResponseFlag::RetryLimit);
    return false;
  }
  if (!keep_body_ && received_ > 0) return false;
  if (!upstream_->retry_allowed()) {
    ++counts.retry_overflow;
    set_flag(ResponseFlag::UpstreamOverflow);
    return false;
  }
  ++counts.retries;
  counted_retry_ = true;
  const Duration longest = std::min<Duration>(
      policy.backoff_base * (1 << std::min<std::uint32_t>(retries_, 16)), policy.backoff_most);
  const auto most = std::chrono::duration_cast<std::chrono::milliseconds>(longest).count();
  ++retries_;
  const auto millis = hop_.draw_backoff(static_cast<std::uint64_t>(most));
  retry_timer_.start_after(std::chrono::milliseconds(millis));
  return true;
}

void Stream::retry() {
  const Cork::Event event(hop_.cork());
  ++upstream_->counts().retries_total;
  set_expected_timeout();
  send_upstream();
}

// --- The answer ------------------------------------------------------------------------------

/// Passed on or not, an answer tells about its endpoint. Source: ENV-HC-12, -18.
void Stream::report_answer(const wire::ResponseHead& head) {
  if (upstream_->judges_answers()) upstream_->report(*host_, head.status);
  if (upstream_->checks_hosts() && head.headers.find(kImmediateFail) != HeaderMap::npos) {
    upstream_->report_failing(*host_);
  }
}

void Stream::on_response_head(wire::ResponseHead& head) {
  touch();
  UpstreamStream& stream = *upstream_stream();
  report_answer(head);
  if (!stream.saw_interim() && retry_on_status(head)) {
    if (host_ != nullptr) tried_.push_back(host_);
    try_timer_.stop();
    if (head.framing == Framing::None) {
      upstream_->leave(*this);  // nothing more comes: the connection can be used again
    } else {
      upstream_->cancel(*this);
    }
    return;
  }
  try_timer_.stop();
  response_ = stream.take_head();
  details_ = kViaUpstream;
  ++upstream_->counts().completed;
  if (upgrade_ && head.status == 101 && wire::http1::is_upgrade(head.headers)) {
    tunnel_ = true;
    stream.become_tunnel();
  } else if (upgrade_ && head.status < 400) {
    // An upgrade is answered by 101, by an error, or not at all (ENV-HTTP-92).
    response_->headers.remove(HeaderName::ContentLength);
    if (head.status != 101) details_ = "websocket_handshake_unsuccessful";
    downstream_->set_closing();
    write_response_head(*response_, true);
    finish_response();
    return;
  }
  write_response_head(*response_, head.framing == Framing::None);
  if (tunnel_ && !body_.empty()) {
    stream.send_body(body_, false);
    body_.clear();
  }
}

void Stream::write_response_head(wire::ResponseHead& head, bool ends) {
  HeaderMap& headers = head.headers;
  status_ = head.status;
  response_begun_ = true;
  remove_response_headers(headers, tunnel_);
  if (route_ != nullptr && route_->remove_virtual_service_header) {
    headers.remove(HeaderName::MeshVirtualService);
  }
  if (request_complete_ && !upgrade_) {
    const auto taken = hop_.world().now() - completed_;
    set_number(headers, HeaderName::EnvoyUpstreamServiceTime,
               std::chrono::duration_cast<std::chrono::milliseconds>(taken).count());
  }
  if (!headers.has(HeaderName::Date)) headers.add(HeaderName::Date, hop_.date());
  headers.set(HeaderName::Server, "envoy");
  send_answer_head(ends);
}

void Stream::send_answer_head(bool ends) {
  answer_ended_ = ends;
  downstream_->send_head(*response_, {.ends = ends,
                                      .request_complete = request_complete_,
                                      .to_head = head_request_,
                                      .tunnel = tunnel_});
}

void Stream::on_response_body(std::string_view bytes, bool ends) {
  if (ended_) return;
  touch();
  answered_ += bytes.size();
  answer_ended_ = ends;
  downstream_->send_body(bytes, ends);
  if (!upstream_paused_ && downstream_->unsent() > kBufferBytes && upstream_stream() != nullptr) {
    upstream_paused_ = true;
    upstream_stream()->pause();
  }
}

void Stream::on_response_trailers(HeaderMap& trailers) {
  if (ended_) return;
  touch();
  if (grpc_request_) read_grpc_status(trailers);
  answer_ended_ = true;
  downstream_->send_trailers(trailers);
}

void Stream::on_downstream_drained() {
  if (ended_ || !std::exchange(upstream_paused_, false)) return;
  if (UpstreamStream* stream = upstream_stream()) stream->resume();
}

void Stream::on_response_complete() {
  if (!ended_) finish_response();
}

void Stream::finish_response() {
  if (!answer_ended_) downstream_->send_body({}, true);
  response_complete_ = true;
  end(false);
}

/// Source: ENV-HTTP-52, -53, -60 to -66, -101.
void Stream::local_reply(std::uint16_t status, std::string_view body, std::string_view details,
                         bool overloaded) {
  details_ = details;
  response_ = hop_.take_response_head();
  response_->status = status;
  HeaderMap& headers = response_->headers;
  if (overloaded) headers.add(HeaderName::EnvoyOverloaded, "true");
  if (grpc_request_) {
    response_->status = 200;
    grpc_status_ = grpc_status_of(status);
    headers.add(HeaderName::ContentType, "application/grpc");
    set_number(headers, HeaderName::GrpcStatus, grpc_status_);
    if (!body.empty() && !head_request_)
      headers.add(HeaderName::GrpcMessage, wire::grpc::escape(body));
    body = {};
  } else if (!body.empty()) {
    set_number(headers, HeaderName::ContentLength, static_cast<std::int64_t>(body.size()));
    headers.add(HeaderName::ContentType, "text/plain");
  }
  headers.add(HeaderName::Date, hop_.date());
  headers.add(HeaderName::Server, "envoy");
  status_ = response_->status;
  response_begun_ = true;
  const bool has_body = !body.empty() && !head_request_;
  send_answer_head(!has_body);
  if (has_body) {
    answered_ += body.size();
    downstream_->send_body(body, true);
  }
  response_complete_ = true;
  end(false);
}

void Stream::cut_off() {
  downstream_->set_closing();
  end(!tunnel_);
}

/// The last thing that a stream does: afterwards it may already serve another request.
void Stream::end(bool reset) {
  if (std::exchange(ended_, true)) return;
  route_timer_.stop();
  try_timer_.stop();
  idle_timer_.stop();
  retry_timer_.stop();
  if (age_timer_) age_timer_->stop();
  if (upstream_ != nullptr) {
    if (std::exchange(counted_retry_, false)) --upstream_->counts().retries;
    if (upstream_paused_ && upstream_stream() != nullptr) upstream_stream()->resume();
    upstream_->cancel(*this);
  }
  --hop_.active_requests_;
  trace_end();
  write_log();
  Responder& downstream = *downstream_;
  if (tunnel_ && !reset) downstream.set_closing();
  downstream.stream_ended(request_complete_, reset);
}

/// An answer passed on whole needs no word: the client's own event tells of it.
void Stream::trace_end() {
  if (flags_ == 0 && details_ == "via_upstream") return;
  hop_.world().trace(world::TraceKind::LocalReply, downstream_->flow(), flags_, status_, details_);
}

void Stream::read_grpc_status(const HeaderMap& headers) {
  const std::string_view text = headers.get(HeaderName::GrpcStatus);
  if (text.empty()) return;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, grpc_status_);
  if (read.ec != std::errc() || read.ptr != end || grpc_status_ < 0) grpc_status_ = -1;
}

void Stream::write_log() {
  if (!hop_.log_format_) return;
  LogEntry entry;
  entry.started = hop_.world().calendar() - (hop_.world().now() - started_);
  entry.duration = hop_.world().now() - started_;
  entry.protocol = downstream_->protocol() == Protocol::Http2 ? "HTTP/2" : "HTTP/1.1";
  entry.scheme = "http";
  if (head_ != nullptr) {
    entry.method = head_->method;
    if (head_->method != "CONNECT") entry.path = head_->target;
    if (head_->headers.has(HeaderName::Host)) entry.authority = authority_;
    entry.request = &head_->headers;
  }
  if (response_ != nullptr) entry.response = &response_->headers;
  entry.status = status_;
  entry.flags = flags_;
  entry.details = details_;
  entry.transport_failure = transport_failure_;
  if (route_ != nullptr) entry.route = route_->name;
  if (upstream_ != nullptr) entry.cluster = upstream_->cluster().name;
  if (upstream_address() != nullptr) entry.host = *upstream_address();
  entry.received = received_;
  entry.sent = answered_;
  entry.attempts = attempts_;
  if (grpc_request_ && grpc_status_ == LogEntry::kNoGrpcStatus && response_ != nullptr) {
    read_grpc_status(response_->headers);
    if (grpc_status_ == LogEntry::kNoGrpcStatus && status_ != 0)
      grpc_status_ = grpc_status_of(status_);
  }
  entry.grpc_status = grpc_status_;
  entry.tell_origin(downstream_->origin().get());
  entry.downstream_remote = downstream_->transport().remote();
  entry.downstream_local = downstream_->transport().local();
  entry.upstream_known = upstream_local_.port != 0;
  entry.upstream_local = upstream_local_;
  hop_.log(entry, downstream_->flow());
}

}  // namespace proxy
