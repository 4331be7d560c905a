#include "proxy/upstream.h"

#include <algorithm>
#include <cassert>

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
    while (!host->idle_.empty()) host->idle_.back()->close();
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
  if (!host->idle_.empty()) {
    UpstreamConnection& connection = *host->idle_.back();
    host->idle_.pop_back();
    attach(request, connection);
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

/// Makes one connection if more requests wait than connections are coming, and a limit or the
/// host's lack of any connection allows it.
void Upstream::try_connect(UpstreamHost& host) {
  if (host.queued_ <= host.connecting_) return;
  if (counts_.connections >= cluster_.limits.max_connections) {
    ++counts_.connection_overflow;
    if (!host.connections_.empty()) return;
  }
  ++counts_.connections;
  ++counts_.connections_total;
  ++host.connecting_;
  auto connection = std::make_unique<UpstreamConnection>(*this, host);
  connection->index_ = host.connections_.size();
  host.connections_.push_back(std::move(connection));
}

void Upstream::attach(UpstreamRequest& request, UpstreamConnection& connection) {
  if (counts_.requests >= cluster_.limits.max_requests) {
    connection.host_.idle_.push_back(&connection);
    ++counts_.pending_overflow;
    request.on_upstream_reset(ResetReason::Overflow, {});
    return;
  }
  ++counts_.requests;
  ++counts_.requests_total;
  request.connection_ = &connection;
  request.host_ = &connection.host_;
  connection.request_ = &request;
  connection.request_sent_ = false;
  connection.has_head_ = false;
  request.on_upstream_ready(connection);
}

/// Gives a free connection to the head of its host's queue, or keeps it idle.
void Upstream::serve_next(UpstreamConnection& connection) {
  UpstreamHost& host = connection.host_;
  if (host.first_ == nullptr) {
    host.idle_.push_back(&connection);
    return;
  }
  UpstreamRequest& next = *host.first_;
  host.dequeue(next);
  --counts_.pending;
  attach(next, connection);
}

void Upstream::cancel(UpstreamRequest& request) {
  if (request.waiting_) {
    request.host_->dequeue(request);
    --counts_.pending;
  } else if (request.connection_ != nullptr) {
    UpstreamConnection& connection = *std::exchange(request.connection_, nullptr);
    connection.request_ = nullptr;
    --counts_.requests;
    connection.close();
  }
}

void Upstream::leave(UpstreamRequest& request) {
  std::exchange(request.connection_, nullptr)->request_ = nullptr;
  --counts_.requests;
}

void Upstream::lose(UpstreamConnection& connection) {
  UpstreamHost& host = connection.host_;
  if (connection.connecting_) --host.connecting_;
  --counts_.connections;
  const auto idle = std::find(host.idle_.begin(), host.idle_.end(), &connection);
  if (idle != host.idle_.end()) host.idle_.erase(idle);
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

// --- UpstreamConnection --------------------------------------------------------------------

UpstreamConnection::UpstreamConnection(Upstream& upstream, UpstreamHost& host)
    : upstream_(upstream),
      host_(host),
      transport_(upstream.world_.connect(host.endpoint_, *this)),
      connect_timer_(upstream.world_.loop(), upstream.world_.id(),
                     world::bind<&UpstreamConnection::on_connect_timeout>(this)) {
  connect_timer_.start_after(upstream.cluster_.connect_timeout);
}

UpstreamConnection::~UpstreamConnection() = default;

void UpstreamConnection::on_connected() {
  const Cork::Event event(upstream_.cork_);
  connect_timer_.stop();
  connecting_ = false;
  --host_.connecting_;
  upstream_.serve_next(*this);
}

void UpstreamConnection::on_connect_timeout() {
  const Cork::Event event(upstream_.cork_);
  connect_failed(ResetReason::ConnectTimeout, {});
}

/// A failed attempt fails everything that waits for the host. Source: ENV-POOL-17.
void UpstreamConnection::connect_failed(ResetReason reason, std::string_view transport) {
  ++upstream_.counts_.connect_failures;
  UpstreamHost& host = host_;
  Upstream& upstream = upstream_;
  std::vector<UpstreamRequest*> waiting;
  while (host.first_ != nullptr) {
    UpstreamRequest& request = *host.first_;
    host.dequeue(request);
    --upstream.counts_.pending;
    waiting.push_back(&request);
  }
  close();
  for (UpstreamRequest* request : waiting) request->on_upstream_reset(reason, transport);
}

void UpstreamConnection::on_data(std::string_view bytes) {
  const Cork::Event event(upstream_.cork_);
  complete_ = false;
  const std::size_t used = parser_.feed(bytes, *this);
  if (gone_) return;
  if (!parser_.error()) hand_over_body();
  body_.clear();
  if (parser_.error()) {
    fail(ResetReason::ProtocolError);
    return;
  }
  if (!complete_) return;
  // Bytes after a complete response spoil the connection (ENV-HTTP-79).
  const bool reusable = parser_.keep_alive() && request_sent_ && used == bytes.size();
  UpstreamRequest* request = std::exchange(request_, nullptr);
  if (request != nullptr) {
    request->connection_ = nullptr;
    --upstream_.counts_.requests;
  }
  if (reusable) {
    upstream_.serve_next(*this);
  } else {
    close();
  }
  if (request != nullptr) request->on_response_complete();
}

void UpstreamConnection::on_head(wire::http1::ResponseHead& head) {
  has_head_ = true;
  if (request_ != nullptr) request_->on_response_head(head);
}

void UpstreamConnection::on_body(std::string_view bytes) {
  body_.add(bytes);
}

void UpstreamConnection::hand_over_body() {
  if (body_.empty()) return;
  if (request_ != nullptr) request_->on_response_body(body_.bytes());
  body_.clear();
}

void UpstreamConnection::on_complete() {
  hand_over_body();
  complete_ = true;
}

void UpstreamConnection::on_end() {
  const Cork::Event event(upstream_.cork_);
  ended();
}

/// The upstream sends nothing more, by FIN or by reset: both end an answer that lasts until then.
void UpstreamConnection::ended() {
  if (request_ == nullptr) {
    close();
    return;
  }
  if (tunnel_) {
    fail(ResetReason::ConnectionTermination);
    return;
  }
  complete_ = false;
  const bool begun = parser_.in_message();
  parser_.on_end_of_stream(*this);
  if (gone_) return;
  if (complete_) {
    UpstreamRequest* request = std::exchange(request_, nullptr);
    close();
    if (request != nullptr) {
      request->connection_ = nullptr;
      --upstream_.counts_.requests;
      request->on_response_complete();
    }
    return;
  }
  fail(begun ? ResetReason::ProtocolError : ResetReason::ConnectionTermination);
}

void UpstreamConnection::on_error(std::error_code error) {
  const Cork::Event event(upstream_.cork_);
  if (connecting_) {
    connect_timer_.stop();
    const bool refused = error == world::make_error_code(world::TransportError::Refused);
    connect_failed(ResetReason::RefusedConnection,
                   refused ? "delayed connect error: Connection refused"
                           : "immediate connect error: Network is unreachable");
    return;
  }
  ended();
}

void UpstreamConnection::on_drained() {
  const Cork::Event event(upstream_.cork_);
  if (request_ != nullptr) request_->on_upstream_drained();
}

void UpstreamConnection::fail(ResetReason reason) {
  UpstreamRequest* request = std::exchange(request_, nullptr);
  if (request != nullptr) {
    request->connection_ = nullptr;
    request->interim_ = parser_.saw_interim();
    --upstream_.counts_.requests;
  }
  close();
  if (request != nullptr) request->on_upstream_reset(reason, {});
}

void UpstreamConnection::close() {
  if (std::exchange(gone_, true)) return;
  connect_timer_.stop();
  upstream_.cork_.flush();
  transport_->close();
  upstream_.lose(*this);
}

}  // namespace proxy
