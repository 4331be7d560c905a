#include "peers/balancer.h"

#include <algorithm>
#include <array>
#include <cassert>

#include <fmt/format.h>
#include <xxhash.h>

namespace peers {
namespace {

constexpr std::size_t kMostUnsentBytes = 64 * 1024;  // in each direction, before the writer waits
constexpr std::uint8_t kProtocolTcp = 6;

void put(unsigned char*& out, std::uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) *out++ = static_cast<unsigned char>(value >> (8 * i));
}

}  // namespace

/// A listener's port.
class Balancer::Entrance final : public world::AcceptEvents {
 public:
  Entrance(Balancer& balancer, const TargetGroupOptions& group)
      : balancer_(balancer), group_(group) {}

  world::Result<bool> listen(std::uint16_t port) {
    auto listener = balancer_.world_.listen({0, port}, *this);
    if (!listener) return listener.error();
    listener_ = std::move(listener).value();
    return true;
  }

  void on_accept(std::unique_ptr<world::Transport> transport) override {
    balancer_.accept(group_, std::move(transport));
  }

 private:
  Balancer& balancer_;
  const TargetGroupOptions& group_;
  std::unique_ptr<world::Listener> listener_;
};

/// One client connection and its target connection.
class Balancer::Flow {
 public:
  Flow(Balancer& balancer, std::unique_ptr<world::Transport> client,
       const world::Endpoint& target_endpoint)
      : balancer_(balancer), client_(*this), target_(*this), endpoint_(target_endpoint) {
    client_.transport = std::move(client);
    client_.transport->set_events(client_);
    target_.transport = balancer.world_.connect(target_endpoint, target_);
  }

  const world::Endpoint& endpoint() const { return endpoint_; }
  std::uint64_t client_flow() const { return client_.transport->flow(); }
  std::uint64_t target_flow() const { return target_.transport->flow(); }

  Flow* previous = nullptr;
  Flow* next = nullptr;

 private:
  struct Side final : world::TransportEvents {
    explicit Side(Flow& owner) : flow(owner) {}

    void on_connected() override { connected = true; }
    void on_data(std::string_view bytes) override {
      Side& other = flow.other(*this);
      other.transport->write(bytes);
      if (other.transport->unsent() > kMostUnsentBytes) transport->pause_reading();
    }
    void on_end() override {
      Side& other = flow.other(*this);
      ended = true;
      other.transport->finish();
      if (other.ended) flow.balancer_.remove(flow);
    }
    void on_drained() override { flow.other(*this).transport->resume_reading(); }
    void on_error(std::error_code) override { flow.broken(*this); }

    Flow& flow;
    std::unique_ptr<world::Transport> transport;
    bool connected = false;
    bool ended = false;  // its peer's FIN has come
  };

  Side& other(const Side& side) { return &side == &client_ ? target_ : client_; }

  void broken(const Side& side) {
    if (&side == &target_ && !target_.connected) ++balancer_.counts_.target_refused_total;
    other(side).transport->reset();
    balancer_.remove(*this);
  }

  Balancer& balancer_;
  Side client_;
  Side target_;
  world::Endpoint endpoint_;
};

Balancer::Balancer(world::World& world, BalancerOptions options)
    : world_(world), options_(std::move(options)), hash_seed_(world.random("balancer").next()) {
  for (TargetGroupOptions& group : options_.groups) {
    std::vector<BalancerTarget> targets = std::move(group.targets);
    group.targets.clear();
    for (BalancerTarget& target : targets) register_target(group.name, std::move(target));
  }
}

Balancer::~Balancer() {
  entrances_.clear();
  while (first_ != nullptr) remove(*first_);
}

world::Result<bool> Balancer::start() {
  for (const BalancerListenerOptions& listener : options_.listeners) {
    const TargetGroupOptions* group = find_group(listener.group);
    if (group == nullptr) {
      return world::Error{{}, fmt::format("target group \"{}\" must exist", listener.group)};
    }
    auto entrance = std::make_unique<Entrance>(*this, *group);
    if (auto listening = entrance->listen(listener.port); !listening) return listening;
    entrances_.push_back(std::move(entrance));
  }
  return true;
}

