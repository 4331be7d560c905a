#include "proxy/upstream.h"

#include <algorithm>
#include <utility>

#include "proxy/http1_upstream.h"
#include "proxy/http2_upstream.h"
#include "proxy/tls_side.h"
#include "proxy/upstream_host.h"

namespace proxy {
namespace {

/// At most so many connections are made for one cause. Source: ENV-POOL-05.
constexpr int kMostAtOnce = 3;

bool contains(const DiscoveryEvents::Addresses& addresses, const UpstreamHost& host) {
  const world::Endpoint& endpoint = host.address().endpoint;
  return std::find(addresses.begin(), addresses.end(),
                   std::pair(endpoint.address, endpoint.port)) != addresses.end();
}

}  // namespace

std::string_view reset_text(ResetReason reason) {
  switch (reason) {
    case ResetReason::RefusedConnection:
      return "remote connection failure";
    case ResetReason::ConnectTimeout:
      return "connection timeout";
    case ResetReason::ConnectionTermination:
      return "connection termination";
    case ResetReason::ProtocolError:
      return "protocol error";
    case ResetReason::ConnectError:
      return "remote error with CONNECT request";
    case ResetReason::RemoteReset:
      return "remote reset";
    case ResetReason::RemoteRefused:
      return "remote refused stream reset";
    case ResetReason::Overflow:
      return "overflow";
    case ResetReason::NoHealthyHost:
      return "no healthy upstream";
  }
  return "";
}

Upstream::Upstream(world::World& world, Cork& cork, const Cluster& cluster, Secrets* secrets)
    : world_(world),
      cork_(cork),
      cluster_(cluster),
      secrets_(secrets),
      tls_(cluster.tls ? std::make_unique<TlsSide>(world, *cluster.tls, secrets) : nullptr),
      discovery_(world, cluster, *this),
      hosts_(world, cluster, health_),
      serving_(world.loop(), world.id(), world::bind<&Upstream::serve>(this)),
      burial_(world.loop(), world.id(), world::bind<&Upstream::bury>(this)) {
  OutlierEvents& events = *this;
  if (cluster.outlier) outlier_.emplace(world, *cluster.outlier, health_, events);
}

Upstream::~Upstream() = default;

TlsCounts Upstream::tls_counts() const {
  return tls_ != nullptr ? tls_->counts() : TlsCounts{};
}

/// A limit is seen as reached only once it was touched: the real proxy's gauges are so.
OpenCircuits Upstream::open_circuits() const {
  const Limits& limits = cluster_.limits;
  const auto open = [](std::uint64_t now, std::uint64_t ever, std::uint32_t limit) {
    return ever > 0 && now >= limit;
  };
  return {
      .connections = open(counts_.connections, counts_.connections_total, limits.max_connections),
      .pending = open(counts_.pending, counts_.pending_total, limits.max_pending_requests),
      .requests = open(counts_.requests, counts_.requests_total, limits.max_requests),
      .retries =
          open(counts_.retries, counts_.retries + counts_.retries_total, limits.max_retries)};
}

std::vector<HostState> Upstream::hosts() const {
  std::vector<HostState> states;
  for (const auto& host : hosts_.all()) {
    states.push_back({.endpoint = host->address().endpoint,
                      .failed_check = host->failed_check(),
                      .excluded = host->excluded,
                      .ejected = host->ejected(),
                      .usable = hosts_.usable(*host),
                      .checks = host->checker ? host->checker->record() : CheckRecord{}});
  }
  return states;
}

// --- Endpoints -----------------------------------------------------------------------------

void Upstream::start(world::Action ready) {
  ready_ = ready;
  discovery_.ask();
}

void Upstream::use(const Addresses& addresses) {
  set_hosts(addresses);
}

void Upstream::on_discovered(const Addresses& addresses, bool failed) {
  if (!failed) set_hosts(addresses);
  tell_if_ready();
}

/// The same answer again, in whatever order, changes nothing: nor does it hasten what waits to be
/// merged.
bool Upstream::tells_nothing_new(const Addresses& addresses) const {
  const auto is_of = [](const auto& address, const auto& host) {
    const world::Endpoint& endpoint = host->address().endpoint;
    return !host->leaving && endpoint.address == address.first && endpoint.port == address.second;
  };
  const HostSet::Hosts& hosts = hosts_.all();
  // Almost always it is the same word by word.
  if (std::equal(addresses.begin(), addresses.end(), hosts.begin(), hosts.end(), is_of)) {
    return true;
  }
  const auto is_known = [&](const auto& address) {
    return std::any_of(hosts.begin(), hosts.end(),
                       [&](const auto& host) { return is_of(address, host); });
  };
  return std::all_of(addresses.begin(), addresses.end(), is_known) &&
         std::all_of(hosts.begin(), hosts.end(),
                     [&](const auto& host) { return host->leaving || contains(addresses, *host); });
}

void Upstream::set_hosts(const Addresses& addresses) {
  const HostSet::Hosts& present = hosts_.all();
  // One logical endpoint moves, and its connections stay where they are; an empty answer moves it
  // nowhere.
  if (cluster_.discovery == Cluster::Discovery::LogicalDns && !present.empty()) {
    if (addresses.empty()) return;
    const world::Endpoint endpoint{addresses.front().first, addresses.front().second};
    if (present.front()->address().endpoint != endpoint) present.front()->move_to(endpoint);
    return;
  }
  if (!present.empty() && tells_nothing_new(addresses)) return;
  HostSet::Hosts former = hosts_.empty() ? HostSet::Hosts() : hosts_.replace({});
  HostSet::Hosts hosts;
  hosts.reserve(addresses.size());
  std::vector<UpstreamHost*> added;
  for (const auto& [address, port] : addresses) {
    const world::Endpoint endpoint{address, port};
    const auto same = [&](const auto& host) {
      return host && host->address().endpoint == endpoint;
    };
    const auto found = std::find_if(former.begin(), former.end(), same);
    if (found != former.end()) {
      (*found)->leaving = false;
      hosts.push_back(std::move(*found));
    } else if (std::none_of(hosts.begin(), hosts.end(), same)) {
      hosts.push_back(new_host(endpoint));
      if (hosts.back()->checker != nullptr) added.push_back(hosts.back().get());
    }
  }
  for (auto& host : former) {
    if (!host) continue;
    // An endpoint that passes its checks is believed more than the answer (AM-HC-07).
    if (host->checker != nullptr && host->healthy() && !contains(addresses, *host)) {
      host->leaving = true;
      hosts.push_back(std::move(host));
    } else {
      dismiss(std::move(host));
    }
  }
  hosts_.replace(std::move(hosts));
  ++health_.changes;
  for (UpstreamHost* host : added) host->checker->start();
}

std::unique_ptr<UpstreamHost> Upstream::new_host(const world::Endpoint& endpoint) {
  auto host = std::make_unique<UpstreamHost>(endpoint);
  if (cluster_.health_check) {
    HostCheckEvents& events = *this;
    host->checker = std::make_unique<HostChecker>(world_, cork_, cluster_, endpoint, counts_,
                                                  health_, events, secrets_);
    host->checker->set_host(*host);
  }
  return host;
}

void Upstream::dismiss(std::unique_ptr<UpstreamHost> host) {
  host->dismissed = true;
  if (host->checker != nullptr) host->checker->stop();
  while (host->ready_ != nullptr) host->ready_->retire();
  former_hosts_.push_back(std::move(host));
}

void Upstream::tell_if_ready() {
  if (!ready_ || !discovery_.answered()) return;
  for (const auto& host : hosts_.all()) {
    if (host->checker != nullptr && host->checker->first()) return;
  }
  hosts_.start_merging();
  std::exchange(ready_, {})();
}

void Upstream::on_checked(HostChecker& checker, CheckResult result,
                          CheckState::Transition transition) {
  UpstreamHost& host = *checker.host();
  if (host.dismissed) return;
  bool changed = transition == CheckState::Transition::Changed;
  if (checker.healthy()) host.excluded = false;
  if (result == CheckResult::Success && host.outlier.ejected) {
    host.outlier.ejected = false;
    host.outlier.errors = 0;
    changed = true;
  }
  if (host.leaving && !checker.healthy()) {
    dismiss(hosts_.remove(host));
    ++health_.changes;
  } else if (changed) {
    hosts_.changed();
  }
  tell_if_ready();
}

std::vector<OutlierState*> Upstream::outlier_states() {
  std::vector<OutlierState*> states;
  for (const auto& host : hosts_.all()) states.push_back(&host->outlier);
  return states;
}

void Upstream::report(UpstreamHost& host, std::uint16_t status) {
  outlier_->report(host.outlier, status);
}

void Upstream::report_failing(UpstreamHost& host) {
  if (host.checker == nullptr) return;
  host.excluded = true;
  host.checker->fail_now();
}

UpstreamHost* Upstream::pick(const std::vector<UpstreamHost*>& avoid, std::uint32_t attempts) {
  UpstreamHost* host = nullptr;
  for (std::uint32_t i = 0; i < std::max<std::uint32_t>(attempts, 1); ++i) {
    host = hosts_.next();
    if (std::find(avoid.begin(), avoid.end(), host) == avoid.end()) break;
  }
  return host;
}

// --- Requests ------------------------------------------------------------------------------

void Upstream::request(UpstreamRequest& request, const std::vector<UpstreamHost*>& avoid,
                       std::uint32_t attempts) {
  discovery_.refresh();
  UpstreamHost* host = pick(avoid, attempts);
  request.host_ = host;
  if (host == nullptr) {
    ++counts_.no_host;
    request.address_ = nullptr;
    request.on_upstream_reset(ResetReason::NoHealthyHost, {});
    return;
  }
  request.address_ = &host->address().text;
  if (host->ready_ != nullptr) {
    attach(request, *host->ready_);
    return;
  }
  if (counts_.pending >= cluster_.limits.max_pending_requests) {
    ++counts_.pending_overflow;
    request.forget_upstream();  // who finds the queue full has come to no host
    request.on_upstream_reset(ResetReason::Overflow, {});
    return;
  }
  host->enqueue(request);
  ++counts_.pending;
  ++counts_.pending_total;
  try_connect(*host);
}

/// Makes connections while more requests wait than connections are coming for, and a limit or the
/// host's lack of any connection allows it. Source: ENV-POOL-05.
void Upstream::try_connect(UpstreamHost& host) {
  const std::size_t each = cluster_.protocol == Protocol::Http2 ? Http2Upstream::kMostStreams : 1;
  for (int made = 0; made < kMostAtOnce; ++made) {
    if (host.queued_ <= host.connecting_ * each) return;
    if (counts_.connections >= cluster_.limits.max_connections) {
      ++counts_.connection_overflow;
      if (!host.connections_.empty()) return;
    }
    connect(host);
  }
}

void Upstream::connect(UpstreamHost& host) {
  ++counts_.connections;
  ++counts_.connections_total;
  ++host.connecting_;
  std::unique_ptr<UpstreamConnection> connection;
  if (cluster_.protocol == Protocol::Http2) {
    connection = std::make_unique<Http2Upstream>(*this, host);
  } else {
    connection = std::make_unique<Http1Upstream>(*this, host);
  }
  connection->index_ = host.connections_.size();
  host.connections_.push_back(std::move(connection));
}

void Upstream::attach(UpstreamRequest& request, UpstreamConnection& connection) {
  if (counts_.requests >= cluster_.limits.max_requests) {
    ++counts_.active_overflow;
    request.on_upstream_reset(ResetReason::Overflow, {});
    return;
  }
  ++counts_.requests;
  ++counts_.requests_total;
  request.connection_ = &connection;
  request.host_ = &connection.host_;
  request.address_ = &connection.address_.text;
  request.stream_ = &connection.open(request);
  connection.count_request();
  if (connection.room() == 0) connection.withdraw();
  request.on_upstream_ready(*request.stream_);
}

void Upstream::offer(UpstreamConnection& connection) {
  if (connection.room() == 0) return;  // who waits is helped by connections that take more
  UpstreamHost& host = connection.host_;
  while (host.first_ != nullptr && connection.room() > 0) {
    UpstreamRequest& next = *host.first_;
    host.dequeue(next);
    --counts_.pending;
    attach(next, connection);
  }
  if (host.first_ != nullptr) try_connect(host);
  make_ready(connection);
}

void Upstream::offer_soon(UpstreamConnection& connection) {
  make_ready(connection);
  if (connection.host_.first_ != nullptr && !serving_.running()) serving_.start_after({});
}

void Upstream::serve() {
  const Cork::Event event(cork_);
  // By number: whoever is served may change what there is.
  const auto serve_all = [this](const auto& hosts) {
    for (std::size_t i = 0; i < hosts.size(); ++i) {
      UpstreamHost& host = *hosts[i];
      while (host.first_ != nullptr && host.ready_ != nullptr) offer(*host.ready_);
    }
  };
  serve_all(hosts_.all());
  serve_all(former_hosts_);
}

void Upstream::make_ready(UpstreamConnection& connection) {
  if (connection.room() == 0) return;
  if (connection.idle()) connection.await_idle_end();
  if (connection.ready_) return;
  connection.ready_ = true;
  UpstreamConnection*& first = connection.host_.ready_;
  if (first != nullptr) first->previous_ready_ = &connection;
  connection.next_ready_ = first;
  first = &connection;
}

void Upstream::detach(UpstreamRequest& request) {
  request.connection_ = nullptr;
  request.stream_ = nullptr;
  --counts_.requests;
}

void Upstream::cancel(UpstreamRequest& request) {
  if (request.waiting_) {
    request.host_->dequeue(request);
    --counts_.pending;
    ++counts_.cancelled;
  } else if (request.connection_ != nullptr) {
    request.connection_->cancel(request);
  }
}

void Upstream::leave(UpstreamRequest& request) {
  request.connection_->leave(request);
}

void Upstream::close_connections() {
  const auto close_all = [](UpstreamHost& host) {
    while (!host.connections_.empty()) host.connections_.back()->close();
  };
  for (const auto& host : hosts_.all()) close_all(*host);
  for (const auto& host : former_hosts_) close_all(*host);
}

void Upstream::lose(UpstreamConnection& connection, bool by_peer) {
  UpstreamHost& host = connection.host_;
  if (connection.connecting_) --host.connecting_;
  --counts_.connections;
  ++(by_peer ? counts_.closed_there : counts_.closed_here);
  connection.withdraw();
  const std::size_t index = connection.index_;
  graveyard_.push_back(std::move(host.connections_[index]));
  if (index + 1 != host.connections_.size()) {
    host.connections_[index] = std::move(host.connections_.back());
    host.connections_[index]->index_ = index;
  }
  host.connections_.pop_back();
  burial_.start_after({});
  try_connect(host);
}

void Upstream::bury() {
  graveyard_.clear();
}

}  // namespace proxy
