#include "sim/network.h"

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <new>
#include <utility>

#include <fmt/format.h>

#include "sim/connection.h"
#include "sim/host.h"

namespace sim {
namespace {

constexpr std::uint16_t kFirstPort = 32768;  // as Linux hands them out
constexpr std::uint16_t kLastPort = 60999;

constexpr std::size_t kSlabBlocks = 256;

constexpr std::size_t kFirstBuckets = 16;

}  // namespace

Network::Network(world::EventLoop& loop, world::Trace& trace, const world::Random& random,
                 const LinkOptions& default_link, const LinkOptions& loopback)
    : loop_(loop),
      trace_(trace),
      random_(random),
      default_link_(default_link),
      loopback_(loopback) {}

Network::~Network() {
  drop_connections();
}

void* Network::take_block(std::size_t bytes) {
  if (bytes > kBlockBytes) return ::operator new(bytes);
  if (free_blocks_ == nullptr) {
    if (first_blocks_used_ < kFirstBlocks) {  // a tiny world needs no more
      return first_blocks_.data() + kBlockBytes * first_blocks_used_++;
    }
    slabs_.emplace_back(new std::byte[kSlabBlocks * kBlockBytes]);
    std::byte* slab = slabs_.back().get();
    for (std::size_t i = kSlabBlocks; i-- > 0;) give_block(slab + i * kBlockBytes, kBlockBytes);
  }
  return std::exchange(free_blocks_, free_blocks_->next);
}

void Network::give_block(void* block, std::size_t bytes) {
  if (bytes > kBlockBytes) {
    ::operator delete(block);
    return;
  }
  free_blocks_ = new (block) FreeBlock{free_blocks_};
}

void Network::forget_connections(const Host& host) {
  for (Connection* connection = first_connection_; connection != nullptr;
       connection = connection->next_) {
    for (const Connection::Side side : {Connection::kClient, Connection::kServer}) {
      if (connection->ends_[side].host == &host) connection->crash(side);
    }
  }
}

template <class F>
void Network::with_ends_on(const Host& host, F&& what) {
  struct OneEnd {
    Connection* connection;
    Connection::Side side;
  };
  std::vector<OneEnd> ends;  // users who are told may end connections, and begin others
  for (Connection* each = first_connection_; each != nullptr; each = each->next_) {
    for (const Connection::Side side : {Connection::kClient, Connection::kServer}) {
      if (each->ends_[side].host != &host || !each->ends_[side].established) continue;
      ++each->depth_;
      ends.push_back({each, side});
    }
  }
  for (const OneEnd& end : ends) {
    what(*end.connection, end.side);
    --end.connection->depth_;
    end.connection->collect();
  }
}

void Network::abandon_connections(const Host& host, const Host* peer) {
  with_ends_on(host, [peer](Connection& connection, Connection::Side side) {
    if (peer != nullptr && connection.ends_[Connection::other(side)].host != peer) return;
    connection.abandon(side);
  });
}

void Network::reset_connections(const Host& one, const Host& other) {
  with_ends_on(one, [&other](Connection& connection, Connection::Side side) {
    if (connection.ends_[Connection::other(side)].host != &other) return;
    connection.fail(side, world::TransportError::Reset);
    connection.fail(Connection::other(side), world::TransportError::Reset);
  });
}

void Network::pace_changed(const Host& host) {
  with_ends_on(
      host, [](Connection& connection, Connection::Side side) { connection.pace_changed(side); });
}

void Network::drop_connections() {
  while (first_connection_ != nullptr) first_connection_->destroy();
}

Host* Network::host_at(std::uint32_t address) const {
  const std::uint32_t index = address - kFirstAddress;
  return index < hosts_.size() ? hosts_[index] : nullptr;
}

Network::Link& Network::link_between(const Host& from, const Host& to) {
  const auto [found, added] = links_.try_emplace({from.id(), to.id()});
  Link& link = found->second;
  if (added) {
    link.from = &from;
    link.to = &to;
    link.is_loopback = from.id() == to.id();
    link.options = link.is_loopback ? loopback_ : default_link_;
    if (link.is_loopback) link.segment_bytes = kLoopbackSegmentBytes;
  }
  return link;
}

world::Random& Network::random_of(Link& link) {
  if (!link.random) {
    link.random = random_.fork(fmt::format("{}>{}", link.from->name(), link.to->name()));
  }
  return *link.random;
}

void Network::set_link(const Host& from, const Host& to, const LinkOptions& options) {
  Link& link = link_between(from, to);
  link.options = options;
  link.has_own_options = true;
}

LinkOptions Network::link(const Host& from, const Host& to) const {
  const auto found = links_.find({from.id(), to.id()});
  if (found != links_.end()) return found->second.options;
  return from.id() == to.id() ? loopback_ : default_link_;
}

void Network::set_default_link(const LinkOptions& options) {
  default_link_ = options;
  for (auto& [ends, link] : links_) {
    if (!link.has_own_options && !link.is_loopback) link.options = options;
  }
}

namespace {

/// The other end of a connection that cannot even be tried: it fails at this instant.
class Stillborn final : public world::Transport {
 public:
  Stillborn(world::World& world, world::Endpoint remote, world::TransportEvents& events,
            world::TransportError error)
      : remote_(remote),
        events_(&events),
        error_(error),
        timer_(world.loop(), world.id(), world::bind<&Stillborn::fail>(this)) {
    timer_.start_after({});
  }
  void write(std::string_view) override {}
  void finish() override {}
  void close() override { timer_.stop(); }
  void reset() override { timer_.stop(); }
  void pause_reading() override {}
  void resume_reading() override {}
  std::size_t unsent() const override { return 0; }
  world::Endpoint local() const override { return {}; }
  world::Endpoint remote() const override { return remote_; }
  std::uint64_t flow() const override { return 0; }
  void set_events(world::TransportEvents& events) override { events_ = &events; }

