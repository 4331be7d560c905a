#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <memory_resource>
#include <optional>
#include <vector>

#include "sim/link.h"
#include "world/event_loop.h"
#include "world/random.h"
#include "world/result.h"
#include "world/trace.h"
#include "world/transport.h"

namespace sim {

class Connection;
class Host;
class SimListener;

/// TCP between the hosts of a world, as applications see it.
///
/// Connect takes one round trip: it is refused where nothing listens, and never answered where the
/// link is a blackhole or the listener's backlog is full (SYNs are sent again after 1, 3, 7, ...
/// seconds, and given up after 127). Bytes travel in segments of at most the link's MSS, are held
/// back by the receiver's window, and arrive in order; a lost segment arrives a retransmission
/// timeout later (200 ms, doubling). FIN follows the bytes; RST discards what was not delivered.
class Network {
 public:
  static constexpr std::size_t kSegmentBytes = 1460;
  static constexpr std::size_t kLoopbackSegmentBytes = 65483;
  static constexpr std::size_t kWindowBytes = 65536;
  static constexpr std::size_t kBacklog = 4096;

  Network(world::EventLoop& loop, world::Trace& trace, const world::Random& random,
          const LinkOptions& default_link, const LinkOptions& loopback);
  ~Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  /// Sets the link from one host to another (one direction). Open connections use it from now on.
  void set_link(const Host& from, const Host& to, const LinkOptions& options);
  LinkOptions link(const Host& from, const Host& to) const;
  /// Sets the link of every pair that has none of its own.
  void set_default_link(const LinkOptions& options);

  /// A host loses all that it knew of its connections, as in a crash. Their other ends hear nothing
  /// until they send something that arrives: then it is a reset.
  void forget_connections(const Host& host);

  /// A host gives up its open connections, with `peer` or with everyone if null, and its users are
  /// told "timed out". Their other ends hear nothing until they send: then it is a reset.
  void abandon_connections(const Host& host, const Host* peer);
  /// Both ends of every open connection between the two hear of a reset at this instant.
  void reset_connections(const Host& one, const Host& other);

  std::size_t open_connections() const { return connections_; }

 private:
  friend class Connection;
  friend class Host;
  friend class SimListener;
  friend class Simulation;

  /// One direction between two hosts, shared by all of their connections.
  struct Link {
    LinkOptions options;
    bool has_own_options = false;
    bool is_loopback = false;
    std::size_t segment_bytes = kSegmentBytes;
    world::TimePoint free_at{};  // when the last byte given to it has left
    const Host* from = nullptr;
    const Host* to = nullptr;
    std::optional<world::Random> random;  // made when chance first has a say
  };

  static constexpr std::uint32_t kFirstAddress = 0x0a000001;

// Blocks of this size are used again: connections, and segments of most requests and answers.
// Not where an address sanitizer is to see who reads what is gone.
#if defined(__SANITIZE_ADDRESS__)
  static constexpr std::size_t kBlockBytes = 0;
#else
  static constexpr std::size_t kBlockBytes = 512;
#endif
  static constexpr std::size_t kFirstBlocks = 12;

  /// Memory for segments and connections. Small blocks are kept and used again.
  void* take_block(std::size_t bytes);
  void give_block(void* block, std::size_t bytes);
  /// Calls `what` with each end on that host whose handshake is over, the newest connection first.
  template <class F>
  void with_ends_on(const Host& host, F&& what);
  void pace_changed(const Host& host);
  /// Forgets every connection. Nobody is told.
  void drop_connections();
  void attach(Host& host) {
    if (hosts_.empty()) hosts_.reserve(8);
    hosts_.push_back(&host);
  }
  Host* host_at(std::uint32_t address) const;
  Link& link_between(const Host& from, const Host& to);
  world::Random& random_of(Link& link);
  /// `port` 0: any that is free.
  std::unique_ptr<world::Transport> connect(Host& from, std::uint16_t port,
                                            const world::Endpoint& remote,
                                            world::TransportEvents& events);
  world::Result<std::unique_ptr<world::Listener>> listen(Host& host, const world::Endpoint& local,
                                                         world::AcceptEvents& events);
  SimListener* listener_at(const Host& host, const world::Endpoint& local) const;
  /// A port that no connection of the host to that remote end has. 0: all are in use.
  std::uint16_t free_port(Host& host, const world::Endpoint& remote);
  bool is_free(const Host& host, std::uint16_t port, const world::Endpoint& remote);
  /// Where a connection between these ends hangs, or would.
  Connection*& bucket(world::HostId host, std::uint16_t port, const world::Endpoint& remote);
  void add(Connection& connection);
  void hang(Connection& connection);
  void remove(Connection& connection);

  world::EventLoop& loop_;
  world::Trace& trace_;
  world::Random random_;
  LinkOptions default_link_;
  LinkOptions loopback_;
  // Links are never removed: their memory comes from one piece, the first of it right here.
  alignas(std::max_align_t) std::array<std::byte, 1536> first_links_;
  std::pmr::monotonic_buffer_resource link_memory_{first_links_.data(), first_links_.size()};
  std::pmr::map<std::pair<world::HostId, world::HostId>, Link> links_{&link_memory_};
  std::vector<Host*> hosts_;           // by address, from 10.0.0.1
  std::vector<Connection*> by_ports_;  // chained hash table of all connections, by both ends
  // Those that lead through another host, by what their targets take for the client's end.
  std::multimap<world::Endpoint, Connection*> relayed_;
  std::uint64_t next_flow_ = 1;
  std::size_t connections_ = 0;
  Connection* first_connection_ = nullptr;
  // The last search for a free port that found none. Nothing is free until a connection goes.
  world::HostId exhausted_host_ = 0;
  world::Endpoint exhausted_remote_{};
  struct FreeBlock {
    FreeBlock* next;
  };
  FreeBlock* free_blocks_ = nullptr;
  std::size_t first_blocks_used_ = 0;
  alignas(std::max_align_t) std::array<std::byte, kFirstBlocks * kBlockBytes> first_blocks_;
  std::vector<std::unique_ptr<std::byte[]>> slabs_;  // what the blocks are cut from
};

}  // namespace sim
