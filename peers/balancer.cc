#include "peers/balancer.h"

#include <algorithm>
#include <cassert>
#include <optional>

#include <fmt/format.h>

#include "peers/balancer_pump.h"
#include "wire/proxy_protocol.h"

namespace peers {

using world::PassVerdict;
using world::SegmentKind;
using world::TimePoint;
using world::TraceKind;

/// One node: what passes through its host, in whichever way its world allows.
class Balancer::Gate final : public world::PassageEvents, public PumpEvents {
 public:
  Gate(Balancer& balancer, std::size_t number, const Node& node)
      : balancer_(balancer), number_(number), node_(node) {}

  const Node& node() const { return node_; }
  world::World& world() const { return *node_.world; }

  world::Result<bool> open(std::uint16_t port) {
    passage_ = world().pass_on(*this);
    if (passage_) return true;
    pump_.emplace(world(), *this);
    return pump_->listen(port);
  }

  void reset(std::uint64_t flow) {
    if (passage_) passage_->reset(flow);
  }
  void reset_flows_to(const world::Endpoint& target) {
    if (pump_) pump_->reset_flows_to(target);
  }
  std::uint64_t pumped() const { return pump_ ? pump_->flows() : 0; }
  std::uint64_t pumped_to(const world::Endpoint& target) const {
    return pump_ ? pump_->flows_to(target) : 0;
  }

  world::Onward on_open(const world::Opening& opening) override {
    return balancer_.open(number_, opening);
  }
  world::Passing on_segment(std::uint64_t flow, bool from_client, SegmentKind kind) override {
    return balancer_.pass(number_, flow, from_client, kind);
  }

  const BalancerTarget* on_client(const FlowKey& key, std::uint64_t flow) override {
    BalancerCounts& counts = balancer_.counts_;
    bool failed_open = false;
    chosen_ = {};
    const BalancerTarget* target = balancer_.choose(number_, key, &failed_open);
    ++counts.flows_total;
    if (target == nullptr) {
      ++counts.no_target_total;
      world().trace(TraceKind::TargetChosen, flow, 0, 0, "none");
      return nullptr;
    }
    if (failed_open) ++counts.unhealthy_routing_total;
    chosen_ = *target;
    return &chosen_;
  }
  void on_flow(const BalancerTarget& target, std::uint64_t client_flow,
               std::uint64_t target_flow) override {
    world().trace(TraceKind::TargetChosen, client_flow, target_flow, 0,
                  target.name.empty() ? target.endpoint.text() : target.name);
  }
  std::string on_first_bytes(const FlowKey& key) override { return balancer_.proxy_header(&key); }
  void on_refused() override { ++balancer_.counts_.target_refused_total; }

 private:
  Balancer& balancer_;
  std::size_t number_;
  Node node_;
  BalancerTarget chosen_;
  std::unique_ptr<world::Passage> passage_;
  std::optional<BalancerPump> pump_;
};

namespace {

TargetGroupOptions filled_in(TargetGroupOptions options, const std::vector<Balancer::Node>& nodes) {
  if (options.zones.empty()) {
    for (const Balancer::Node& node : nodes) options.zones.push_back(node.zone);
  }
  if (options.checkers == 0) options.checkers = nodes.size();  // NLB-82
  return options;
}

}  // namespace

Balancer::Balancer(const std::vector<Node>& nodes, BalancerOptions options, BalancerEvents* events)
    : options_(std::move(options)),
      events_(events),
      hash_seed_(nodes.at(0).world->random("balancer").next()),
      phases_(nodes.at(0).world->random("health checks")),
      group_(filled_in(options_.group, nodes)),
      flows_(options_.times),
      ports_(options_.source_ports),
      timer_(nodes.at(0).world->timer(world::bind<&Balancer::on_timer>(this))) {
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    gates_.push_back(std::make_unique<Gate>(*this, i, nodes[i]));
  }
}

Balancer::~Balancer() = default;

TimePoint Balancer::now() const {
  return gates_.front()->world().now();
}

