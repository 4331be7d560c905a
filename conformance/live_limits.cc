#include "conformance/live_limits.h"

#include <algorithm>

#include <fmt/format.h>

namespace conformance {

namespace {

std::vector<FaultAction> instances_of(const Step& step) {
  return step.fault ? step.fault->instances : std::vector<FaultAction>{};
}

}  // namespace

std::optional<std::string> cannot_show_live(const Scenario& scenario) {
  if (scenario.refused) return "expects its mesh to be refused or accepted, before a gateway runs";
  const WorldSetup& world = scenario.world;
  for (const GatewaySetup& gateway : world.gateways) {
    if (gateway.redirect) {
      return fmt::format("gateways/{} has a packet filter, sockets of one machine have none",
                         gateway.name);
    }
  }
  for (const ServiceSetup& service : world.services) {
    if (service.blackhole) {
      return fmt::format("services/{} is a blackhole, an address of this machine always answers",
                         service.node);
    }
  }
  for (const Step& step : scenario.steps) {
    if (!step.fault) continue;
    using Kind = Fault::Kind;
    const Kind kind = step.fault->kind;
    const bool between = !step.fault->links.empty();  // not of a service
    const bool possible = kind == Kind::Behaviour || kind == Kind::Refuse ||
                          (kind == Kind::Reset && !between) || kind == Kind::Close ||
                          kind == Kind::Instance;
    if (!possible) {
      return fmt::format("strikes with \"{}\", which sockets of one machine cannot show",
                         step.fault->written);
    }
  }
  for (const BalancerSetup& balancer : world.balancers) {
    if (balancer.simulated_only.empty()) continue;
    return fmt::format("nlb/{} has {}, a balancer on sockets ends connections itself",
                       balancer.name, balancer.simulated_only);
  }
  const bool gateway_ends =
      std::any_of(world.gateways.begin(), world.gateways.end(),
                  [](const GatewaySetup& setup) { return !setup.fails.empty(); }) ||
      std::any_of(scenario.steps.begin(), scenario.steps.end(),
                  [](const Step& step) { return !instances_of(step).empty(); });
  if (gateway_ends && !world.balancers.empty()) {
    return fmt::format(
        "nlb/{} stands before a gateway that does not listen, on sockets it resets "
        "what such a one would refuse",
        world.balancers.front().name);
  }
  const bool gateway_asks =
      std::any_of(world.gateways.begin(), world.gateways.end(),
                  [](const GatewaySetup& setup) { return setup.keep_alive != Duration{}; });
  const bool client_asks =
      std::any_of(world.clients.begin(), world.clients.end(),
                  [](const ClientSetup& setup) { return setup.keep_alive != Duration{}; });
  if (gateway_asks || client_asks) {
    return "sets keepAlive, sockets of one machine always answer and nobody would see it";
  }
  for (const Step& step : scenario.steps) {
    for (const FaultAction& fault : instances_of(step)) {
      using Kind = FaultAction::Kind;
      if (fault.kind != Kind::Unreachable && fault.kind != Kind::Reachable) continue;
      return fmt::format("cuts gateway/{} off, an address of this machine always answers",
                         fault.gateway);
    }
    if (step.raw && step.raw->source_port != 0) {
      return "chooses a client's port, on sockets it may be taken";
    }
  }
  if (!world.links.empty() || world.default_link != WorldSetup{}.default_link) {
    return "sets links, between sockets of one machine there are none";
  }
  return std::nullopt;
}

}  // namespace conformance
