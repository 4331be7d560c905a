#include "conformance/staged_balancer.h"

#include <algorithm>

namespace conformance {

StagedBalancer::StagedBalancer(const BalancerSetup& setup, Setting& setting,
                               std::vector<Instance> instances)
    : setup_(setup), setting_(setting), instances_(std::move(instances)) {
  std::vector<std::string> zones = setup.zones;
  if (zones.empty()) zones.emplace_back();
  std::vector<peers::Balancer::Node> nodes;
  for (const std::string& zone : zones) {
    nodes_.push_back({zone, &setting.add_host(setup.node_name(zone))});
    nodes.push_back({nodes_.back().host, setting.address_of(*nodes_.back().host), zone});
    // NLB-70: each zone has a name of its own.
    if (zone.empty()) continue;
    for (const std::string& name : {setup.name, setup.dns}) {
      if (!name.empty()) setting.set_name(zone + "." + name, {nodes.back().address});
    }
  }
  peers::BalancerEvents& events = *this;
  balancer_ = std::make_unique<peers::Balancer>(nodes, setup.options, &events);
  for (std::size_t i = 0; i < instances_.size(); ++i) {
    Instance& instance = instances_[i];
    if (instance.zone.empty()) instance.zone = zones[i % zones.size()];
    const bool registered =
        !setup.registered || std::find(setup.registered->begin(), setup.registered->end(),
                                       instance.name) != setup.registered->end();
    if (!registered) continue;
    balancer_->register_target({instance.name, instance.endpoint, instance.zone},
                               setup.begins_healthy);
  }
  if (const auto started = balancer_->start(); !started) {
    failure_ = setup.name + ": " + started.error().text();
  }
}

StagedBalancer::~StagedBalancer() = default;

std::vector<world::World*> StagedBalancer::hosts(std::string_view name) const {
  std::vector<world::World*> out;
  for (const Node& node : nodes_) {
    if (name == setup_.name || name == setup_.node_name(node.zone)) out.push_back(node.host);
  }
  return out;
}

void StagedBalancer::on_addresses(const std::vector<std::size_t>& nodes) {
  std::vector<std::uint32_t> addresses;
  std::string text = "addresses:";
  for (const std::size_t node : nodes) {
    addresses.push_back(setting_.address_of(*nodes_[node].host));
    text += " " + world::Endpoint{addresses.back(), 0}.address_text();
  }
  nodes_.front().host->trace(world::TraceKind::Note, 0, 0, 0, text);
  for (const std::string& name : {setup_.name, setup_.dns}) {
    if (!name.empty()) setting_.set_rotating_name(name, addresses);
  }
}

const StagedBalancer::Instance* StagedBalancer::find(std::string_view instance) const {
  const auto found = std::find_if(instances_.begin(), instances_.end(),
                                  [&](const auto& each) { return each.name == instance; });
  return found == instances_.end() ? nullptr : &*found;
}

void StagedBalancer::apply(const RegistrationAction& action) {
  const Instance* const instance = find(action.instance);
  if (instance == nullptr) return;
  if (action.leaves) {
    balancer_->deregister_target(instance->endpoint);
  } else {
    balancer_->register_target({instance->name, instance->endpoint, instance->zone});
  }
}

std::optional<std::int64_t> StagedBalancer::count(std::string_view field) const {
  const peers::BalancerCounts counts = balancer_->counts();
  const auto in_state = [&](peers::TargetState state) {
    const auto targets = balancer_->targets();
    return static_cast<std::uint64_t>(
        std::count_if(targets.begin(), targets.end(),
                      [&](const peers::TargetView& view) { return view.state == state; }));
  };
  std::optional<std::uint64_t> number;
  if (field == "activeFlows") number = counts.active_flows;
  if (field == "flows") number = counts.flows_total;
  if (field == "noTarget") number = counts.no_target_total;
  if (field == "targetRefused") number = counts.target_refused_total;
  if (field == "healthyTargets") number = in_state(peers::TargetState::Healthy);
  if (field == "unhealthyTargets") {
    number =
        in_state(peers::TargetState::Unhealthy) + in_state(peers::TargetState::UnhealthyDraining);
  }
  if (field == "resetsByClient") number = counts.client_resets_total;
  if (field == "resetsByTarget") number = counts.target_resets_total;
  if (field == "resetsByBalancer") number = counts.own_resets_total;
  if (field == "unhealthyRouting") number = counts.unhealthy_routing_total;
  if (field == "portErrors") number = counts.port_errors_total;
  if (field == "checks") number = counts.checks_total;
  if (field == "addresses") number = balancer_->addresses().size();
  if (!number) return std::nullopt;
  return static_cast<std::int64_t>(*number);
}

StagedBalancer::Target StagedBalancer::target(std::string_view instance) const {
  Target out{text(peers::TargetState::Unused), "Target.NotRegistered"};
  const Instance* const known = find(instance);
  if (known == nullptr) return out;
  for (const peers::TargetView& view : balancer_->targets()) {
    if (view.target.endpoint != known->endpoint) continue;
    out = {text(view.state), view.reason};
  }
  out.flows = balancer_->flows_to(known->endpoint);
  out.checks = balancer_->checks_of(known->endpoint);
  return out;
}

std::vector<std::string> StagedBalancer::zones() const {
  std::vector<std::string> out;
  for (const std::size_t node : balancer_->addresses()) out.push_back(nodes_[node].zone);
  return out;
}

}  // namespace conformance