world::Result<bool> Balancer::start() {
  for (const auto& gate : gates_) {
    if (auto opened = gate->open(options_.port); !opened) return opened;
  }
  started_ = true;
  update_addresses();
  for (const AddressChange& change : address_changes_) publish(change.nodes);
  address_changes_.clear();
  work();
  return true;
}

void Balancer::register_target(const BalancerTarget& target, bool steady) {
  group_.add(target, steady, now());
  work();
}

void Balancer::deregister_target(const world::Endpoint& endpoint) {
  group_.deregister(endpoint, now());
  work();
}

// --- Flows ---------------------------------------------------------------------------------

const BalancerTarget* Balancer::choose(std::size_t node, const FlowKey& key,
                                       bool* failed_open) const {
  const TargetGroup::Eligible eligible = group_.eligible(gates_[node]->node().zone);
  *failed_open = eligible.failed_open;
  if (eligible.targets.empty()) return nullptr;
  return eligible.targets[flow_hash(key, hash_seed_) % eligible.targets.size()];
}

/// A SYN that is sent again is told the same, and counted once.
world::Onward Balancer::turn_away(std::uint64_t flow, PassVerdict verdict, std::uint64_t& counter) {
  if (turned_away_.insert(flow).second) ++counter;
  return {.verdict = verdict};
}

world::Onward Balancer::open(std::size_t node, const world::Opening& opening) {
  if (opening.destination.port != options_.port) return {};  // NLB-31
  world::World& world = gates_[node]->world();
  const FlowEntry* known = flows_.find(opening.flow);
  const FlowKey key{opening.source, opening.destination, opening.sequence};
  bool failed_open = false;
  const BalancerTarget* target = choose(node, key, &failed_open);
  if (known != nullptr) {
    // Not answered yet. The same six values lead to another target only if the set has changed
    // (NLB-25).
    if (target != nullptr && known->target == target->endpoint) {
      flows_.touch(opening.flow, world.now());
      schedule();
      connect_failed(known->target);
      const world::Endpoint own{gates_[node]->node().address, known->port};
      return {PassVerdict::Forward, known->target, known->port == 0 ? opening.source : own};
    }
    connect_failed(known->target);
    forget(opening.flow);
  } else if (turned_away_.count(opening.flow) == 0) {
    ++counts_.flows_total;
  }
  if (target == nullptr) {
    if (turned_away_.count(opening.flow) == 0) {
      world.trace(TraceKind::TargetChosen, opening.flow, 0, 0, "none");
    }
    const bool resets = options_.resets_without_target;
    return turn_away(opening.flow, resets ? PassVerdict::Reset : PassVerdict::Drop,
                     counts_.no_target_total);
  }
  FlowEntry entry{.node = node, .target = target->endpoint};
  world::Endpoint source = opening.source;
  if (!options_.keeps_client_address) {
    const auto port = ports_.take(node, target->endpoint);
    if (!port) return turn_away(opening.flow, PassVerdict::Drop, counts_.port_errors_total);
    entry.port = *port;
    source = {gates_[node]->node().address, *port};
  }
  if (failed_open) ++counts_.unhealthy_routing_total;
  flows_.open(opening.flow, entry, world.now());
  if (options_.proxy_protocol) keys_.emplace(opening.flow, key);
  world.trace(TraceKind::TargetChosen, opening.flow, opening.flow, 0,
              target->name.empty() ? target->endpoint.text() : target->name);
  schedule();
  // A target's own packets do not come back to it from its own address: NLB-51.
  if (options_.keeps_client_address && target->endpoint.address == opening.source.address)
    return {};
  return {PassVerdict::Forward, target->endpoint, source};
}