 private:
  void fail() { events_->on_error(make_error_code(error_)); }

  world::Endpoint remote_;
  world::TransportEvents* events_;
  world::TransportError error_;
  world::Timer timer_;
};

}  // namespace

std::unique_ptr<world::Transport> Network::connect(Host& from, std::uint16_t wanted_port,
                                                   const world::Endpoint& remote,
                                                   world::TransportEvents& events) {
  const bool own = remote.address == world::kLoopbackAddress;
  Host* to = own ? &from : host_at(remote.address);
  if (to == nullptr) {
    return std::make_unique<Stillborn>(from, remote, events, world::TransportError::Unreachable);
  }
  std::uint16_t port = wanted_port;
  if (port == 0) {
    port = free_port(from, remote);
  } else if (!is_free(from, port, remote)) {
    port = 0;
  }
  if (port == 0) {
    return std::make_unique<Stillborn>(from, remote, events, world::TransportError::PortsExhausted);
  }
  const world::Endpoint local{own ? world::kLoopbackAddress : from.address(), port};
  void* memory = take_block(sizeof(Connection));
  auto* connection = new (memory) Connection(*this, from, *to, local, remote);  // owns itself
  return connection->open(events);
}

world::Result<std::unique_ptr<world::Listener>> Network::listen(Host& host,
                                                                const world::Endpoint& local,
                                                                world::AcceptEvents& events) {
  if (local.port == 0) return world::Error{{}, "port must be between 1 and 65535, is 0"};
  for (const SimListener* other = host.listeners_; other != nullptr; other = other->next_) {
    if (other->local_.port != local.port) continue;
    return world::Error{{}, fmt::format("port {} of host {} is taken", local.port, host.name())};
  }
  return std::unique_ptr<world::Listener>(
      std::make_unique<SimListener>(*this, host, local, events));
}

SimListener* Network::listener_at(const Host& host, const world::Endpoint& local) const {
  std::uint16_t port = local.port;
  if (host.redirect_ != nullptr && local.address != world::kLoopbackAddress) {
    const std::vector<std::uint16_t>& ports = host.redirect_->ports;
    if (std::find(ports.begin(), ports.end(), port) != ports.end()) port = host.redirect_->incoming;
  }
  for (SimListener* listener = host.listeners_; listener != nullptr; listener = listener->next_) {
    if (listener->local_.port != port) continue;
    const std::uint32_t bound = listener->local_.address;
    return bound == 0 || bound == local.address ? listener : nullptr;
  }
  return nullptr;
}

Connection*& Network::bucket(world::HostId host, std::uint16_t port,
                             const world::Endpoint& remote) {
  const std::uint64_t from = std::uint64_t{host} << 16 | port;
  const std::uint64_t to = std::uint64_t{remote.address} << 16 | remote.port;
  const std::uint64_t mixed = (from ^ to * 0x9e3779b97f4a7c15U) * 0xbf58476d1ce4e5b9U;
  return by_ports_[mixed >> 32 & (by_ports_.size() - 1)];
}

bool Network::is_free(const Host& host, std::uint16_t port, const world::Endpoint& remote) {
  if (by_ports_.empty()) by_ports_.resize(kFirstBuckets);
  const Connection* other = bucket(host.id(), port, remote);
  while (other != nullptr && !other->joins(host, port, remote)) other = other->same_bucket_;
  return other == nullptr;
}

std::uint16_t Network::free_port(Host& host, const world::Endpoint& remote) {
  if (exhausted_host_ == host.id() && exhausted_remote_ == remote) return 0;
  for (int tries = 0; tries <= kLastPort - kFirstPort; ++tries) {
    const auto port = static_cast<std::uint16_t>(kFirstPort + host.next_port_);
    host.next_port_ = port == kLastPort ? 0 : static_cast<std::uint16_t>(host.next_port_ + 1);
    if (is_free(host, port, remote)) return port;
  }
  exhausted_host_ = host.id();
  exhausted_remote_ = remote;
  return 0;
}

void Network::add(Connection& connection) {
  if (++connections_ > by_ports_.size()) {
    by_ports_.assign(by_ports_.size() * 2, nullptr);
    for (Connection* each = first_connection_; each != nullptr; each = each->next_) hang(*each);
  }
  hang(connection);
  connection.next_ = first_connection_;
  if (first_connection_ != nullptr) first_connection_->previous_ = &connection;
  first_connection_ = &connection;
}

void Network::hang(Connection& connection) {
  const Connection::Ending& client = connection.ends_[Connection::kClient];
  const world::Endpoint& remote = connection.remote_of(Connection::kClient);
  Connection*& place = bucket(client.host->id(), client.local.port, remote);
  connection.same_bucket_ = place;
  place = &connection;
}

void Network::remove(Connection& connection) {
  exhausted_host_ = 0;
  const Connection::Ending& client = connection.ends_[Connection::kClient];
  const world::Endpoint& remote = connection.remote_of(Connection::kClient);
  Connection** place = &bucket(client.host->id(), client.local.port, remote);
  while (*place != &connection) place = &(*place)->same_bucket_;
  *place = connection.same_bucket_;
  Connection* const previous = connection.previous_;
  Connection* const next = connection.next_;
  (previous != nullptr ? previous->next_ : first_connection_) = next;
  if (next != nullptr) next->previous_ = previous;
  --connections_;
}

}  // namespace sim
