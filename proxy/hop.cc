#include "proxy/hop.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <fmt/format.h>

#include "proxy/gateway.h"
#include "proxy/http1_downstream.h"
#include "proxy/http2_downstream.h"
#include "proxy/proxy_header_reader.h"
#include "proxy/refused_connection.h"
#include "proxy/request_rules.h"
#include "proxy/stream.h"
#include "proxy/tls_acceptor.h"
#include "proxy/tls_side.h"

namespace proxy {
namespace {

/// How many finished objects are kept for the next request.
constexpr std::size_t kSpare = 64;

}  // namespace

namespace {

/// "Thu, 01 Jan 2026 00:00:00 GMT". Source: RFC 9110 section 5.6.7.
std::array<char, 29> http_date(std::chrono::sys_seconds at) {
  const std::chrono::sys_days day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss<std::chrono::seconds> time(at - day);
  const auto two_digits = [](char* out, std::int64_t number) {
    out[0] = static_cast<char>('0' + number / 10 % 10);
    out[1] = static_cast<char>('0' + number % 10);
  };
  std::array<char, 29> text;
  std::memcpy(text.data(), "Thu, 01 Jan 2026 00:00:00 GMT", text.size());
  const std::size_t weekday = std::chrono::weekday(day).c_encoding();
  std::memcpy(text.data(), &"SunMonTueWedThuFriSat"[weekday * 3], 3);
  two_digits(&text[5], static_cast<unsigned>(date.day()));
  const std::size_t month = static_cast<unsigned>(date.month()) - 1;
  std::memcpy(&text[8], &"JanFebMarAprMayJunJulAugSepOctNovDec"[month * 3], 3);
  const auto year = static_cast<int>(date.year());
  two_digits(&text[12], year / 100);
  two_digits(&text[14], year % 100);
  two_digits(&text[17], time.hours().count());
  two_digits(&text[20], time.minutes().count());
  two_digits(&text[23], time.seconds().count());
  return text;
}

}  // namespace

Hop::Hop(world::World& world, const HopPlan& plan, Secrets* secrets)
    : world_(world), plan_(plan), burial_(world.loop(), world.id(), world::bind<&Hop::bury>(this)) {
  upstreams_.reserve(plan.clusters.size());
  for (const Cluster& cluster : plan.clusters) {
    upstreams_.push_back(std::make_unique<Upstream>(world, cork_, cluster, secrets));
  }
  if (plan.tls_mode != HopPlan::TlsMode::Disabled) {
    tls_ = std::make_unique<TlsSide>(world, *plan.tls, secrets);
  }
}

Hop::~Hop() = default;

world::Result<bool> Hop::start(world::Action held) {
  held_ = held;
  if (plan_.access_log) {
    auto format = LogFormat::compile(*plan_.access_log);
    if (!format) return world::Error{"/spec/logging/accessLog", format.error().message};
    log_format_ = std::move(*format);
    if (!world_.append(plan_.access_log->path, {})) {
      return world::Error{"/spec/logging/accessLog/file/path",
                          fmt::format("{} cannot be written", plan_.access_log->path)};
    }
  }
  if (plan_.connection_log) {
    auto format = LogFormat::compile(*plan_.connection_log);
    if (!format) return world::Error{{}, format.error().message};
    connection_log_format_ = std::move(*format);
  }
  if (tls_ != nullptr) {
    if (auto problem = tls_->problem(); !problem.empty()) {
      return world::Error{"/spec/listeners/tls/certificate", std::move(problem)};
    }
  }
  if (auto opened = open_listener(); !opened) return opened;
  if (held_) {
    listener_.reset();
  } else {
    listener_->set_accepting(false);
  }
  clusters_awaited_ = upstreams_.size() + 1;
  for (auto& upstream : upstreams_) upstream->start(world::bind<&Hop::on_cluster_ready>(this));
  on_cluster_ready();
  return true;
}

world::Result<bool> Hop::open_listener() {
  auto listener =
      world_.listen({plan_.loopback_only ? world::kLoopbackAddress : 0, plan_.port}, *this);
  if (!listener) return listener.error();
  listener_ = std::move(*listener);
  return true;
}

void Hop::on_cluster_ready() {
  if (--clusters_awaited_ > 0) return;
  if (held_) {
    held_();
  } else {
    listener_->set_accepting(true);
  }
}

void Hop::open() {
  // Taken in the meantime: it never gets ready.
  if (!open_listener()) clusters_awaited_ = 1;
}

void Hop::on_accept(std::unique_ptr<world::Transport> transport) {
  if (plan_.connection_limit && connections_.size() >= plan_.connection_limit->most) {
    std::erase_if(refused_, [](const auto& refused) { return refused->over(); });
    refused_.push_back(std::make_unique<RefusedConnection>(world_, std::move(transport),
                                                           plan_.connection_limit->delay));
    return;
  }
  if (plan_.proxy_protocol != HopPlan::ProxyProtocol::No) {
    add(std::make_unique<ProxyHeaderReader>(*this, std::move(transport)));
  } else {
    admit(std::move(transport), {}, {});
  }
}

void Hop::admit(std::unique_ptr<world::Transport> transport, OriginPtr origin,
                std::string_view bytes) {
  if (tls_ == nullptr) {
    speak_http(std::move(transport), std::move(origin), bytes);
    return;
  }
  auto connection = std::make_unique<TlsAcceptor>(*this, std::move(transport), std::move(origin));
  TlsAcceptor& acceptor = *connection;
  add(std::move(connection));
  acceptor.begin(bytes);
}

void Hop::speak_http(std::unique_ptr<world::Transport> transport, OriginPtr origin,
                     std::string_view bytes) {
  ++counts_.connections_total;
  if (!plan_.accept_http1) {
    speak_http2(std::move(transport), std::move(origin), bytes);
    return;
  }
  auto connection = std::make_unique<Http1Downstream>(*this, std::move(transport));
  Http1Downstream& http1 = *connection;
  http1.origin_ = std::move(origin);
  add(std::move(connection));
  if (!bytes.empty()) http1.begin(bytes);
}

void Hop::add(std::unique_ptr<Downstream> connection) {
  connection->index_ = connections_.size();
  connections_.push_back(std::move(connection));
}

void Hop::speak_http2(std::unique_ptr<world::Transport> transport, OriginPtr origin,
                      std::string_view bytes) {
  auto connection = std::make_unique<Http2Downstream>(*this, std::move(transport));
  Http2Downstream& http2 = *connection;
  http2.origin_ = std::move(origin);
  add(std::move(connection));
  if (!bytes.empty()) http2.begin(bytes);
}

void Hop::lose(Downstream& connection) {
  const std::size_t index = connection.index_;
  graveyard_.push_back(std::move(connections_[index]));
  if (index + 1 != connections_.size()) {
    connections_[index] = std::move(connections_.back());
    connections_[index]->index_ = index;
  }
  connections_.pop_back();
  burial_.start_after({});
}

void Hop::bury() {
  graveyard_.clear();
}

void Hop::drain(DrainMode mode, Duration over) {
  if (mode == DrainMode::Immediate) listener_.reset();
  if (drain_begun_) return;  // one drain is under way
  drain_begun_ = world_.now();
  drain_over_ = over;
  draining_ = true;
  if (mode == DrainMode::Graceful) {
    drain_timer_.emplace(world_.loop(), world_.id(), world::bind<&Hop::end_drain>(this));
    drain_timer_->start_after(over);
  }
}

void Hop::end_drain() {
  listener_.reset();
}

void Hop::set_failing(bool failing) {
  failing_ = failing;
  draining_ = failing || drain_begun_;
}

/// The chance that an answer closes grows by steps of a second and is certain at half of the drain
/// time, rounded up to whole seconds: as measured (Envoy 1.40, drain times of 1 to 20 s).
bool Hop::draw_drain() {
  using std::chrono::seconds;
  if (failing_) return true;
  const auto gone = std::chrono::floor<seconds>(world_.now() - *drain_begun_).count();
  const auto half = std::chrono::ceil<seconds>(drain_over_ / 2).count();
  if (gone >= half) return true;
  return random(drains_, "/drain")
      .chance(static_cast<std::uint64_t>(gone), static_cast<std::uint64_t>(half));
}

TlsCounts Hop::tls_counts() const {
  return tls_ != nullptr ? tls_->counts() : TlsCounts{};
}

ListenerCounts Hop::counts() const {
  ListenerCounts counts = counts_;
  counts.connections = connections_.size();
  counts.requests_total = requests_total_;
  counts.requests = active_requests_;
  return counts;
}

std::unique_ptr<Stream> Hop::take_stream() {
  std::unique_ptr<Stream> stream = std::move(spare_stream_);
  if (stream == nullptr) {
    if (spare_streams_.empty()) return std::make_unique<Stream>(*this);
    stream = std::move(spare_streams_.back());
    spare_streams_.pop_back();
  }
  stream->reset();
  return stream;
}

void Hop::give_back(std::unique_ptr<Stream> stream) {
  // Kept as it is until it is taken again: it may still be on the call stack.
  if (spare_stream_ == nullptr) {
    spare_stream_ = std::move(stream);
  } else {
    spare_streams_.push_back(std::move(stream));
  }
}

std::unique_ptr<wire::RequestHead> Hop::take_request_head() {
  if (spare_request_heads_.empty()) return std::make_unique<wire::RequestHead>();
  auto head = std::move(spare_request_heads_.back());
  spare_request_heads_.pop_back();
  return head;
}

void Hop::give_back(std::unique_ptr<wire::RequestHead> head) {
  if (spare_request_heads_.size() >= kSpare) return;
  head->clear();
  spare_request_heads_.push_back(std::move(head));
}

std::unique_ptr<wire::ResponseHead> Hop::take_response_head() {
  if (spare_response_heads_.empty()) return std::make_unique<wire::ResponseHead>();
  auto head = std::move(spare_response_heads_.back());
  spare_response_heads_.pop_back();
  return head;
}

void Hop::give_back(std::unique_ptr<wire::ResponseHead> head) {
  if (spare_response_heads_.size() >= kSpare) return;
  head->clear();
  spare_response_heads_.push_back(std::move(head));
}

std::string_view Hop::date() {
  const auto second = std::chrono::floor<std::chrono::seconds>(world_.calendar());
  const std::int64_t count = second.time_since_epoch().count();
  if (count != date_second_) {
    date_second_ = count;
    date_ = http_date(second);
  }
  return {date_.data(), date_.size()};
}

std::string_view Hop::new_request_id(char decision) {
  static constexpr auto kHexPairs = [] {
    std::array<std::array<char, 2>, 256> pairs{};
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      constexpr std::string_view kDigits = "0123456789abcdef";
      pairs[i] = {kDigits[i >> 4], kDigits[i & 15]};
    }
    return pairs;
  }();
  // Where the sixteen bytes of a UUID stand in its text.
  static constexpr std::array<std::uint8_t, 16> kAt = {0,  2,  4,  6,  9,  11, 14, 16,
                                                       19, 21, 24, 26, 28, 30, 32, 34};
  world::Random& ids = random(request_ids_, "/request-id");
  std::uint64_t bits = ids.next();
  for (std::size_t i = 0; i < kAt.size(); ++i, bits >>= 8) {
    if (i == 8) bits = (ids.next() & ~std::uint64_t{0xc0}) | 0x80;  // the variant
    std::memcpy(request_id_.data() + kAt[i], kHexPairs[bits & 255].data(), 2);
  }
  request_id_[kTraceDecisionAt] = decision;
  return {request_id_.data(), request_id_.size()};
}

