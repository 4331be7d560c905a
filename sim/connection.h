#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "sim/host.h"
#include "sim/network.h"
#include "world/event_loop.h"
#include "world/passage.h"
#include "world/timer.h"
#include "world/transport.h"

namespace sim {

/// A connection between two hosts: two ends, and what is under way in each direction. A host in the
/// middle may pass it on to another: see passage.h.
///
/// Lives until both ends are closed and nothing is in flight. Not for users: they hold Transports.
class Connection {
 public:
  enum Side : std::uint8_t { kClient = 0, kServer = 1 };

  /// `server` may be a host that passes it on.
  Connection(Network& network, Host& client, Host& server, const world::Endpoint& local,
             const world::Endpoint& remote);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Sends the SYN. `events` belongs to the client's end.
  std::unique_ptr<world::Transport> open(world::TransportEvents& events);
  /// Hands the server's end to a listener that was not accepting when the handshake ended.
  void accept_late(world::AcceptEvents& events);

 private:
  friend class Network;
  friend class SimListener;
  friend class SimPassage;

  enum class Kind : std::uint8_t { Syn, SynAck, Ack, Data, Fin, Rst, Window, Probe, ProbeAnswer };

  /// Something on its way, or bytes that wait to be sent or read. The bytes follow the header.
  struct Segment {
    Segment* next = nullptr;
    world::TimePoint arrives{};
    std::uint32_t size = 0;
    Kind kind = Kind::Data;
    bool doomed = false;  // lost so often that the sender gives up when it would arrive
    char* bytes() { return reinterpret_cast<char*>(this + 1); }
    std::string_view view() { return {bytes(), size}; }
  };

  struct Queue {
    Segment* first = nullptr;
    Segment* last = nullptr;
    bool empty() const { return first == nullptr; }
    void push(Segment& segment);
    Segment* pop();
  };

  /// What is on its way from one host to the next. The task is due when its first segment arrives.
  struct Leg : world::Task {
    Leg(Connection& owner, Side sender, world::HostId receiver, Network::Link& path);

    Connection& connection;
    Network::Link* link;
    Queue flight;  // in order of arrival
    Side from;
  };

  /// What one side sends to the other, and the first leg of its way, almost always the only one.
  struct Direction : Leg {
    using Leg::Leg;

    Queue unsent;  // what the window has not taken
    std::uint32_t unsent_bytes = 0;
    std::uint32_t window_used = 0;  // in flight or unread
    std::uint8_t retries = 0;       // of a segment that is swallowed on its way
    bool finishing = false;         // FIN goes after the last unsent byte
    bool fin_sent = false;
    bool window_update_due = false;  // the receiver is telling the sender that there is room
  };

  struct Ending {
    Host* host = nullptr;
    world::Endpoint local;
    world::TransportEvents* events = nullptr;
    Queue unread;
    bool has_handle = false;
    bool established = false;  // the client knows of the answer; the server's end was accepted
    bool paused = false;
    bool closed = false;      // its user wants nothing more
    bool dead = false;        // reset, refused or given up
    bool end_unread = false;  // FIN came while bytes were unread
    bool gave_up = false;     // dead, and the peer was not told
  };

  /// What a connection has that leads through another host.
  struct Relay {
    Relay(Connection& connection, SimPassage& through, Network::Link& to_client,
          const world::Endpoint& at);

    Leg* onward(Side from);  // the second leg; null until it is known where it leads

    SimPassage* passage;  // null: it has gone
    const Host& node;
    world::Endpoint entrance;  // where the client believes the other end to be
    world::Endpoint source{};  // where the target believes it
    Leg to_client_end;
    std::optional<Leg> to_target_end;
  };

  /// Asks a silent peer whether it is there.
  struct Prober {
    Prober(Connection& owner, Side on, const KeepAlive& options);
    void due();

    Connection& connection;
    Side side;
    KeepAlive settings;
    world::TimePoint heard;
    std::uint32_t unanswered = 0;
    world::Timer timer;
  };

  /// How far a process that is slow has come.
  struct Pace {
    Pace(Connection& owner, Side on);
    void read_on();
    void write_on();

    Connection& connection;
    Side side;
    world::TimePoint reads_at{};  // the next piece
    world::TimePoint writes_at{};
    world::Timer reader;
    world::Timer writer;
  };
  struct Paces {
    explicit Paces(Connection& owner) : of{Pace(owner, kClient), Pace(owner, kServer)} {}
    std::array<Pace, 2> of;
  };

  /// What a user holds: one side of a connection. It stands inside of the connection, which goes
  /// only after both were deleted.
  class End final : public world::Transport {
   public:
    End(Connection& connection, Side side) : connection_(&connection), side_(side) {}
    ~End() override { connection_->close(side_); }

    static void* operator new(std::size_t, void* place) { return place; }
    static void operator delete(void* end);

    void write(std::string_view bytes) override { connection_->write(side_, bytes); }
    void finish() override { connection_->finish(side_); }
    void close() override { connection_->close(side_); }
    void reset() override { connection_->reset(side_); }
    void pause_reading() override { connection_->pause(side_); }
    void resume_reading() override { connection_->resume(side_); }
    std::size_t unsent() const override { return connection_->directions_[side_].unsent_bytes; }
    world::Endpoint local() const override { return connection_->ends_[side_].local; }
    world::Endpoint remote() const override { return connection_->remote_of(side_); }
    std::uint64_t flow() const override { return connection_->flow_; }
    void set_events(world::TransportEvents& events) override {
      connection_->ends_[side_].events = &events;
    }