TargetGroupOptions* Balancer::find_group(std::string_view name) {
  for (TargetGroupOptions& group : options_.groups) {
    if (group.name == name) return &group;
  }
  return nullptr;
}

void Balancer::register_target(std::string_view group_name, BalancerTarget target) {
  TargetGroupOptions* group = find_group(group_name);
  assert(group != nullptr);
  auto& targets = group->targets;
  const auto place =
      std::lower_bound(targets.begin(), targets.end(), target,
                       [](const auto& a, const auto& b) { return a.endpoint < b.endpoint; });
  if (place != targets.end() && place->endpoint == target.endpoint) {
    *place = std::move(target);
  } else {
    targets.insert(place, std::move(target));
  }
}

void Balancer::deregister_target(std::string_view group_name, const world::Endpoint& endpoint) {
  TargetGroupOptions* group = find_group(group_name);
  assert(group != nullptr);
  std::erase_if(group->targets, [&](const auto& target) { return target.endpoint == endpoint; });
}

void Balancer::set_healthy(std::string_view group_name, const world::Endpoint& endpoint,
                           bool healthy) {
  TargetGroupOptions* group = find_group(group_name);
  assert(group != nullptr);
  for (BalancerTarget& target : group->targets) {
    if (target.endpoint == endpoint) target.healthy = healthy;
  }
}

const std::vector<BalancerTarget>& Balancer::targets(std::string_view group_name) const {
  const TargetGroupOptions* group = const_cast<Balancer*>(this)->find_group(group_name);
  assert(group != nullptr);
  return group->targets;
}

std::uint64_t Balancer::flows_to(const world::Endpoint& endpoint) const {
  std::uint64_t flows = 0;
  for (const Flow* flow = first_; flow != nullptr; flow = flow->next) {
    if (flow->endpoint() == endpoint) ++flows;
  }
  return flows;
}

const BalancerTarget* Balancer::choose(const TargetGroupOptions& group,
                                       const world::Endpoint& source,
                                       const world::Endpoint& destination) const {
  const auto healthy = [](const BalancerTarget& target) { return target.healthy; };
  const auto eligible = static_cast<std::uint64_t>(
      std::count_if(group.targets.begin(), group.targets.end(), healthy));
  if (eligible == 0) return nullptr;
  std::array<unsigned char, 13> tuple;
  unsigned char* out = tuple.data();
  put(out, kProtocolTcp, 1);
  put(out, source.address, 4);
  put(out, source.port, 2);
  put(out, destination.address, 4);
  put(out, destination.port, 2);
  std::uint64_t skip = XXH3_64bits_withSeed(tuple.data(), tuple.size(), hash_seed_) % eligible;
  for (const BalancerTarget& target : group.targets) {
    if (target.healthy && skip-- == 0) return &target;
  }
  return nullptr;
}

void Balancer::accept(const TargetGroupOptions& group, std::unique_ptr<world::Transport> client) {
  ++counts_.flows_total;
  const BalancerTarget* target = choose(group, client->remote(), client->local());
  if (target == nullptr) {
    ++counts_.no_target_total;
    world_.trace(world::TraceKind::TargetChosen, client->flow(), 0, 0, "none");
    client->reset();
    return;
  }
  auto* flow = new Flow(*this, std::move(client), target->endpoint);  // owned by the list
  flow->previous = last_;
  (last_ != nullptr ? last_->next : first_) = flow;
  last_ = flow;
  ++counts_.active_flows;
  const std::string& name = target->name;
  world_.trace(world::TraceKind::TargetChosen, flow->client_flow(), flow->target_flow(), 0,
               name.empty() ? target->endpoint.text() : name);
}

void Balancer::remove(Flow& flow) {
  (flow.previous != nullptr ? flow.previous->next : first_) = flow.next;
  (flow.next != nullptr ? flow.next->previous : last_) = flow.previous;
  --counts_.active_flows;
  delete &flow;
}

}  // namespace peers