world::Passing Balancer::pass(std::size_t node, std::uint64_t flow, bool from_client,
                              SegmentKind kind) {
  world::World& world = gates_[node]->world();
  FlowEntry* const entry = flows_.find(flow);
  if (entry == nullptr) {
    if (kind == SegmentKind::Rst) return {};
    if (refused_.emplace(flow, from_client).second) {
      ++counts_.own_resets_total;
      world.trace(
          TraceKind::Note, flow, 0, 0,
          from_client ? "no such flow: the client is reset" : "no such flow: the target is reset");
    }
    return {.verdict = PassVerdict::Reset};  // NLB-32, NLB-45
  }
  world::Passing out{.verdict = PassVerdict::Forward};
  switch (kind) {
    case SegmentKind::Rst:
      if (!from_client && !entry->open) {
        ++counts_.target_refused_total;
        connect_failed(entry->target);
      }
      ++(from_client ? counts_.client_resets_total : counts_.target_resets_total);
      forget(flow);
      schedule();
      return out;
    case SegmentKind::SynAck:
      failed_connects_.erase(entry->target);
      break;
    case SegmentKind::Ack:
      if (from_client) entry->open = true;
      break;
    case SegmentKind::Data:
      entry->open = true;
      if (from_client && options_.proxy_protocol && !std::exchange(entry->header_sent, true)) {
        out.prefix = proxy_header(&keys_.at(flow));
        keys_.erase(flow);
      }
      break;
    case SegmentKind::Fin:
      (from_client ? entry->client_done : entry->target_done) = true;
      break;
  }
  if (entry->client_done && entry->target_done &&
      options_.times.closed == world::Duration::zero()) {
    forget(flow);
  } else {
    flows_.touch(flow, world.now());
  }
  schedule();
  return out;
}

void Balancer::forget(std::uint64_t flow) {
  const FlowEntry* const entry = flows_.find(flow);
  if (entry == nullptr) return;
  if (entry->port != 0) ports_.give(entry->node, entry->target, entry->port);
  keys_.erase(flow);
  flows_.erase(flow);
}

void Balancer::end_flows(const world::Endpoint& target, bool both) {
  for (const std::uint64_t flow : flows_.flows_to(target)) {
    const std::size_t node = flows_.find(flow)->node;
    forget(flow);
    if (!both) continue;
    ++counts_.own_resets_total;
    refused_.emplace(flow, true);
    refused_.emplace(flow, false);
    gates_[node]->reset(flow);
  }
  for (const auto& gate : gates_) {  // a pump knows no other way
    counts_.own_resets_total += gate->pumped_to(target);
    gate->reset_flows_to(target);
  }
}

/// What it sees by itself of a target that does not answer: NLB-88.
void Balancer::connect_failed(const world::Endpoint& target) {
  if (options_.passive_checks == 0 || ++failed_connects_[target] < options_.passive_checks) return;
  failed_connects_.erase(target);
  group_.fail(target, now());
  work_later();
}

/// Without a key: of a health check, which has no client (NLB-A1).
std::string Balancer::proxy_header(const FlowKey* key) const {
  namespace proxy_protocol = wire::proxy_protocol;
  if (!options_.proxy_protocol) return {};
  constexpr std::uint16_t kLength = 84;  // NLB-A2
  if (key == nullptr) return proxy_protocol::write_v2_filled(std::nullopt, kLength);
  const auto address = [](const world::Endpoint& end) {
    return proxy_protocol::Address::ipv4(end.address, end.port);
  };
  return proxy_protocol::write_v2_filled(
      proxy_protocol::Ends{address(key->source), address(key->destination)}, kLength);
}

// --- Checks and states ---------------------------------------------------------------------

void Balancer::on_checked(const world::Endpoint& target, std::size_t checker, bool passed) {
  ++checks_[target];
  ++counts_.checks_total;
  group_.record(target, checker, passed, now());
  work();
}

void Balancer::start_checks(const world::Endpoint& target) {
  auto& checkers = checkers_[target];
  const std::size_t count = group_.options().checkers;
  for (std::size_t i = 0; i < count; ++i) {
    const Node& node = gates_[i % gates_.size()]->node();
    HealthChecker::Place place{*node.world, target, i, {}, {}, 0, 0};
    place.authority = world::Endpoint{node.address, options_.port}.text();
    if (options_.proxy_protocol && options_.check.http) place.preamble = proxy_header(nullptr);
    constexpr std::uint16_t kPorts = 65535 - SourcePorts::kFirstOfChecks;
    place.last_port = static_cast<std::uint16_t>(SourcePorts::kFirstOfChecks + kPorts);
    place.first_port = SourcePorts::kFirstOfChecks;
    HealthCheckEvents& events = *this;
    checkers.push_back(std::make_unique<HealthChecker>(std::move(place), options_.check, events));
    const auto phase = phases_.below(static_cast<std::uint64_t>(options_.check.interval.count()));
    checkers.back()->start_after(world::Duration(static_cast<std::int64_t>(phase)));
  }
}

