#include "tools/gateway_command.h"

#include <algorithm>
#include <cstdlib>
#include <memory>

#include <fmt/format.h>

#include "conformance/load.h"
#include "live/runtime.h"
#include "live/world.h"
#include "proxy/compile.h"
#include "proxy/gateway.h"
#include "reports/text.h"
#include "tools/file_secrets.h"
#include "tools/gateway_setup.h"
#include "tools/live_options.h"
#include "tools/output.h"

namespace tools {
namespace {

/// Everything that serving needs, read and checked.
struct Setup {
  GatewayIdentity identity;
  proxy::GatewayPlan plan;
  std::shared_ptr<FileSecrets> secrets;
  world::Place place;  ///< Of the gateway.
  std::uint32_t listen_address = 0;
};

void add(world::Errors& errors, const world::Errors& more) {
  errors.insert(errors.end(), more.begin(), more.end());
}

/// The port and the log that the command line gives in place of the mesh's.
world::Errors change_plan(proxy::GatewayPlan& plan, const GatewayArguments& arguments,
                          const world::Place& place) {
  world::Errors errors;
  if (arguments.port) {
    if (plan.ingress.size() == 1) {
      plan.ingress.front().port = *arguments.port;
    } else {
      errors.push_back({"--port",
                        fmt::format("is for a gateway of one listener, {} has {}", plan.gateway,
                                    plan.ingress.size()),
                        place});
    }
  }
  if (!arguments.log_file.empty()) {
    const auto redirect = [&](proxy::HopPlan& hop) {
      if (!hop.access_log) hop.access_log.emplace();
      hop.access_log->path = arguments.log_file;
    };
    for (proxy::HopPlan& hop : plan.ingress) redirect(hop);
    if (plan.egress) redirect(*plan.egress);
  }
  return errors;
}

world::Result<Setup, world::Errors> set_up(const GatewayArguments& arguments,
                                           std::vector<ServicePlace>& places) {
  world::Errors errors;
  Setup setup;
  if (const auto address = parse_listen_address(arguments.listen)) {
    setup.listen_address = *address;
  } else {
    errors.push_back(address.error());
  }
  add(errors, parse_services(arguments.services, places));
  const auto mesh = conformance::load_mesh(arguments.meshes);
  if (!mesh) {
    add(errors, mesh.error());
    return errors;
  }
  auto identity =
      choose_gateway(*mesh, arguments.resource, [](const char* name) { return std::getenv(name); });
  if (!identity) {
    errors.push_back(identity.error());
    return errors;
  }
  setup.identity = std::move(*identity);
  setup.place = mesh->gateway(setup.identity.gateway)->origin.place;
  const auto plan = proxy::compile(*mesh, setup.identity.gateway);
  if (!plan) {
    errors.push_back(plan.error());
    return errors;
  }
  setup.plan = **plan;
  // App Mesh's second hop could be reached from outside, around the first one. Ours is the
  // gateway's own: see live::World.
  if (setup.plan.egress) setup.plan.egress->loopback_only = true;
  add(errors, place_services(setup.plan, places));
  add(errors, change_plan(setup.plan, arguments, setup.place));
  if (auto secrets = FileSecrets::read(setup.plan, setup.place)) {
    setup.secrets = std::move(*secrets);
  } else {
    add(errors, secrets.error());
  }
  if (!errors.empty()) return errors;
  return setup;
}

/// Asks for every name that the command line gives, all at once.
world::Errors unresolved(live::Runtime& runtime, world::World& world,
                         const std::vector<ServicePlace>& places) {
  std::vector<std::optional<world::Resolution>> answers(places.size());
  std::size_t missing = places.size();
  for (std::size_t i = 0; i < places.size(); ++i) {
    world.resolve(places[i].host, [&, i](const world::Resolution& answer) {
      answers[i] = answer;
      --missing;
    });
  }
  while (missing != 0 && !runtime.stopped()) runtime.turn();
  world::Errors errors;
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (!answers[i] || !answers[i]->addresses.empty()) continue;
    errors.push_back({"--service",
                      fmt::format("{} of '{}' does not resolve", places[i].host, places[i].name),
                      {}});
  }
  return errors;
}

/// Listens where the plan does, each port for a moment, to tell of all that are taken at once.
world::Errors taken_ports(world::World& world, const Setup& setup) {
  struct Nobody final : world::AcceptEvents {
    void on_accept(std::unique_ptr<world::Transport>) override {}
  } nobody;
  world::Errors errors;
  for (const proxy::HopPlan& hop : setup.plan.ingress) {
    const auto listener = world.listen({0, hop.port}, nobody);
    if (!listener) errors.push_back({{}, listener.error().message, setup.place});
  }
  return errors;
}

bool all_accept(const live::World& world) {
  const auto listening = world.listening();
  return std::all_of(listening.begin(), listening.end(),
                     [](const auto& listener) { return listener.accepting; });
}

void say_ready(const live::World& world, const GatewayIdentity& identity) {
  std::vector<world::Endpoint> endpoints;
  for (const auto& listener : world.listening()) endpoints.push_back(listener.local);
  const std::string as =
      identity.cluster == identity.resource ? "" : fmt::format(" as {}", identity.cluster);
  complain(reports::printable(
      fmt::format("{} serves{} at {}", identity.resource, as, text_of(endpoints))));
}

}  // namespace

ExitStatus gateway_command(const GatewayArguments& arguments) {
  std::vector<ServicePlace> places;
  const auto setup = set_up(arguments, places);
  if (!setup) return refuse(setup.error());

  live::raise_descriptor_limit();
  live::Runtime runtime;
  runtime.stop_on_signals();
  auto world = std::make_unique<live::World>(
      runtime, live::WorldOptions{.name = setup->identity.cluster,
                                  .seed = arguments.seed,
                                  .listen_address = setup->listen_address});
  world::Errors errors = unresolved(runtime, *world, places);
  add(errors, taken_ports(*world, *setup));
  if (!errors.empty()) return refuse(errors);

  auto gateway = std::make_unique<proxy::Gateway>(
      *world, std::make_shared<const proxy::GatewayPlan>(setup->plan), setup->secrets.get());
  if (const auto started = gateway->start(); !started) {
    world::Error error = started.error();
    error.place = setup->place;
    return refuse({error});
  }
  while (!all_accept(*world) && !runtime.stopped()) runtime.turn();
  if (!runtime.stopped()) say_ready(*world, setup->identity);
  runtime.run();

  gateway.reset();
  world.reset();  // writes the log
  // At once: a name that is being looked up would be waited for.
  std::_Exit(static_cast<int>(ExitStatus::Passed));
}

}  // namespace tools
