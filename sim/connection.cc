#include "sim/connection.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <new>

#include "sim/host.h"

namespace sim {
namespace {

using world::Duration;
using world::TraceKind;
using namespace std::chrono_literals;

constexpr Duration kRetransmission = 200ms;  // the smallest timeout of real stacks
constexpr Duration kLongestRetransmission = 120s;
constexpr int kMostRetries = 15;            // as tcp_retries2: about a quarter of an hour
constexpr Duration kConnectTimeout = 127s;  // as tcp_syn_retries = 6: 1 + 2 + ... + 64

/// How long until try number `retry` is repeated.
Duration backoff(Duration first, int retry) {
  return std::min<Duration>(first * (std::int64_t{1} << std::min(retry, 20)),
                            kLongestRetransmission);
}

}  // namespace

std::unique_ptr<world::Transport> Connection::make_handle(Side side) {
  ends_[side].has_handle = true;
  EndPlace& place = end_places_[side];
  place.connection = this;
  place.side = side;
  return std::unique_ptr<world::Transport>(new (place.end.data()) End(*this, side));
}

/// The end was destroyed before this is called: now the connection may go, and the end's memory
/// with it.
void Connection::End::operator delete(void* end) {
  const EndPlace& place = *static_cast<EndPlace*>(end);
  place.connection->drop_handle(place.side);
}

void Connection::Queue::push(Segment& segment) {
  segment.next = nullptr;
  (last != nullptr ? last->next : first) = &segment;
  last = &segment;
}

Connection::Segment* Connection::Queue::pop() {
  Segment* segment = first;
  first = segment->next;
  if (first == nullptr) last = nullptr;
  return segment;
}

Connection::Segment& Connection::make_segment(Kind kind, std::string_view bytes) {
  auto* segment = new (network_.take_block(sizeof(Segment) + bytes.size())) Segment;
  segment->kind = kind;
  segment->size = static_cast<std::uint32_t>(bytes.size());
  if (!bytes.empty()) std::memcpy(segment->bytes(), bytes.data(), bytes.size());
  return *segment;
}

void Connection::discard(Segment& segment) {
  network_.give_block(&segment, sizeof(Segment) + segment.size);
}

void Connection::discard(Queue& queue) {
  while (!queue.empty()) discard(*queue.pop());
}

Connection::Leg::Leg(Connection& owner, Side sender, world::HostId receiver, Network::Link& path)
    : Task(
          [](Task& task) {
            auto& self = static_cast<Leg&>(task);
            self.connection.arrivals(self);
          },
          receiver, true),
      connection(owner),
      link(&path),
      from(sender) {}

Connection::Connection(Network& network, Host& client, Host& server, const world::Endpoint& local,
                       const world::Endpoint& remote)
    : network_(network),
      flow_(network.next_flow_++),
      opened_(network.loop_.now()),
      directions_{Direction(*this, kClient, server.id(), network.link_between(client, server)),
                  Direction(*this, kServer, server.passage_ != nullptr ? server.id() : client.id(),
                            network.link_between(server, client))} {
  ends_[kClient].host = &client;
  ends_[kClient].local = local;
  ends_[kServer].host = &server;
  ends_[kServer].local = remote;
  if (server.passage_ != nullptr && local.address != world::kLoopbackAddress) {
    lead_through(*server.passage_);
  }
  network.add(*this);
}

Connection::~Connection() {
  for (const Side side : {kClient, kServer}) {
    discard(ends_[side].unread);
    discard(directions_[side].unsent);
    discard(directions_[side].flight);
    if (Leg* leg = relay_ ? relay_->onward(side) : nullptr) discard(leg->flight);
  }
  if (relay_) leave_passage();
  network_.remove(*this);
}

void Connection::destroy() {
  Network& network = network_;
  this->~Connection();
  network.give_block(this, sizeof(Connection));
}

std::unique_ptr<world::Transport> Connection::open(world::TransportEvents& events) {
  ends_[kClient].events = &events;
  auto handle = make_handle(kClient);
  trace(TraceKind::Connect, kClient, ends_[kServer].local.port, {});
  send_control(kClient, Kind::Syn);
  return handle;
}

void Connection::trace(TraceKind kind, Side who, std::uint64_t a, std::string_view text) {
  const world::Endpoint& remote = remote_of(who);
  network_.trace_.record({loop().now(), kind, ends_[who].host->id(), flow_, a,
                          std::uint64_t{remote.address} << 16 | remote.port, text});
}

// --- What users do -------------------------------------------------------------------------

void Connection::write(Side side, std::string_view bytes) {
  Ending& end = ends_[side];
  Direction& direction = directions_[side];
  if (end.dead) return;  // the user has not heard of it yet
  assert(!end.closed && !direction.finishing);
  const bool connected = side == kServer || ends_[kClient].established;
  const std::size_t segment_bytes = piece_bytes(side);
  while (!bytes.empty()) {
    const std::size_t size = std::min(bytes.size(), segment_bytes);
    Segment& segment = make_segment(Kind::Data, bytes.substr(0, size));
    bytes.remove_prefix(size);
    if (connected && direction.unsent.empty() &&
        direction.window_used + segment.size <= Network::kWindowBytes &&
        may_write(side, segment.size)) {
      direction.window_used += segment.size;
      launch(direction, segment);
    } else {
      direction.unsent.push(segment);
      direction.unsent_bytes += segment.size;
    }
  }
}

void Connection::finish(Side side) {
  Direction& direction = directions_[side];
  if (ends_[side].dead || direction.finishing) return;
  direction.finishing = true;
  pump(direction);
}

void Connection::close(Side side) {
  Ending& end = ends_[side];
  if (end.closed) return;
  if (!end.unread.empty() || (side == kClient && !end.established)) {
    reset(side);
    return;
  }
  finish(side);
  end.closed = true;
  end.events = nullptr;
}

void Connection::reset(Side side) {
  Ending& end = ends_[side];
  if (end.closed && end.dead) return;
  const bool tell = !end.dead;
  end.closed = end.dead = true;
  end.events = nullptr;
  forget(side);
  if (!tell) return;
  if (side == kServer || ends_[kClient].established) send_control(side, Kind::Rst);
}

/// Drops what was not read and what was not sent.
void Connection::forget(Side side) {
  discard(ends_[side].unread);
  ends_[side].end_unread = false;
  discard(directions_[side].unsent);
  directions_[side].unsent_bytes = 0;
}

void Connection::resume(Side side) {
  Ending& end = ends_[side];
  if (!end.paused) return;
  end.paused = false;
  if (end.unread.empty() && !end.end_unread) return;
  // Not from inside the user's call: the bytes come as an event of their own.
  ++depth_;
  loop().post(
      [this, side] {
        deliver_unread(side);
        --depth_;
        collect();
      },
      end.host->id());
}

void Connection::drop_handle(Side side) {
  ends_[side].has_handle = false;
  collect();
}

// --- What the network does -----------------------------------------------------------------

/// Moves bytes from `unsent` into flight as far as the receiver's window allows, then the FIN.
void Connection::pump(Direction& direction) {
  if (!ends_[kClient].established && direction.from == kClient) return;  // the handshake goes first
  if (ends_[direction.from].dead) return;
  while (!direction.unsent.empty()) {
    const std::uint32_t size = direction.unsent.first->size;
    if (direction.window_used + size > Network::kWindowBytes) return;
    if (!may_write(direction.from, size)) return;
    Segment* segment = direction.unsent.pop();
    direction.unsent_bytes -= size;
    direction.window_used += size;
    launch(direction, *segment);
  }
  if (direction.finishing && !direction.fin_sent) {
    direction.fin_sent = true;
    send_control(direction.from, Kind::Fin);
  }
}

void Connection::send_control(Side from, Kind kind) {
  launch(directions_[from], make_segment(kind, {}));
}

void Connection::launch(Leg& leg, Segment& segment) {
  Network::Link& link = *leg.link;
  const LinkOptions& options = link.options;
  world::TimePoint leaves = loop().now();
  if (options.bits_per_second != 0) {
    leaves = std::max(leaves, link.free_at);
    constexpr std::uint64_t kHeaderBytes = 40;
    const auto bits = static_cast<unsigned __int128>(segment.size + kHeaderBytes) * 8;
    leaves += Duration(static_cast<std::int64_t>(bits * 1'000'000'000U / options.bits_per_second));
    link.free_at = leaves;
  }
  segment.arrives = leaves + options.latency;
  if (options.jitter > Duration::zero()) {
    const auto most = static_cast<std::uint64_t>(options.jitter.count());
    segment.arrives +=
        Duration(static_cast<std::int64_t>(network_.random_of(link).below(most + 1)));
  }
  const bool handshake = segment.kind == Kind::Syn || segment.kind == Kind::SynAck;
  const Duration first_timeout = handshake ? Duration(1s) : kRetransmission;
  for (int retry = 0; options.loss_per_million != 0 && !segment.doomed &&
                      network_.random_of(link).chance(options.loss_per_million, 1'000'000);
       ++retry) {
    segment.arrives += backoff(first_timeout, retry);
    segment.doomed = handshake ? segment.arrives > give_up_at() : retry == kMostRetries;
  }
  if (handshake && segment.doomed) segment.arrives = give_up_at();
  if (leg.flight.last != nullptr) {
    segment.arrives = std::max(segment.arrives, leg.flight.last->arrives);
  }
  const bool first = leg.flight.empty();
  leg.flight.push(segment);
  if (first) loop().schedule_at(leg, segment.arrives);
}

/// Whether the link swallows what arrives now. Then it is sent again later, or given up.
bool Connection::swallowed(Leg& leg) {
  Direction& direction = directions_[leg.from];
  const Segment& first = *leg.flight.first;
  const bool midway = relay_ && &leg == &direction;  // it goes on from there
  const bool handshake = first.kind == Kind::Syn || first.kind == Kind::SynAck;
  bool lost = leg.link->options.blackhole ||
              (!leg.link->is_loopback && (leg.link->from->cut_off_ || leg.link->to->cut_off_));
  if (first.kind == Kind::Syn && !lost && !midway) {
    const SimListener* listener = network_.listener_at(*ends_[kServer].host, ends_[kServer].local);
    lost = (listener != nullptr && listener->backlog_.size() >= Network::kBacklog) ||
           (!network_.relayed_.empty() && is_duplicate());
  }
  const bool last_wait_over = handshake ? direction.retries != 0 && loop().now() >= give_up_at()
                                        : direction.retries > kMostRetries;
  if (first.doomed || last_wait_over) {
    give_up(leg);
    return true;
  }
  if (!lost) {
    if (!midway) direction.retries = 0;
    return false;
  }
  lose(leg);
  return true;
}

/// What arrives now is not there: it is sent again, and all behind it waits.
void Connection::lose(Leg& leg) {
  Direction& direction = directions_[leg.from];
  const Segment& first = *leg.flight.first;
  const bool handshake = first.kind == Kind::Syn || first.kind == Kind::SynAck;
  if (first.kind == Kind::Probe || first.kind == Kind::ProbeAnswer) {
    discard(*leg.flight.pop());  // another one comes by itself
    return;
  }
  if (relay_ && first.kind == Kind::Syn && ends_[kClient].closed) {
    discard(leg.flight);  // nobody waits for it any more
    return;
  }
  const Duration wait = backoff(handshake ? Duration(1s) : kRetransmission, direction.retries++);
  world::TimePoint next = loop().now() + wait;
  if (handshake) next = std::min(next, std::max(give_up_at(), loop().now()));
  if (&leg != &direction) {
    next = std::max(next - leg.link->options.latency, loop().now());
    pull_back(leg);
  }
  for (Segment* segment = direction.flight.first; segment != nullptr; segment = segment->next) {
    segment->arrives = std::max(segment->arrives, next);
  }
  // Its own task is running: arrivals() schedules what is left of it.
  if (&leg != &direction) loop().schedule_at(direction, direction.flight.first->arrives);
}

/// When a client gives up a connect that nobody answers.
world::TimePoint Connection::give_up_at() const {
  return opened_ + kConnectTimeout;
}

/// The sender stops sending what is never acknowledged. The receiver does not hear of it: only when
/// it sends something itself is it told by a reset.
void Connection::give_up(Leg& leg) {
  Direction& direction = directions_[leg.from];
  const Kind kind = leg.flight.first->kind;
  discard(leg.flight);
  discard(direction.flight);
  direction.retries = 0;
  if (kind == Kind::Syn || kind == Kind::SynAck) {
    trace(TraceKind::ConnectTimeout, kClient, 0, {});
    ends_[kServer].closed = ends_[kServer].dead = true;
    fail(kClient, world::TransportError::TimedOut);
    return;
  }
  // An update of the window is never sent again: it is the other one who waits for it.
  const Side side = kind == Kind::Window ? other(direction.from) : direction.from;
  if (ends_[side].dead) return;
  trace(TraceKind::Note, side, 0, "no acknowledgement: given up");
  ends_[side].gave_up = true;
  fail(side, world::TransportError::TimedOut);
}

void Connection::arrivals(Leg& leg) {
  const bool midway = relay_ && &leg == &directions_[leg.from];
  ++depth_;
  // What is sent meanwhile is an event of its own, even if it arrives at this instant.
  for (const Segment* last = leg.flight.last; last != nullptr && !leg.flight.empty();) {
    if (leg.flight.first->arrives > loop().now()) break;
    if (swallowed(leg)) break;
    Segment* segment = leg.flight.pop();
    if (segment == last) last = nullptr;
    if (!midway) {
      arrive(directions_[leg.from], *segment);
    } else if (!pass(leg, *segment)) {
      segment->next = leg.flight.first;
      leg.flight.first = segment;
      if (leg.flight.last == nullptr) leg.flight.last = segment;
      lose(leg);
      break;
    }
  }
  if (!leg.flight.empty()) loop().schedule_at(leg, leg.flight.first->arrives);
  --depth_;
  collect();
}

/// Takes the segment over.
void Connection::arrive(Direction& direction, Segment& segment) {
  const Side receiver = other(direction.from);
  Ending& end = ends_[receiver];
  const Kind kind = segment.kind;
  heard(receiver);
  if (kind == Kind::Data) {
    data_arrives(direction, segment);
    return;
  }
  discard(segment);
  switch (kind) {
    case Kind::Syn:
      syn_arrives();
      break;
    case Kind::SynAck:
      end.established = true;
      if (end.closed) {
        send_control(receiver, Kind::Rst);
        break;
      }
      connected();
      break;
    case Kind::Ack:
      ack_arrives();
      break;
    case Kind::Fin:
      end_arrives(receiver);
      break;
    case Kind::Rst:
      if (!syn_answered_) {
        trace(TraceKind::Refuse, receiver, 0, {});
        fail(receiver, world::TransportError::Refused);
      } else {
        fail(receiver, world::TransportError::Reset);
      }
      break;
    case Kind::Window:
      direction.connection.directions_[receiver].window_update_due = false;
      if (!end.dead) {
        pump(directions_[receiver]);
        drained(receiver);
      }
      break;
    case Kind::Probe:
      probe_arrives(receiver);
      break;
    case Kind::Data:
    case Kind::ProbeAnswer:
      break;
  }
}

void Connection::connected() {
  Ending& end = ends_[kClient];
  Direction& direction = directions_[kClient];
  const bool held_back = direction.unsent_bytes != 0;  // written before the handshake was over
  send_control(kClient, Kind::Ack);
  start_probing(kClient);
  if (stopped(kClient)) {
    pump(direction);
    tell_later(kClient, [this] {
      const Ending& client = ends_[kClient];
      if (!client.dead && client.events != nullptr) client.events->on_connected();
    });
  } else {
    if (end.events != nullptr) end.events->on_connected();
    pump(direction);
  }
  if (held_back) drained(kClient);
}

/// Everything that its user wrote has gone.
void Connection::drained(Side side) {
  if (directions_[side].unsent_bytes != 0) return;
  if (stopped(side)) {
    tell_later(side, [this, side] {
      if (!ends_[side].dead) drained(side);
    });
  } else if (ends_[side].events != nullptr) {
    ends_[side].events->on_drained();
  }
}

template <class F>
void Connection::tell_later(Side side, F&& tell) {
  ++depth_;
  loop().post(
      [this, tell = std::forward<F>(tell)] {
        tell();
        --depth_;
        collect();
      },
      ends_[side].host->id());
}

void Connection::syn_arrives() {
  if (network_.listener_at(*ends_[kServer].host, ends_[kServer].local) == nullptr) {
    send_control(kServer, Kind::Rst);
    ends_[kServer].dead = ends_[kServer].closed = true;
    return;
  }
  syn_answered_ = true;
  send_control(kServer, Kind::SynAck);
}

void Connection::ack_arrives() {
  SimListener* listener = network_.listener_at(*ends_[kServer].host, ends_[kServer].local);
  if (listener == nullptr) {  // stopped listening during the handshake
    send_control(kServer, Kind::Rst);
    ends_[kServer].dead = ends_[kServer].closed = true;
    return;
  }
  const bool sleeping = stopped(kServer);
  if (!listener->accepting_ || !listener->backlog_.empty() || sleeping) {  // behind those who wait
    in_backlog_ = true;
    listener->backlog_.push_back(this);
    if (sleeping && listener->accepting_ && listener->backlog_.size() == 1) listener->accept_soon();
    return;
  }
  accept_late(listener->events_);
}

void Connection::accept_late(world::AcceptEvents& events) {
  in_backlog_ = false;
  ends_[kServer].established = true;
  start_probing(kServer);
  trace(TraceKind::Accept, kServer, ends_[kServer].local.port, {});
  ++depth_;
  events.on_accept(make_handle(kServer));
  Ending& end = ends_[kServer];
  if (end.dead) {  // reset while it waited in the backlog
    world::TransportEvents* user = std::exchange(end.events, nullptr);
    if (user != nullptr) user->on_error(make_error_code(world::TransportError::Reset));
  } else if (!end.unread.empty() || end.end_unread) {
    deliver_unread(kServer);
  }
  --depth_;
}

void Connection::data_arrives(Direction& direction, Segment& segment) {
  const Side receiver = other(direction.from);
  Ending& end = ends_[receiver];
  if (end.dead || end.closed) {  // nobody reads any more
    discard(segment);
    refuse_bytes(receiver);
    return;
  }
  trace(TraceKind::Data, receiver, segment.size, segment.view());
  if (end.paused || !end.established || !end.unread.empty()) {
    end.unread.push(segment);
    return;
  }
  if (stopped(receiver)) {
    end.unread.push(segment);
    tell_later(receiver, [this, receiver] { deliver_unread(receiver); });
    return;
  }
  if (!may_read(receiver, segment.size)) {
    end.unread.push(segment);
    return;
  }
  hand_over(receiver, segment.view());
  const std::uint32_t size = segment.size;
  discard(segment);
  room_made(direction, size);
}

/// Bytes or FIN came to an end that its user has left: the peer is told once, by a reset.
void Connection::refuse_bytes(Side side) {
  Ending& end = ends_[side];
  if (ends_[other(side)].dead || (end.dead && !end.gave_up)) return;
  end.dead = true;
  end.gave_up = false;
  forget(side);
  send_control(side, Kind::Rst);
}

void Connection::hand_over(Side side, std::string_view bytes) {
  Ending& end = ends_[side];
  if (end.events != nullptr) end.events->on_data(bytes);
}

void Connection::deliver_unread(Side side) {
  Ending& end = ends_[side];
  while (!end.unread.empty() && !end.paused && !end.closed) {
    if (!may_read(side, end.unread.first->size)) return;
    Segment* segment = end.unread.pop();
    hand_over(side, segment->view());
    const std::uint32_t size = segment->size;
    discard(*segment);
    room_made(directions_[other(side)], size);
  }
  if (end.unread.empty() && end.end_unread && !end.paused && !end.closed) {
    end.end_unread = false;
    if (end.events != nullptr) end.events->on_end();
  }
}

void Connection::end_arrives(Side side) {
  Ending& end = ends_[side];
  if (end.dead) {
    if (end.gave_up) refuse_bytes(side);
    return;
  }
  trace(TraceKind::End, side, 0, {});
  if (!end.unread.empty() || !end.established || end.paused) {
    end.end_unread = true;
    return;
  }
  if (stopped(side)) {
    end.end_unread = true;
    tell_later(side, [this, side] { deliver_unread(side); });
    return;
  }
  if (end.events != nullptr) end.events->on_end();
}

/// Its kernel gives up, and its user is told. The other end is not.
void Connection::abandon(Side side) {
  if (ends_[side].dead) return;
  ends_[side].gave_up = true;
  fail(side, world::TransportError::TimedOut);
}

void Connection::fail(Side side, world::TransportError error) {
  Ending& end = ends_[side];
  if (end.dead) return;
  end.dead = true;
  forget(side);
  if (error == world::TransportError::Reset) trace(TraceKind::Reset, side, 0, {});
  if (stopped(side)) {  // until then its user may leave
    tell_later(side, [this, side, error] { tell_failure(side, error); });
  } else {
    tell_failure(side, error);
  }
}

void Connection::tell_failure(Side side, world::TransportError error) {
  world::TransportEvents* events = std::exchange(ends_[side].events, nullptr);
  if (events != nullptr) events->on_error(make_error_code(error));
}

/// The receiver has read bytes: a sender that was held back is told, one latency later.
void Connection::room_made(Direction& direction, std::uint32_t bytes) {
  direction.window_used -= std::min(direction.window_used, bytes);
  if (direction.unsent.empty() || direction.window_update_due) return;
  direction.window_update_due = true;
  send_control(other(direction.from), Kind::Window);
}

void Connection::crash(Side side) {
  Ending& end = ends_[side];
  if (end.closed && end.dead) return;
  end.closed = end.dead = true;
  end.gave_up = true;
  end.events = nullptr;
  forget(side);
}

void Connection::collect() {
  if (depth_ != 0) return;
  for (const Side side : {kClient, kServer}) {
    if (ends_[side].has_handle) return;
    if (!directions_[side].flight.empty() || !directions_[side].unsent.empty()) return;
    const Leg* const leg = relay_ ? relay_->onward(side) : nullptr;
    if (leg != nullptr && !leg->flight.empty()) return;
  }
  if (in_backlog_) return;
  destroy();
}

SimListener::SimListener(Network& network, Host& host, const world::Endpoint& local,
                         world::AcceptEvents& events)
    : network_(network), host_(host), local_(local), events_(events), next_(host.listeners_) {
  host.listeners_ = this;
}

SimListener::~SimListener() {
  SimListener** place = &host_.listeners_;
  while (*place != this) place = &(*place)->next_;
  *place = next_;
  for (Connection* connection : backlog_) {
    connection->in_backlog_ = false;
    connection->reset(Connection::kServer);
    connection->collect();
  }
}

void SimListener::set_accepting(bool accepting) {
  accepting_ = accepting;
  if (accepting && !backlog_.empty()) accept_soon();
}

void SimListener::accept_soon() {
  network_.loop_.post(
      [&network = network_, &host = host_, local = local_] {
        while (true) {  // each of those accepted may close the listener
          SimListener* const found = network.listener_at(host, local);
          if (found == nullptr) return;
          SimListener& self = *found;
          if (!self.accepting_ || self.backlog_.empty()) return;
          Connection* connection = self.backlog_.front();
          self.backlog_.erase(self.backlog_.begin());
          connection->accept_late(self.events_);
          connection->collect();
        }
      },
      host_.id());
}

}  // namespace sim