/// At this instant, but not from inside of whoever calls us now.
void Balancer::work_later() {
  work_is_due_ = true;
  schedule();
}

void Balancer::on_timer() {
  work_is_due_ = false;
  stopped_.clear();
  work();
}

/// Does what has become due, and sees to it that it is called for what comes next.
void Balancer::work() {
  if (!started_) return;
  const TimePoint instant = now();
  for (const FlowEntry& entry : flows_.expire(instant)) {
    if (entry.port != 0) ports_.give(entry.node, entry.target, entry.port);
  }
  group_.advance(instant);
  for (const GroupEffect& effect : group_.take_effects()) {
    switch (effect.kind) {
      case GroupEffect::Kind::StartChecks:
        start_checks(effect.endpoint);
        break;
      case GroupEffect::Kind::StopChecks:
        // One of them may be what calls us.
        stopped_.push_back(std::move(checkers_[effect.endpoint]));
        checkers_.erase(effect.endpoint);
        work_later();
        break;
      case GroupEffect::Kind::EndFlows:
        end_flows(effect.endpoint, options_.unhealthy_resets_both);
        break;
      case GroupEffect::Kind::Deregister:
        end_flows(effect.endpoint, options_.termination_resets_both);
        break;
      case GroupEffect::Kind::Changed:
        break;
    }
  }
  update_addresses();
  while (!address_changes_.empty() && address_changes_.front().at <= instant) {
    publish(address_changes_.front().nodes);
    address_changes_.pop_front();
  }
  schedule();
}

void Balancer::schedule() {
  std::optional<TimePoint> next = group_.next_due();
  const auto consider = [&](std::optional<TimePoint> at) {
    if (at && (!next || *at < *next)) next = at;
  };
  consider(flows_.next_expiry());
  if (!address_changes_.empty()) consider(address_changes_.front().at);
  if (work_is_due_) next = now();
  if (next) timer_.start_at(std::max(*next, now()));
}

// --- Names ---------------------------------------------------------------------------------

/// What the name should give changes at once, what it does give a while later: NLB-76.
void Balancer::update_addresses() {
  const std::vector<std::string> zones = group_.zones_in_dns();
  std::vector<std::size_t> wanted;
  for (std::size_t i = 0; i < gates_.size(); ++i) {
    const std::string& zone = gates_[i]->node().zone;
    if (std::find(zones.begin(), zones.end(), zone) != zones.end()) wanted.push_back(i);
  }
  const std::vector<std::size_t>& latest =
      address_changes_.empty() ? addresses_ : address_changes_.back().nodes;
  if (wanted == latest) return;
  address_changes_.push_back({now() + options_.group.lags.dns, std::move(wanted)});
}

void Balancer::publish(const std::vector<std::size_t>& nodes) {
  addresses_ = nodes;
  if (events_ != nullptr) events_->on_addresses(nodes);
}

// --- Numbers -------------------------------------------------------------------------------

BalancerCounts Balancer::counts() const {
  BalancerCounts out = counts_;
  out.active_flows = flows_.size();
  for (const auto& gate : gates_) out.active_flows += gate->pumped();
  return out;
}

std::uint64_t Balancer::flows_to(const world::Endpoint& endpoint) const {
  std::uint64_t flows = flows_.flows_to(endpoint).size();
  for (const auto& gate : gates_) flows += gate->pumped_to(endpoint);
  return flows;
}

std::uint64_t Balancer::checks_of(const world::Endpoint& endpoint) const {
  const auto found = checks_.find(endpoint);
  return found == checks_.end() ? 0 : found->second;
}

}  // namespace peers