   private:
    Connection* connection_;
    Side side_;
  };
  struct EndPlace {
    alignas(End) std::array<std::byte, sizeof(End)> end;  // first: its address is the end's
    Connection* connection = nullptr;
    Side side = kClient;
  };

  static Side other(Side side) { return side == kClient ? kServer : kClient; }
  world::EventLoop& loop() const { return network_.loop_; }

  void write(Side side, std::string_view bytes);
  void finish(Side side);
  void close(Side side);
  void reset(Side side);
  void pause(Side side) { ends_[side].paused = true; }
  void resume(Side side);
  std::unique_ptr<world::Transport> make_handle(Side side);
  void drop_handle(Side side);
  void forget(Side side);

  Segment& make_segment(Kind kind, std::string_view bytes);
  void discard(Segment& segment);
  void discard(Queue& queue);
  void launch(Leg& leg, Segment& segment);
  void send_control(Side from, Kind kind);
  void pump(Direction& direction);
  void arrivals(Leg& leg);
  void arrive(Direction& direction, Segment& segment);
  void connected();
  void syn_arrives();
  void ack_arrives();
  void data_arrives(Direction& direction, Segment& segment);
  void hand_over(Side side, std::string_view bytes);
  void deliver_unread(Side side);
  void end_arrives(Side side);
  void fail(Side side, world::TransportError error);
  void tell_failure(Side side, world::TransportError error);
  void abandon(Side side);
  void drained(Side side);
  /// Whether the side's process is stopped: its kernel goes on without it.
  bool stopped(Side side) const { return loop().frozen(ends_[side].host->id()); }
  /// Tells a stopped process once it goes on.
  template <class F>
  void tell_later(Side side, F&& tell);
  // Of processes that are slow, in pace.cc.
  bool is_slow(Side side, std::uint64_t Host::*rate) const {
    return ends_[side].host->*rate != 0 && !directions_[side].link->is_loopback;
  }
  Pace& pace_of(Side side);
  /// Whether the side's process reads, or writes, so many bytes now. If not, it will by itself.
  bool may_read(Side side, std::uint32_t bytes) {
    return !is_slow(side, &Host::read_rate_) || may_read_slowly(side, bytes);
  }
  bool may_write(Side side, std::uint32_t bytes) {
    return !is_slow(side, &Host::write_rate_) || may_write_slowly(side, bytes);
  }
  bool may_read_slowly(Side side, std::uint32_t bytes);
  bool may_write_slowly(Side side, std::uint32_t bytes);
  /// The most that goes into one segment.
  std::size_t piece_bytes(Side side) const {
    const std::size_t most = directions_[side].link->segment_bytes;
    return is_slow(side, &Host::write_rate_) ? slow_piece_bytes(side, most) : most;
  }
  std::size_t slow_piece_bytes(Side side, std::size_t most) const;
  void pace_changed(Side side);
  void room_made(Direction& direction, std::uint32_t bytes);
  void refuse_bytes(Side side);
  bool swallowed(Leg& leg);
  void lose(Leg& leg);
  void give_up(Leg& leg);
  world::TimePoint give_up_at() const;
  void trace(world::TraceKind kind, Side who, std::uint64_t a, std::string_view text);
  // Of connections that lead through another host, in passage.cc.
  void lead_through(SimPassage& passage);
  void lead_to(Host& target, const world::Onward& onward);
  void forget_relayed();
  void leave_passage();
  bool pass(const Leg& leg, Segment& segment);
  void reset_midway();
  void pull_back(Leg& lost);
  bool is_duplicate() const;
  std::uint32_t sequence() const;
  void start_probing(Side side);
  void heard(Side side);
  void probe_arrives(Side receiver);
  /// What a side takes for the other end's address.
  const world::Endpoint& remote_of(Side side) const {
    if (!relay_) return ends_[other(side)].local;
    return side == kClient ? relay_->entrance : relay_->source;
  }
  /// Destroys the connection when nobody can notice it any more.
  void collect();
  /// That side knows nothing any more.
  void crash(Side side);
  void destroy();
  bool joins(const Host& client, std::uint16_t port, const world::Endpoint& remote) const {
    const Ending& end = ends_[kClient];
    return end.local.port == port && end.host == &client && remote_of(kClient) == remote;
  }

  Network& network_;
  std::uint64_t flow_;
  world::TimePoint opened_;
  Connection* next_ = nullptr;  // among all of the network
  Connection* same_bucket_ = nullptr;
  Connection* previous_ = nullptr;
  std::uint32_t depth_ = 0;  // calls into users that are under way
  bool syn_answered_ = false;
  bool in_backlog_ = false;
  std::array<Ending, 2> ends_;
  std::array<EndPlace, 2> end_places_;
  std::array<Direction, 2> directions_;  // by sender
  std::unique_ptr<Relay> relay_;         // almost always none
  std::array<std::unique_ptr<Prober>, 2> probers_;
  std::unique_ptr<Paces> paces_;  // almost always none
};

/// A port that is listened on.
class SimListener final : public world::Listener {
 public:
  SimListener(Network& network, Host& host, const world::Endpoint& local,
              world::AcceptEvents& events);
  ~SimListener() override;

  world::Endpoint local() const override { return local_; }
  void set_accepting(bool accepting) override;

 private:
  friend class Connection;
  friend class Network;

  Network& network_;
  Host& host_;
  world::Endpoint local_;
  world::AcceptEvents& events_;
  /// Hands over those that wait, from an event of the host's process.
  void accept_soon();

  bool accepting_ = true;
  SimListener* next_ = nullptr;       // of the same host
  std::vector<Connection*> backlog_;  // in order of their handshakes
};

}  // namespace sim
