#include "proxy/upstream.h"

#include <algorithm>

#include "proxy/http1_upstream.h"
#include "proxy/http2_upstream.h"

namespace proxy {
namespace {

using namespace std::chrono_literals;

/// How old an answer may be before the name is asked again, as in the real proxy.
constexpr Duration kRefresh = 5s;

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

// --- UpstreamHost --------------------------------------------------------------------------

UpstreamHost::UpstreamHost(world::Endpoint endpoint)
    : endpoint_(endpoint), text_(endpoint.text()) {}

UpstreamHost::~UpstreamHost() = default;

void UpstreamHost::enqueue(UpstreamRequest& request) {
  request.waiting_ = true;
  request.next_ = nullptr;
  request.previous_ = last_;
  (last_ != nullptr ? last_->next_ : first_) = &request;
  last_ = &request;
  ++queued_;
}

void UpstreamHost::dequeue(UpstreamRequest& request) {
  request.waiting_ = false;
  (request.previous_ != nullptr ? request.previous_->next_ : first_) = request.next_;
  (request.next_ != nullptr ? request.next_->previous_ : last_) = request.previous_;
  --queued_;
}

// --- Upstream ------------------------------------------------------------------------------

Upstream::Upstream(world::World& world, Cork& cork, const Cluster& cluster)
    : world_(world),
      cork_(cork),
      cluster_(cluster),
      burial_(world.loop(), world.id(), world::bind<&Upstream::bury>(this)),
      self_(std::make_shared<Upstream*>(this)) {}

Upstream::~Upstream() {
  *self_ = nullptr;
}

OpenCircuits Upstream::open_circuits() const {
  const Limits& limits = cluster_.limits;
  return {.connections = counts_.connections >= limits.max_connections,
          .pending = counts_.pending >= limits.max_pending_requests,
          .requests = counts_.requests >= limits.max_requests,
          .retries = counts_.retries >= limits.max_retries};
}

std::vector<HostState> Upstream::hosts() const {
  std::vector<HostState> states;
  for (const auto& host : hosts_) states.push_back({.endpoint = host->endpoint()});
  return states;
}

void Upstream::start(world::Action ready) {
  ready_ = ready;
  switch (cluster_.discovery) {
    case Cluster::Discovery::Self:
      resolved_ = true;
      set_addresses({{world::kLoopbackAddress, cluster_.port}});
      ready_();
      break;
    case Cluster::Discovery::LogicalDns:
    case Cluster::Discovery::StrictDns:
    case Cluster::Discovery::Static:
      resolve();
      break;
  }
}

void Upstream::resolve() {
  resolving_ = true;
  if (cluster_.discovery == Cluster::Discovery::Static) {
    resolve_all();
    return;
  }
  world_.resolve(cluster_.host_name, [weak = self_](const world::Resolution& answer) {
    if (*weak == nullptr) return;
    Upstream& self = **weak;
    const bool one = self.cluster_.discovery != Cluster::Discovery::StrictDns;
    Addresses addresses;
    for (const std::uint32_t address : answer.addresses) {
      addresses.emplace_back(address, self.cluster_.port);
      if (one) break;
    }
    self.resolved(addresses, answer.status == world::Resolution::Status::Failed);
  });
}

/// Asks for several names, and waits for the last answer.
void Upstream::resolve_all() {
  struct Answers {
    std::vector<Addresses> of;
    std::size_t missing = 0;
    bool failed = false;
  };
  const auto& names = cluster_.endpoints;
  if (names.empty()) {
    resolved({}, false);
    return;
  }
  auto answers = std::make_shared<Answers>();
  answers->of.resize(names.size());
  answers->missing = names.size();
  for (std::size_t i = 0; i < names.size(); ++i) {
    world_.resolve(names[i].first, [weak = self_, answers, i,
                                    port = names[i].second](const world::Resolution& answer) {
      if (*weak == nullptr) return;
      if (answer.status == world::Resolution::Status::Failed) answers->failed = true;
      if (!answer.addresses.empty()) answers->of[i].emplace_back(answer.addresses.front(), port);
      if (--answers->missing != 0) return;
      Addresses addresses;
      for (const auto& of : answers->of) addresses.insert(addresses.end(), of.begin(), of.end());
      (*weak)->resolved(addresses, answers->failed);
    });
  }
}

void Upstream::resolved(const Addresses& addresses, bool failed) {
  resolving_ = false;
  resolved_at_ = world_.now();
  // A name that cannot be asked for keeps the addresses it had.
  if (!failed || !resolved_) set_addresses(addresses);
  if (!std::exchange(resolved_, true) && ready_) ready_();
}

void Upstream::set_addresses(const Addresses& addresses) {
  std::vector<std::unique_ptr<UpstreamHost>> hosts;
  for (const auto& [address, port] : addresses) {
    const world::Endpoint endpoint{address, port};
    const auto same = [&](const auto& host) { return host && host->endpoint() == endpoint; };
    auto found = std::find_if(hosts_.begin(), hosts_.end(), same);
    if (found != hosts_.end()) {
      hosts.push_back(std::move(*found));
    } else if (std::none_of(hosts.begin(), hosts.end(), same)) {
      hosts.push_back(std::make_unique<UpstreamHost>(endpoint));
    }
  }
  // Hosts that are gone serve what they have; their idle connections end.
  for (auto& host : hosts_) {
    if (!host) continue;
    while (!host->ready_.empty()) host->ready_.back()->retire();
    former_hosts_.push_back(std::move(host));
  }
  if (!resolved_ && hosts.size() > 1) {
    next_host_ = world_.random("cluster/" + cluster_.name).below(hosts.size());
  }
  hosts_ = std::move(hosts);
}

UpstreamHost* Upstream::pick(const std::vector<UpstreamHost*>& avoid, std::uint32_t attempts) {
  if (hosts_.empty()) return nullptr;
  UpstreamHost* host = nullptr;
  for (std::uint32_t i = 0; i < std::max<std::uint32_t>(attempts, 1); ++i) {
    host = hosts_[next_host_ % hosts_.size()].get();
    next_host_ = (next_host_ + 1) % hosts_.size();
    if (std::find(avoid.begin(), avoid.end(), host) == avoid.end()) break;
  }
  return host;
}

void Upstream::request(UpstreamRequest& request, const std::vector<UpstreamHost*>& avoid,
                       std::uint32_t attempts) {
  const bool by_name = cluster_.discovery != Cluster::Discovery::Self;
  if (by_name && !resolving_ && world_.now() - resolved_at_ >= kRefresh) resolve();
  UpstreamHost* host = pick(avoid, attempts);
  request.host_ = host;
  if (host == nullptr) {
    request.on_upstream_reset(ResetReason::NoHealthyHost, {});
    return;
  }
  if (!host->ready_.empty()) {
    attach(request, *host->ready_.back());
    return;
  }
  if (counts_.pending >= cluster_.limits.max_pending_requests) {
    ++counts_.pending_overflow;
    request.on_upstream_reset(ResetReason::Overflow, {});
    return;
  }
  host->enqueue(request);
  ++counts_.pending;
  try_connect(*host);
}

/// Makes one connection if more requests wait than connections are coming for, and a limit or the
/// host's lack of any connection allows it.
void Upstream::try_connect(UpstreamHost& host) {
  const bool http2 = cluster_.protocol == Protocol::Http2;
  const std::size_t each = http2 ? Http2Upstream::kMostStreams : 1;
  if (host.queued_ <= host.connecting_ * each) return;
  if (counts_.connections >= cluster_.limits.max_connections) {
    ++counts_.connection_overflow;
    if (!host.connections_.empty()) return;
  }
  ++counts_.connections;
  ++counts_.connections_total;
  ++host.connecting_;
  std::unique_ptr<UpstreamConnection> connection;
  if (http2) {
    connection = std::make_unique<Http2Upstream>(*this, host);
  } else {
    connection = std::make_unique<Http1Upstream>(*this, host);
  }
  connection->index_ = host.connections_.size();
  host.connections_.push_back(std::move(connection));
}

void Upstream::attach(UpstreamRequest& request, UpstreamConnection& connection) {
  if (counts_.requests >= cluster_.limits.max_requests) {
    ++counts_.pending_overflow;
    request.on_upstream_reset(ResetReason::Overflow, {});
    return;
  }
  ++counts_.requests;
  ++counts_.requests_total;
  request.connection_ = &connection;
  request.host_ = &connection.host_;
  request.stream_ = &connection.open(request);
  if (connection.room() == 0) connection.withdraw();
  request.on_upstream_ready(*request.stream_);
}

void Upstream::offer(UpstreamConnection& connection) {
  UpstreamHost& host = connection.host_;
  while (host.first_ != nullptr && connection.room() > 0) {
    UpstreamRequest& next = *host.first_;
    host.dequeue(next);
    --counts_.pending;
    attach(next, connection);
  }
  if (connection.ready_ || connection.room() == 0) return;
  connection.ready_ = true;
  host.ready_.push_back(&connection);
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
  } else if (request.connection_ != nullptr) {
    request.connection_->cancel(request);
  }
}

void Upstream::leave(UpstreamRequest& request) {
  request.connection_->leave(request);
}

void Upstream::lose(UpstreamConnection& connection) {
  UpstreamHost& host = connection.host_;
  if (connection.connecting_) --host.connecting_;
  --counts_.connections;
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
