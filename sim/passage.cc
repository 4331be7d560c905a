#include "sim/passage.h"

#include <algorithm>
#include <cassert>

#include "sim/host.h"

namespace sim {

using world::PassVerdict;

SimPassage::SimPassage(Host& host, world::PassageEvents& events) : host_(host), events_(events) {
  assert(host.passage_ == nullptr);
  host.passage_ = this;
}

SimPassage::~SimPassage() {
  host_.passage_ = nullptr;
  for (const auto& [flow, connection] : connections_) connection->relay_->passage = nullptr;
}

void SimPassage::reset(std::uint64_t flow) {
  const auto found = connections_.find(flow);
  if (found != connections_.end()) found->second->reset_midway();
}

Connection::Relay::Relay(Connection& connection, SimPassage& through, Network::Link& to_client,
                         const world::Endpoint& at)
    : passage(&through),
      node(through.host_),
      entrance(at),
      to_client_end(connection, kServer, connection.ends_[kClient].host->id(), to_client) {}

void Connection::lead_through(SimPassage& passage) {
  relay_ =
      std::make_unique<Relay>(*this, passage, *directions_[kServer].link, ends_[kServer].local);
  passage.connections_.emplace(flow_, this);
}

Connection::Leg* Connection::Relay::onward(Side from) {
  if (from == kServer) return &to_client_end;
  return to_target_end ? &*to_target_end : nullptr;
}

/// A number that a SYN has, and no other connection's: the same whenever it is sent again.
std::uint32_t Connection::sequence() const {
  std::uint64_t mixed = network_.random_.seed() + flow_ * 0x9e3779b97f4a7c15U;
  mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9U;
  mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebU;
  return static_cast<std::uint32_t>(mixed >> 32);
}

/// From now on the server's end is there. Before its first SYN arrives it may move.
void Connection::lead_to(Host& target, const world::Onward& onward) {
  Relay& relay = *relay_;
  const Host& node = relay.node;
  forget_relayed();
  network_.relayed_.emplace(onward.source, this);
  ends_[kServer].host = &target;
  ends_[kServer].local = onward.target;
  relay.source = onward.source;
  directions_[kServer].link = &network_.link_between(target, node);
  relay.to_target_end.emplace(*this, kClient, target.id(), network_.link_between(node, target));
}

/// Takes it off the network's list of connections that lead through another host.
void Connection::forget_relayed() {
  const auto [begin, end] = network_.relayed_.equal_range(relay_->source);
  const auto own = std::find_if(begin, end, [&](const auto& each) { return each.second == this; });
  if (own != end) network_.relayed_.erase(own);
}

void Connection::leave_passage() {
  forget_relayed();
  if (relay_->passage != nullptr) relay_->passage->connections_.erase(flow_);
}

/// A segment has come to the host in the middle. False: it is lost there; else it was taken over.
bool Connection::pass(const Leg& leg, Segment& segment) {
  Relay& relay = *relay_;
  if (relay.passage == nullptr) return false;
  if (segment.kind == Kind::Syn) {
    const world::Onward onward =
        relay.passage->events_.on_open({flow_, ends_[kClient].local, relay.entrance, sequence()});
    if (onward.verdict == PassVerdict::Reset) {
      discard(segment);
      launch(relay.to_client_end, make_segment(Kind::Rst, {}));
      return true;
    }
    Host* const target = network_.host_at(onward.target.address);
    if (onward.verdict == PassVerdict::Drop || target == nullptr) return false;
    lead_to(*target, onward);
    launch(*relay.to_target_end, segment);
    return true;
  }
  const Kind kind = segment.kind;
  const world::SegmentKind what = kind == Kind::SynAck ? world::SegmentKind::SynAck
                                  : kind == Kind::Data ? world::SegmentKind::Data
                                  : kind == Kind::Fin  ? world::SegmentKind::Fin
                                  : kind == Kind::Rst  ? world::SegmentKind::Rst
                                                       : world::SegmentKind::Ack;
  const world::Passing passing =
      relay.passage->events_.on_segment(flow_, leg.from == kClient, what);
  switch (passing.verdict) {
    case PassVerdict::Forward:
      if (!passing.prefix.empty()) {
        launch(*relay.onward(leg.from), make_segment(Kind::Data, passing.prefix));
      }
      launch(*relay.onward(leg.from), segment);
      return true;
    case PassVerdict::Reset:
      discard(segment);
      if (Leg* back = relay.onward(other(leg.from))) launch(*back, make_segment(Kind::Rst, {}));
      return true;
    case PassVerdict::Drop:
      break;
  }
  if (kind != Kind::Rst && kind != Kind::Probe && kind != Kind::ProbeAnswer) return false;
  discard(segment);  // never sent again
  return true;
}

/// Both ends are told by the host in the middle that the connection is over.
void Connection::reset_midway() {
  for (const Side from : {kClient, kServer}) {
    if (Leg* leg = relay_->onward(from)) launch(*leg, make_segment(Kind::Rst, {}));
  }
}

/// What was lost behind the host in the middle is sent again from the sender, so it comes by again.
void Connection::pull_back(Leg& lost) {
  Direction& first = directions_[lost.from];
  if (lost.flight.empty()) return;
  if (first.flight.empty()) {
    first.flight = lost.flight;
  } else {
    lost.flight.last->next = first.flight.first;
    first.flight.first = lost.flight.first;
  }
  lost.flight = {};
}

/// Whether another connection has the same two ends, as the server's host sees them: it answers
/// the second one's SYN as a stray segment of the first. Source: NLB-52, NLB-53.
bool Connection::is_duplicate() const {
  const world::Endpoint source = remote_of(kServer);
  const world::Endpoint target = ends_[kServer].local;
  const auto same_ends = [&](const Connection& other) {
    return &other != this && other.syn_answered_ && !other.ends_[kServer].dead &&
           other.ends_[kServer].local == target &&
           !(other.directions_[kClient].fin_sent && other.directions_[kServer].fin_sent);
  };
  const auto [begin, end] = network_.relayed_.equal_range(source);
  if (std::any_of(begin, end, [&](const auto& each) { return same_ends(*each.second); })) {
    return true;
  }
  const Host* const host = network_.host_at(source.address);
  if (host == nullptr || relay_ == nullptr) return false;
  const Connection* direct = network_.bucket(host->id(), source.port, target);
  while (direct != nullptr && !direct->joins(*host, source.port, target)) {
    direct = direct->same_bucket_;
  }
  return direct != nullptr && same_ends(*direct);
}

// --- Keep-alive probes ---------------------------------------------------------------------

Connection::Prober::Prober(Connection& owner, Side on, const KeepAlive& options)
    : connection(owner),
      side(on),
      settings(options),
      heard(owner.loop().now()),
      timer(owner.loop(), 0, world::bind<&Prober::due>(this)) {  // the kernel's, not a process's
  timer.start_after(settings.idle);
}

void Connection::Prober::due() {
  const Ending& end = connection.ends_[side];
  if (end.dead || end.closed) return;
  const world::TimePoint now = connection.loop().now();
  if (unanswered == 0 && now < heard + settings.idle) {
    timer.start_at(heard + settings.idle);
    return;
  }
  if (unanswered >= settings.probes) {
    ++connection.depth_;
    connection.fail(side, world::TransportError::TimedOut);
    --connection.depth_;
    connection.collect();
    return;
  }
  ++unanswered;
  connection.send_control(side, Kind::Probe);
  timer.start_after(settings.interval);
}

void Connection::start_probing(Side side) {
  const KeepAlive& settings = ends_[side].host->keep_alive_;
  if (settings.idle > world::Duration::zero()) {
    probers_[side] = std::make_unique<Prober>(*this, side, settings);
  }
}

void Connection::heard(Side side) {
  if (!probers_[side]) return;
  Prober& prober = *probers_[side];
  prober.heard = loop().now();
  if (prober.unanswered != 0) {
    prober.unanswered = 0;
    prober.timer.start_after(prober.settings.idle);
  }
}

void Connection::probe_arrives(Side receiver) {
  if (ends_[receiver].dead) {
    if (ends_[receiver].gave_up) refuse_bytes(receiver);
    return;
  }
  send_control(receiver, Kind::ProbeAnswer);
}

}  // namespace sim