std::size_t Hop::pick_cluster(const Route& route) {
  const auto& clusters = route.clusters;
  if (clusters.size() == 1) return clusters.front().cluster;
  std::uint64_t total = 0;
  for (const WeightedCluster& weighted : clusters) total += weighted.weight;
  std::uint64_t drawn = random(weights_, "/weights").below(total);
  for (const WeightedCluster& weighted : clusters) {
    if (drawn < weighted.weight) return weighted.cluster;
    drawn -= weighted.weight;
  }
  return clusters.back().cluster;
}

void Hop::log_connection(const Downstream& connection) {
  if (!connection_log_format_) return;
  LogEntry entry;
  entry.started = world_.calendar();
  entry.downstream_remote = connection.transport_->remote();
  entry.downstream_local = connection.transport_->local();
  entry.tell_origin(connection.origin_.get());
  if (connection.origin_ != nullptr) entry.flags = connection.origin_->flags;
  line_.clear();
  connection_log_format_->append(line_, entry);
  world_.append(plan_.connection_log->path, line_);
}

void Hop::log(const LogEntry& entry, std::uint64_t flow) {
  line_.clear();
  log_format_->append(line_, entry);
  world_.append(plan_.access_log->path, line_);
  std::string_view text = line_;
  if (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  world_.trace(world::TraceKind::AccessLog, flow, plan_.role == HopPlan::Role::Egress ? 1 : 0,
               entry.status, text);
}

}  // namespace proxy
