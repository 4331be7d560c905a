#include "peers/balancer_pump.h"

#include <utility>

namespace peers {
namespace {

constexpr std::size_t kMostUnsentBytes = 64 * 1024;  // in each direction, before the writer waits

}  // namespace

/// One client connection and its target connection.
class BalancerPump::Flow {
 public:
  Flow(BalancerPump& pump, std::unique_ptr<world::Transport> client, const FlowKey& key,
       const world::Endpoint& target_endpoint)
      : pump_(pump), key_(key), client_(*this), target_(*this), endpoint_(target_endpoint) {
    client_.transport = std::move(client);
    client_.transport->set_events(client_);
    target_.transport = pump.world_.connect(target_endpoint, target_);
  }

  const world::Endpoint& endpoint() const { return endpoint_; }
  std::uint64_t client_flow() const { return client_.transport->flow(); }
  std::uint64_t target_flow() const { return target_.transport->flow(); }

  void reset() {
    client_.transport->reset();
    target_.transport->reset();
  }

  Flow* previous = nullptr;
  Flow* next = nullptr;

 private:
  struct Side final : world::TransportEvents {
    explicit Side(Flow& owner) : flow(owner) {}

    void on_connected() override { connected = true; }
    void on_data(std::string_view bytes) override {
      Side& other = flow.other(*this);
      if (!std::exchange(begun, true) && this == &flow.client_) {
        const std::string header = flow.pump_.events_.on_first_bytes(flow.key_);
        if (!header.empty()) other.transport->write(header);
      }
      other.transport->write(bytes);
      if (other.transport->unsent() > kMostUnsentBytes) transport->pause_reading();
    }
    void on_end() override {
      Side& other = flow.other(*this);
      ended = true;
      other.transport->finish();
      if (other.ended) flow.pump_.remove(flow);
    }
    void on_drained() override { flow.other(*this).transport->resume_reading(); }
    void on_error(std::error_code) override { flow.broken(*this); }

    Flow& flow;
    std::unique_ptr<world::Transport> transport;
    bool connected = false;
    bool begun = false;  // bytes have come
    bool ended = false;  // its peer's FIN has come
  };

  Side& other(const Side& side) { return &side == &client_ ? target_ : client_; }

  void broken(const Side& side) {
    if (&side == &target_ && !target_.connected) pump_.events_.on_refused();
    other(side).transport->reset();
    pump_.remove(*this);
  }

  BalancerPump& pump_;
  FlowKey key_;
  Side client_;
  Side target_;
  world::Endpoint endpoint_;
};

BalancerPump::BalancerPump(world::World& world, PumpEvents& events)
    : world_(world), events_(events) {}

BalancerPump::~BalancerPump() {
  listener_.reset();
  while (first_ != nullptr) remove(*first_);
}

world::Result<bool> BalancerPump::listen(std::uint16_t port) {
  auto listener = world_.listen({0, port}, *this);
  if (!listener) return listener.error();
  listener_ = std::move(listener).value();
  return true;
}

void BalancerPump::on_accept(std::unique_ptr<world::Transport> client) {
  const FlowKey key{client->remote(), client->local(), 0};
  const BalancerTarget* target = events_.on_client(key, client->flow());
  if (target == nullptr) {
    client->reset();
    return;
  }
  auto* flow = new Flow(*this, std::move(client), key, target->endpoint);  // owned by the list
  flow->previous = last_;
  (last_ != nullptr ? last_->next : first_) = flow;
  last_ = flow;
  ++flows_;
  events_.on_flow(*target, flow->client_flow(), flow->target_flow());
}

std::uint64_t BalancerPump::flows_to(const world::Endpoint& target) const {
  std::uint64_t flows = 0;
  for (const Flow* flow = first_; flow != nullptr; flow = flow->next) {
    if (flow->endpoint() == target) ++flows;
  }
  return flows;
}

void BalancerPump::reset_flows_to(const world::Endpoint& target) {
  for (Flow* flow = first_; flow != nullptr;) {
    Flow* const next = flow->next;
    if (flow->endpoint() == target) {
      flow->reset();
      remove(*flow);
    }
    flow = next;
  }
}

void BalancerPump::remove(Flow& flow) {
  (flow.previous != nullptr ? flow.previous->next : first_) = flow.next;
  (flow.next != nullptr ? flow.next->previous : last_) = flow.previous;
  --flows_;
  delete &flow;
}

}  // namespace peers
