#include "conformance/observer.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "proxy/access_log.h"

namespace conformance {
namespace {

constexpr std::size_t kTextBytes = 160;    // of an event on the timeline
constexpr std::size_t kBodyBytes = 65536;  // of a body that is kept
/// Real time within which a gateway that is not ours tells of a request that has ended, if ever.
constexpr world::Duration kLongestSilence = std::chrono::milliseconds(200);

/// One printable line.
std::string one_line(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (out.size() >= kTextBytes) return out + "...";
    if (c == '\r') continue;
    if (c == '\n') {
      out += " | ";
    } else if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out;
}

/// What bytes of TLS begin with, in place of what nobody can read; empty: they are none.
std::string_view record_of(std::string_view bytes) {
  constexpr std::string_view kNames[] = {"TLS change of keys", "TLS alert", "TLS handshake",
                                         "TLS data"};
  constexpr int kFirst = 20;
  if (bytes.size() < 3 || bytes[1] != 3 || bytes[0] < kFirst || bytes[0] > kFirst + 3) return {};
  return kNames[bytes[0] - kFirst];
}

std::vector<ObservedRequest::Frame> observed_frames(std::span<const peers::WebSocketFrame> frames) {
  std::vector<ObservedRequest::Frame> out;
  for (const peers::WebSocketFrame& frame : frames) {
    out.push_back({frame.at, std::string(word_of(frame.opcode)), frame.bytes, frame.code});
  }
  return out;
}

ObservedRequest::Tls agreed_tls(const wire::tls::Agreed& agreed) {
  constexpr std::size_t kPrefix = 4;  // of "TLSv1.3"
  return {.version = std::string(wire::tls::text_of(agreed.version)).substr(kPrefix),
          .alpn = agreed.alpn,
          .cipher = agreed.cipher,
          .server_name = agreed.server_name,
          .resumed = agreed.resumed,
          .server_certificate = {},
          .client_certificate = {},
          .failed = {},
          .refused_by = {},
          .reason = {}};
}

/// Times in headers become those of the scenario.
void set_times(std::vector<std::pair<std::string, std::string>>& headers, std::uint32_t scale) {
  for (auto& [name, value] : headers) {
    std::uint64_t milliseconds = 0;
    const char* const end = value.data() + value.size();
    if (name != "x-envoy-expected-rq-timeout-ms") continue;
    const auto read = std::from_chars(value.data(), end, milliseconds);
    if (read.ec == std::errc() && read.ptr == end) value = std::to_string(milliseconds * scale);
  }
}

std::string_view first_line(std::string_view text) {
  return text.substr(0, text.find('\r'));
}

}  // namespace

Exchange& Observer::add_request() {
  exchanges_.push_back(std::make_unique<Exchange>());
  ++open_requests_;
  return *exchanges_.back();
}

Exchange& Observer::add_raw() {
  exchanges_.push_back(std::make_unique<Exchange>());
  raws_.push_back(exchanges_.back().get());
  return *exchanges_.back();
}

std::int64_t Observer::reached(const std::string& service) const {
  const auto found = reached_.find(service);
  return found == reached_.end() ? 0 : found->second;
}

void Observer::bind(world::HostId client, std::uint64_t id, Exchange& exchange) {
  exchange.id = id;
  by_request_[{client, id}] = &exchange;
}

std::uint64_t Observer::root_of(std::uint64_t flow) const {
  for (auto at = hop_before_.find(flow); at != hop_before_.end(); at = hop_before_.find(flow)) {
    flow = at->second;
  }
  const auto client = balanced_.find(world::connection_of(flow));
  if (client == balanced_.end()) return flow;
  return world::stream_flow(client->second, world::stream_of(flow));
}

Exchange* Observer::current(std::uint64_t client_flow) {
  const auto busy = busy_.find(client_flow);
  if (busy != busy_.end() && !busy->second.empty()) return busy->second.front();
  const auto last = last_.find(client_flow);
  if (last != last_.end()) return last->second;
  for (Exchange* exchange : raws_) {
    const bool same = exchange->raw && exchange->raw->flow() == world::connection_of(client_flow);
    if (same) return exchange;
  }
  return nullptr;
}

void Observer::on_event(const world::TraceEvent& event) {
  const std::size_t before = window_.size();
  keep({event.at, event.kind, event.who, event.flow, event.a, event.b,
        std::string(event.text.substr(0, kTextBytes * 2))});
  const bool in_window = window_.size() != before;
  follow(event);
  if (!watching_) return;
  // Known only now: the event may be what binds its connection to a request.
  if (const Exchange* const exchange = request_of(event)) {
    recent_.back().request = exchange->observed.id;
    if (in_window) window_.back().request = exchange->observed.id;
  }
}

void Observer::keep(Kept kept) {
  if (watching_ && kept.at >= from_ && kept.at <= to_ &&
      (!selects_ || selects_(kept.who, kept.of, kept.by))) {
    if (window_.size() < kMostInWindow) {
      window_.push_back(kept);
    } else {
      ++left_out_;
    }
  }
  recent_.push_back(std::move(kept));
  if (recent_.size() > kTimeline) recent_.pop_front();
}

void Observer::watch(world::TimePoint from, world::TimePoint to, Selects selects) {
  watching_ = true;
  selects_ = std::move(selects);
  from_ = from;
  to_ = to;
}

void Observer::changed(const std::string& of, const std::string& by, const std::string& what) {
  keep({setting_.now(), world::TraceKind::Note, 0, 0, 0, 0, what, of, by});
}

const Exchange* Observer::request_of(const world::TraceEvent& event) {
  using Kind = world::TraceKind;
  switch (event.kind) {
    case Kind::RequestSent:
    case Kind::ResponseReceived:
    case Kind::RequestFailed: {
      const auto found = by_request_.find({event.who, event.a});
      return found == by_request_.end() ? nullptr : found->second;
    }
    case Kind::Data:
    case Kind::RequestSeen:
    case Kind::ResponseSent:
    case Kind::RouteChosen:
    case Kind::LocalReply:
    case Kind::End:
    case Kind::Reset:
      return event.flow == 0 ? nullptr : current(root_of(event.flow));
    default:
      return nullptr;
  }
}

void Observer::follow(const world::TraceEvent& event) {
  using Kind = world::TraceKind;
  switch (event.kind) {
    case Kind::RequestSent: {
      const auto found = by_request_.find({event.who, event.a});
      // It may be sent inside the call that gives it its number: bound a moment later.
      Exchange* exchange = found != by_request_.end() ? found->second : nullptr;
      if (exchange == nullptr) break;
      busy_[event.flow].push_back(exchange);
      if (scale_ != 0) {
        sent_on_[world::connection_of(event.flow)].push_back({exchange, event.flow, {}});
      }
      break;
    }
    case Kind::ResponseReceived:
    case Kind::RequestFailed: {
      auto& busy = busy_[event.flow];
      const auto found = by_request_.find({event.who, event.a});
      if (found == by_request_.end()) break;
      std::erase(busy, found->second);
      last_[event.flow] = found->second;
      break;
    }
    case Kind::TargetChosen:
      balanced_[event.a] = event.flow;
      break;
    case Kind::Data:
      if (gateways_.count(event.who) != 0 && is_first_hop(event.flow)) {
        Exchange* exchange = current(root_of(event.flow));
        if (exchange != nullptr && exchange->arrival == 0) exchange->arrival = ++arrivals_;
      }
      break;
    case Kind::RouteChosen:
      hop_before_[event.a] = event.flow;
      if (is_first_hop(event.flow)) {
        if (Exchange* exchange = current(root_of(event.flow))) {
          if (exchange->arrival == 0) exchange->arrival = ++arrivals_;
          exchange->route = event.text;
          exchange->gateway = setting_.host_name(event.who);
        }
      }
      break;
    case Kind::LocalReply:
      if (is_first_hop(event.flow)) {
        if (Exchange* exchange = current(root_of(event.flow))) {
          if (exchange->arrival == 0) exchange->arrival = ++arrivals_;
          exchange->flags = proxy::flags_text(static_cast<std::uint16_t>(event.a));
          exchange->observed.response_flags = exchange->flags;
          exchange->details = event.text;
          exchange->gateway = setting_.host_name(event.who);
        }
      }
      break;
    case Kind::Secured:
      if (gateways_.count(event.who) != 0) shown_[root_of(event.flow)].subject = event.text;
      break;
    case Kind::TlsFailed:
      if (gateways_.count(event.who) != 0) shown_[root_of(event.flow)].reason = event.text;
      break;
    default:
      break;
  }
}

ObservedRequest::Tls Observer::observed_tls(const peers::TlsSeen& seen, std::uint64_t flow) const {
  ObservedRequest::Tls out;
  if (seen.agreed) {
    out = agreed_tls(*seen.agreed);
    out.server_certificate = tls_.entry_of(seen.agreed->peer);
  }
  if (const auto shown = shown_.find(world::connection_of(flow)); shown != shown_.end()) {
    out.client_certificate = tls_.entry_of(shown->second.subject);
    out.reason = shown->second.reason;
  }
  if (!seen.failure) return out;
  const wire::tls::Failure& failure = *seen.failure;
  const bool by_transport = failure.cause == wire::tls::Failure::Cause::Transport;
  out.refused_by = failure.alert_received || by_transport ? "gateway" : "client";
  if (failure.alert_received || failure.alert_sent) {
    out.failed = wire::tls::name_of_alert(failure.alert_received ? *failure.alert_received
                                                                 : *failure.alert_sent);
  } else if (by_transport) {
    out.failed = failure.ended ? "closed" : "reset";
  } else {
    out.failed = "no TLS";
  }
  return out;
}

Observer::Arrived Observer::arrived(const peers::SeenRequest& request, const std::string& endpoint,
                                    const std::string& service) const {
  Arrived out{world::stream_flow(request.flow, request.stream), {}};
  ObservedRequest::Seen& seen = out.seen;
  seen.at = request.at;
  seen.service = service;
  seen.endpoint = endpoint;
  seen.method = request.head.method;
  seen.path = request.head.target;
  const wire::HeaderMap& headers = request.head.headers;
  seen.host = headers.get(wire::HeaderName::Host);
  for (std::size_t i = 0; i < headers.size(); ++i) {
    seen.headers.emplace_back(headers.name(i), headers.value(i));
  }
  seen.body = request.body.substr(0, kBodyBytes);
  seen.protocol = request.protocol == peers::Protocol::Http2 ? "HTTP/2" : "HTTP/1.1";
  for (const peers::HeaderLine& line : request.trailers) {
    seen.trailers.emplace_back(line.name, line.value);
  }
  if (headers.get("content-type").starts_with("application/grpc")) {
    seen.messages = peers::grpc_messages(request.body);
  }
  if (request.tls != nullptr) {
    const wire::tls::Agreed agreed = request.tls->agreed();
    seen.tls = agreed_tls(agreed);
    seen.tls->client_certificate = tls_.entry_of(agreed.peer);
  }
  return out;
}

void Observer::attach(Exchange& exchange, Arrived arrived) {
  ++reached_[arrived.seen.service];
  if (!exchange.is_grpc) arrived.seen.messages.clear();
  exchange.frames_seen = arrived.has_frames;
  exchange.observed.seen.push_back(std::move(arrived.seen));
}

void Observer::seen(const peers::SeenRequest& request, const std::string& endpoint,
                    const std::string& service) {
  if (scale_ != 0) {
    const std::string id(request.head.headers.get("x-request-id"));
    Arrived one = arrived(request, endpoint, service);
    set_times(one.seen.headers, scale_);
    const auto known = by_id_.find(id);
    if (known == by_id_.end()) {
      early_[id].push_back(std::move(one));
    } else {
      hop_before_[one.flow] = known->second.flow;
      attach(*known->second.exchange, std::move(one));
    }
    return;
  }
  Exchange* exchange = current(root_of(world::stream_flow(request.flow, request.stream)));
  if (exchange == nullptr) return;
  if (exchange->brief) {
    ++reached_[service];
    ObservedRequest::Seen& seen = exchange->observed.seen.emplace_back();
    seen.at = request.at;
    seen.service = service;
    seen.endpoint = endpoint;
    return;
  }
  attach(*exchange, arrived(request, endpoint, service));
}

void Observer::begun(const GatewayReport& report, std::uint64_t connection) {
  OnConnection one{nullptr, connection, report.request_id};
  auto& sent = sent_on_[connection];
  if (sent.empty()) {
    one.exchange = current(connection);  // of raw bytes
  } else {
    one = sent.front();
    one.id = report.request_id;
    sent.pop_front();
  }
  if (one.exchange == nullptr) return;
  if (one.exchange->arrival == 0) one.exchange->arrival = ++arrivals_;
  open_on_[connection].push_back(one);
  if (one.id.empty()) return;
  by_id_[one.id] = one;
  for (Arrived& early : early_[one.id]) {
    hop_before_[early.flow] = one.flow;
    attach(*one.exchange, std::move(early));
  }
  early_.erase(one.id);
}

void Observer::told_of_tls(const GatewayReport& report, std::uint64_t connection) {
  Shown& shown = shown_[connection];
  if (!report.subject.empty()) shown.subject = report.subject;
  if (!report.tls_failure.empty()) shown.reason = report.tls_failure;
  for (Exchange* const exchange : ended_on_[connection]) {
    exchange->observed.tls->client_certificate = tls_.entry_of(shown.subject);
    exchange->observed.tls->reason = shown.reason;
    if (exchange->observed.tls->failed.empty()) continue;
    ++exchange->told;  // nothing else will be told of it
  }
}

void Observer::reported(const GatewayReport& report, std::string_view gateway, std::uint64_t flow) {
  const std::uint64_t connection = root_of(flow);
  if (!report.subject.empty() || !report.tls_failure.empty()) told_of_tls(report, connection);
  if (report.kind == GatewayReport::Kind::Connection) return;
  if (report.kind == GatewayReport::Kind::Begin) return begun(report, connection);

  auto& open = open_on_[connection];
  const auto find = [&] {
    return std::find_if(open.begin(), open.end(),
                        [&](const OnConnection& one) { return one.id == report.request_id; });
  };
  // One whose head was refused has not been told of before.
  if (find() == open.end()) begun(report, connection);
  const auto found = find();
  if (found == open.end()) return;
  Exchange& exchange = *found->exchange;
  open.erase(found);
  ++exchange.told;
  exchange.gateway = gateway;
  if (!report.route.empty()) exchange.route = report.route;
  exchange.flags = report.flags;
  exchange.observed.response_flags = report.flags;
  if (!report.details.empty()) exchange.details = report.details;
}

bool Observer::all_told(const Exchange& exchange) {
  if (scale_ == 0) return true;
  const bool has_frames = exchange.is_websocket && !exchange.observed.seen.empty();
  const bool told = exchange.told >= (exchange.raw ? exchange.answers.size() : 1);
  if (told && (!has_frames || exchange.frames_seen)) return true;
  const world::TimePoint ended = exchange.raw ? exchange.active_at : *exchange.ended_at;
  return setting_.now() >= ended + kLongestSilence * scale_;
}

void Observer::websocket(std::uint64_t flow, std::span<const peers::WebSocketFrame> frames) {
  for (auto& [id, early] : early_) {
    for (Arrived& one : early) {
      if (one.flow != flow) continue;
      one.seen.frames = observed_frames(frames);
      one.has_frames = true;
      return;
    }
  }
  Exchange* exchange = current(root_of(flow));
  if (exchange == nullptr || exchange->observed.seen.empty()) return;
  exchange->observed.seen.back().frames = observed_frames(frames);
  exchange->frames_seen = true;
}

void Observer::ended(world::HostId client, const peers::RequestOutcome& outcome) {
  const auto found = by_request_.find({client, outcome.id});
  if (found == by_request_.end()) return;
  Exchange& exchange = *found->second;
  if (++exchange.outcomes == 1) {
    --open_requests_;
  } else if (ended_twice_ == nullptr) {
    ended_twice_ = &exchange;
  }
  exchange.ended_at = outcome.ended;
  ObservedRequest& observed = exchange.observed;
  observed.failure = outcome.failure;
  const bool began = outcome.tls != nullptr && (outcome.tls->agreed || outcome.tls->failure);
  if (began) observed.tls = observed_tls(*outcome.tls, outcome.flow);
  if (began && scale_ != 0) {
    ended_on_[world::connection_of(outcome.flow)].push_back(&exchange);
  }
  if (outcome.sent != world::TimePoint{}) observed.sent_at = outcome.sent;
  if (outcome.ok()) observed.answered_at = outcome.ended;
  if (exchange.is_websocket && outcome.status == 101) {
    observed.answered_at = outcome.first_byte;
    observed.ended_at = outcome.ended;
  }
  if (outcome.status == 0) return;
  Answer answer;
  answer.status = outcome.status;
  for (const peers::HeaderLine& line : peers::header_lines(outcome.head)) {
    if (exchange.brief && !peers::same_name(line.name, "x-envoy-overloaded")) continue;
    answer.headers.emplace_back(line.name, line.value);
  }
  if (!exchange.brief) answer.body = outcome.body;
  answer.protocol = outcome.head.substr(0, outcome.head.find(' '));
  for (const peers::HeaderLine& line : outcome.trailers) {
    answer.trailers.emplace_back(line.name, line.value);
  }
  if (exchange.is_grpc) {
    answer.grpc = peers::grpc_outcome(outcome);
    ObservedRequest::Grpc& grpc = observed.grpc.emplace();
    grpc.status = answer.grpc->status;
    grpc.message = answer.grpc->message;
    for (const auto& message : answer.grpc->messages) {
      grpc.messages.push_back({message.at, message.bytes});
    }
  }
  answer.frames.assign(outcome.frames.begin(), outcome.frames.end());
  observed.frames = observed_frames(outcome.frames);
  observed.response_trailers = answer.trailers;
  observed.status = answer.status;
  observed.response_headers = answer.headers;
  observed.response_body = answer.body.substr(0, 4096);
  exchange.answers = {std::move(answer)};
}

TimelineEntry Observer::entry_of(const Kept& kept) const {
  const world::TimePoint at(setting_.since_begin(kept.at));
  if (!kept.of.empty()) {
    return {at, kept.of, one_line(kept.text), {}, TimelineEntry::Kind::Change};
  }
  using Kind = world::TraceKind;
  std::string what(world::name_of(kept.kind));
  if (kept.flow != 0) what += fmt::format(" #{}", world::connection_of(kept.flow));
  if (world::stream_of(kept.flow) != 0) what += fmt::format(".{}", world::stream_of(kept.flow));
  std::string_view text = kept.text;
  switch (kept.kind) {
    case Kind::Data:
      what += fmt::format(" {} bytes", kept.a);
      text = record_of(text).empty() ? first_line(text) : record_of(text);
      break;
    case Kind::Connect:
    case Kind::Accept:
      what += fmt::format(" {} {}", kept.kind == Kind::Connect ? "to" : "from",
                          world::Endpoint{static_cast<std::uint32_t>(kept.b >> 16),
                                          static_cast<std::uint16_t>(kept.b & 0xffff)}
                              .text());
      break;
    case Kind::Secured:
      what += fmt::format(" by TLS 1.{}{}{}", (kept.a & 0xff) - 1, kept.b == 1 ? ", resumed" : "",
                          text.empty() ? "" : ", is shown");
      break;
    case Kind::Verdict:
      what = kept.b == 1 ? "held" : "BROKEN";
      break;
    case Kind::LocalReply:
      what += fmt::format(" {} {}", kept.b, proxy::flags_text(static_cast<std::uint16_t>(kept.a)));
      break;
    case Kind::ResponseSent:
    case Kind::ResponseReceived:
      what += fmt::format(" {}", kept.b);
      text = first_line(text);
      break;
    default:
      text = first_line(text);
      break;
  }
  if (!text.empty()) what += " " + one_line(text);
  const bool breach = kept.kind == Kind::Verdict && kept.b == 0;
  return {at, std::string(setting_.host_name(kept.who)), std::move(what), kept.request,
          breach ? TimelineEntry::Kind::Breach : TimelineEntry::Kind::Event};
}

std::vector<TimelineEntry> Observer::timeline() const {
  std::vector<TimelineEntry> entries;
  for (const Kept& kept : recent_) entries.push_back(entry_of(kept));
  return entries;
}

std::vector<TimelineEntry> Observer::within(std::uint64_t& left_out) const {
  left_out = left_out_;
  std::vector<TimelineEntry> entries;
  for (const Kept& kept : window_) entries.push_back(entry_of(kept));
  return entries;
}

}  // namespace conformance
