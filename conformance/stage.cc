#include "conformance/stage.h"

#include <algorithm>
#include <cassert>

#include "conformance/listener_checker.h"
#include "conformance/names.h"
#include "conformance/read_world.h"
#include "proxy/compile.h"

namespace conformance {

struct Stage::Instance {
  std::string gateway;
  std::string name;
  std::string zone;  ///< Empty: not said.
  world::World* host = nullptr;
  std::shared_ptr<const proxy::GatewayPlan> plan;
  std::unique_ptr<proxy::Gateway> proxy;     ///< Absent: it does not run.
  bool wanted = true;                        ///< To run, when its host does.
  bool down = false;                         ///< Its host has crashed.
  std::unique_ptr<ListenerChecker> checker;  ///< Absent: nobody watches it.
};

/// One endpoint of a virtual node: a service on each of its ports.
struct Stage::Endpoint final : public peers::ServiceObserver {
  void on_request(const peers::SeenRequest& request) override {
    if (request.check) return;  // no client has asked
    stage->observer_.seen(request, name, stage->service_of(node, request));
  }
  void on_websocket(std::uint64_t flow, std::span<const peers::WebSocketFrame> frames) override {
    stage->observer_.websocket(flow, frames);
  }

  Stage* stage = nullptr;
  std::string node;
  std::string name;
  world::World* host = nullptr;
  std::vector<std::unique_ptr<peers::Service>> services;
};

/// A client. Each of its ways of using connections has a host and numbers of its own.
struct Stage::ClientHost {
  struct Way final : public peers::ClientObserver {
    void on_outcome(const peers::RequestOutcome& outcome) override {
      stage->observer_.ended(host->id(), outcome);
    }
    Stage* stage = nullptr;
    world::World* host = nullptr;
    std::unique_ptr<peers::Client> client;
  };

  std::string name;
  peers::ConnectionPolicy policy = peers::ConnectionPolicy::One;
  const ClientSetup* setup = nullptr;
  world::World* host = nullptr;
  std::map<std::pair<peers::ConnectionPolicy, ClientTls>, std::unique_ptr<Way>> ways;
};

namespace {

using Plan = std::shared_ptr<const proxy::GatewayPlan>;

Plan plan_for(const Setting& setting, const Plan& compiled) {
  if (!setting.second_hop_is_private() || !compiled->egress) return compiled;
  auto plan = std::make_shared<proxy::GatewayPlan>(*compiled);
  plan->egress->loopback_only = true;
  return plan;
}

using Attributes = std::vector<std::pair<std::string, std::string>>;

/// Whether an instance with those attributes is one of the service that `wanted` asks for.
bool selects(const mesh::Discovery& wanted, const mesh::Discovery& of,
             const Attributes& attributes) {
  const auto has = [&attributes](const auto& attribute) {
    return std::find(attributes.begin(), attributes.end(), attribute) != attributes.end();
  };
  return wanted.kind == mesh::Discovery::Kind::CloudMap && wanted.service_name == of.service_name &&
         wanted.namespace_name == of.namespace_name &&
         std::all_of(wanted.attributes.begin(), wanted.attributes.end(), has);
}

/// The names under which an endpoint of that node is found: in Cloud Map by every node that asks
/// for what it has.
std::vector<std::string> discovery_names(const mesh::Mesh& mesh, const mesh::VirtualNode& node,
                                         const ServiceSetup& setup) {
  std::vector<std::string> names;
  if (!node.discovery) return names;
  const mesh::Discovery& discovery = *node.discovery;
  if (discovery.kind == mesh::Discovery::Kind::Dns) return {discovery.hostname};
  if (discovery.kind != mesh::Discovery::Kind::CloudMap) return names;
  const Attributes& attributes = setup.attributes.value_or(discovery.attributes);
  for (const mesh::VirtualNode& other : mesh.nodes) {
    if (!other.discovery || !selects(*other.discovery, discovery, attributes)) continue;
    std::string name = proxy::cloud_map_name(*other.discovery);
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      names.push_back(std::move(name));
    }
  }
  return names;
}

/// Of a gateway that is not ours; in time of the scenario.
constexpr world::Duration kLongestStart = std::chrono::minutes(5);
constexpr world::Duration kLongestUpdate = std::chrono::seconds(5);

bool asks_of_gateway(const Observable& what) {
  return what.kind == EntityKind::Gateway ||
         (what.kind != EntityKind::Client && what.kind != EntityKind::Balancer &&
          (what.field == "healthy" || what.field == "unhealthy" || what.field == "ejected"));
}

/// Whether what a gateway counts, or holds of endpoints, is judged.
bool asks_for_numbers(const Scenario& scenario) {
  const auto any = [](const std::vector<CountExpectation>& counts) {
    return std::any_of(counts.begin(), counts.end(),
                       [](const CountExpectation& count) { return asks_of_gateway(count.what); });
  };
  const bool in_steps =
      std::any_of(scenario.steps.begin(), scenario.steps.end(), [&](const Step& step) {
        const bool in_expect =
            step.expect && (!step.expect->turns.empty() || any(step.expect->counts));
        return in_expect || (step.until && any(step.until->counts));
      });
  return in_steps || std::any_of(scenario.always.begin(), scenario.always.end(),
                                 [](const Invariant& invariant) {
                                   return invariant.kind == Invariant::Kind::Compare;
                                 });
}

}  // namespace

Stage::Stage(const Scenario& scenario, Setting& setting,
             const std::optional<StagedTarget::Parts>& target, const proxy::Defect* defect)
    : scenario_(scenario),
      setting_(setting),
      defect_(defect),
      tls_(scenario.world, setting.calendar_start()),
      observer_(setting, tls_) {
  setting_.trace().add_sink(observer_);
  if (target) target_ = std::make_unique<StagedTarget>(*target, observer_);
  add_endpoints();
  add_gateways();
  add_balancers();
  add_clients();
  set_links();
}

Stage::~Stage() {
  setting_.trace().remove_sink(observer_);
}

void Stage::add_endpoints() {
  std::map<std::string, std::vector<std::uint32_t>> addresses;
  for (const ServiceSetup& setup : scenario_.world.services) {
    const mesh::VirtualNode* node = scenario_.mesh.node(setup.node);
    if (node == nullptr) continue;
    const auto names = discovery_names(scenario_.mesh, *node, setup);
    for (std::uint32_t i = 1; i <= setup.endpoints; ++i) {
      auto endpoint = std::make_unique<Endpoint>();
      endpoint->stage = this;
      endpoint->node = setup.node;
      endpoint->name = numbered(setup.node, i);
      endpoint->host = &setting_.add_host(endpoint->name);
      for (const std::string& name : names) {
        addresses[name].push_back(setting_.address_of(*endpoint->host));
      }
      for (const mesh::Listener& listener : node->listeners) {
        peers::ServiceOptions options;
        options.service = setup.node;
        options.endpoint = endpoint->name;
        options.port = listener.port_mapping.port;
        options.protocol = is_http2(listener.port_mapping.protocol) ? peers::Protocol::Http2
                                                                    : peers::Protocol::Http1;
        options.script = setup.script;
        options.observer = endpoint.get();
        options.tls = tls_.of_service(*endpoint->host, listener, setup);
        auto service = std::make_unique<peers::Service>(*endpoint->host, std::move(options));
        if (!setup.refuses) (void)service->start();  // a second listener on one port stays shut
        endpoint->services.push_back(std::move(service));
      }
      by_address_[setting_.address_of(*endpoint->host)] = endpoint.get();
      endpoints_.push_back(std::move(endpoint));
    }
  }
  for (const auto& [name, list] : addresses) {
    if (!name.empty()) setting_.set_name(name, list);
  }
}

void Stage::add_gateways() {
  for (const GatewaySetup& setup : scenario_.world.gateways) {
    auto plan = proxy::compile(scenario_.mesh, setup.name);
    if (plan && defect_ != nullptr) *plan = proxy::with_defect(**plan, *defect_);
    std::vector<std::uint32_t> addresses;
    for (std::uint32_t i = 1; i <= setup.instances; ++i) {
      auto instance = std::make_unique<Instance>();
      instance->gateway = setup.name;
      instance->name = numbered(setup.name, i);
      if (!setup.zones.empty()) instance->zone = setup.zones[(i - 1) % setup.zones.size()];
      instance->host = &setting_.add_host(instance->name);
      if (setup.keep_alive != Duration{})
        setting_.set_keep_alive(*instance->host, setup.keep_alive);
      observer_.add_gateway(instance->host->id());
      addresses.push_back(setting_.address_of(*instance->host));
      for (const std::string& path : setup.unwritable)
        setting_.make_unwritable(*instance->host, path);
      if (setup.redirect) setting_.set_redirect(*instance->host, *setup.redirect);
      if (!setup.fails.empty()) {
        start_failures_.push_back(instance->name + ": " + setup.fails);
        instance->host->trace(world::TraceKind::Note, 0, 0, 0, start_failures_.back());
      } else if (plan) {
        instance->plan = target_ ? *plan : plan_for(setting_, *plan);
        start(*instance);
      }
      instances_.push_back(std::move(instance));
    }
    if (setup.watched) add_checkers(setup);
    if (!addresses.empty()) setting_.set_name(setup.name, addresses);
  }
}

void Stage::start(Instance& instance) {
  StagedSecrets* const secrets = tls_.begin_gateway(*instance.host, *instance.plan);
  if (target_) {
    return target_->start(*instance.host, instance.plan, secrets, asks_for_numbers(scenario_));
  }
  auto proxy = std::make_unique<proxy::Gateway>(*instance.host, instance.plan, secrets);
  std::string failure = tls_.problem(*instance.host, *instance.plan);
  if (failure.empty()) {
    if (const auto started = proxy->start(); !started) failure = started.error().text();
  }
  if (failure.empty()) {
    instance.proxy = std::move(proxy);
    return;
  }
  start_failures_.push_back(instance.name + ": " + failure);
  instance.host->trace(world::TraceKind::Note, 0, 0, 0, start_failures_.back());
}

void Stage::await_target() {
  if (!target_) return;
  const world::TimePoint limit = setting_.now() + kLongestStart;
  while (!target_->settled() && setting_.now() < limit) setting_.step(limit);
  for (const std::string& one : target_->ended()) start_failures_.push_back(one);
  for (const auto& instance : instances_) {
    if (target_->state(*instance->host) != TargetGateway::State::Starting) continue;
    start_failures_.push_back(instance->name + " does not become ready");
  }
}

void Stage::set(const Materials& changes) {
  tls_.change(changes);
  if (!target_) return;
  const world::TimePoint limit = setting_.now() + kLongestUpdate;
  while (target_->behind() && setting_.now() < limit) setting_.step(limit);
}

bool Stage::runs(const Instance& instance) const {
  if (!target_) return instance.proxy != nullptr;
  return target_->state(*instance.host) == TargetGateway::State::Running;
}

void Stage::stop(Instance& instance) {
  instance.proxy.reset();
  if (target_) target_->stop(*instance.host);
}

std::vector<peers::Service*> Stage::services(const std::string& name) {
  const mesh::VirtualService* const service = scenario_.mesh.service(name);
  const bool by_node = service != nullptr && service->provider &&
                       service->provider->kind == mesh::Provider::Kind::Node &&
                       scenario_.mesh.node(name) == nullptr;
  const std::string& node = by_node ? service->provider->name : name;
  std::vector<peers::Service*> found;
  for (const auto& endpoint : endpoints_) {
    if (endpoint->node != node && endpoint->name != node) continue;
    for (const auto& one : endpoint->services) found.push_back(one.get());
  }
  return found;
}

void Stage::crash(world::World& host) {
  setting_.forget_connections(host);
  for (const auto& endpoint : endpoints_) {
    if (endpoint->host != &host) continue;
    for (const auto& service : endpoint->services) service->drop_connections(true);
  }
  for (const auto& instance : instances_) {
    if (instance->host != &host) continue;
    instance->down = true;
    stop(*instance);
  }
}

void Stage::restart(world::World& host) {
  for (const auto& endpoint : endpoints_) {
    if (endpoint->host != &host) continue;
    tls_.restart_services(host);
    for (const auto& service : endpoint->services) {
      service->set_script(service->script());  // from its beginning
    }
  }
  for (const auto& instance : instances_) {
    if (instance->host != &host) continue;
    instance->down = false;
    if (instance->wanted && instance->plan && !instance->proxy) start(*instance);
  }
}

/// Whether the scenario has the endpoint refuse all connections.
bool Stage::refuses(const Endpoint& endpoint) const {
  const auto& setups = scenario_.world.services;
  return std::any_of(setups.begin(), setups.end(), [&](const ServiceSetup& setup) {
    return setup.refuses && setup.node == endpoint.node;
  });
}

void Stage::set_listening(world::World& host, bool listening) {
  for (const auto& endpoint : endpoints_) {
    if (endpoint->host != &host || refuses(*endpoint)) continue;
    for (const auto& service : endpoint->services) {
      if (listening) {
        static_cast<void>(service->start());  // a second listener on one port stays shut
      } else {
        service->stop();
      }
    }
  }
}

/// Calls `visit(instance, state)` for each cluster of each gateway that has the endpoint.
template <class F>
void Stage::visit_health(const Endpoint& endpoint, F&& visit) const {
  const std::uint32_t address = setting_.address_of(*endpoint.host);
  for (const auto& instance : instances_) {
    const GatewayNumbers* const told = target_ ? target_->numbers(*instance->host) : nullptr;
    if (told != nullptr) {
      for (const GatewayNumbers::Opinion& one : told->endpoints) {
        if (target_->known_address(one.endpoint) != address) continue;
        proxy::HostState state;
        state.failed_check = one.failed_check;
        state.ejected = one.ejected;
        visit(*instance, state);
      }
    }
    if (!instance->proxy) continue;
    for (const proxy::ClusterState& cluster : instance->proxy->clusters()) {
      if (cluster.cluster->node != endpoint.node) continue;
      for (const proxy::HostState& host : cluster.hosts) {
        if (host.endpoint.address == address) visit(*instance, host);
      }
    }
  }
}

/// What the gateways think of an endpoint: so many hold it healthy, unhealthy, or have ejected it.
void Stage::add_health(const std::string& endpoint, const std::string& field,
                       std::int64_t& total) const {
  const auto one = std::find_if(endpoints_.begin(), endpoints_.end(),
                                [&](const auto& other) { return other->name == endpoint; });
  if (one == endpoints_.end()) return;
  visit_health(**one, [&](const Instance&, const proxy::HostState& host) {
    if (field == "healthy") total += host.healthy() ? 1 : 0;
    if (field == "unhealthy") total += host.healthy() ? 0 : 1;
    if (field == "ejected") total += host.ejected ? 1 : 0;
  });
}

void Stage::add_numbers(const Instance& instance, const std::string& field,
                        std::int64_t& total) const {
  const GatewayNumbers* const numbers = target_->numbers(*instance.host);
  if (numbers == nullptr) return;
  const auto found = numbers->own.find(field);
  if (found != numbers->own.end()) total += found->second;
}

void Stage::visit_gateways(const std::function<void(const GatewayNow&)>& visit) const {
  for (const auto& instance : instances_) {
    GatewayNow now{instance->name, instance->proxy.get(), {}};
    if (const ListenerChecker* const checker = instance->checker.get()) {
      now.healthy = checker->healthy();
      now.checks = checker->checks();
      now.failed_checks = checker->failed_checks();
    }
    visit(now);
  }
}

void Stage::visit_endpoints(
    const std::function<void(const std::string& gateway, const std::string& endpoint,
                             const proxy::HostState& host)>& visit) const {
  for (const auto& instance : instances_) {
    if (!instance->proxy) continue;
    for (const proxy::ClusterState& cluster : instance->proxy->clusters()) {
      for (const proxy::HostState& host : cluster.hosts) {
        const auto found = by_address_.find(host.endpoint.address);
        if (found == by_address_.end() || found->second->node != cluster.cluster->node) continue;
        visit(instance->name, found->second->name, host);
      }
    }
  }
}

std::vector<Stage::Opinion> Stage::opinions(EntityKind kind, const std::string& name) const {
  std::vector<Opinion> out;
  if (kind == EntityKind::Gateway) {
    for (const auto& instance : instances_) {
      if (instance->gateway != name && instance->name != name) continue;
      const ListenerChecker* const checker = instance->checker.get();
      if (checker == nullptr) continue;
      out.push_back({instance->name + "-checker", checker->healthy(),
                     checker->checks() - checker->failed_checks(), checker->failed_checks()});
    }
    return out;
  }
  for (const auto& endpoint : endpoints_) {
    if (endpoint->node != name && endpoint->name != name) continue;
    visit_health(*endpoint, [&](const Instance& instance, const proxy::HostState& host) {
      out.push_back({instance.name + " of " + endpoint->name, host.healthy(), host.checks.passed,
                     host.checks.failed});
    });
  }
  return out;
}

/// One host runs the checks of all instances.
void Stage::add_checkers(const GatewaySetup& setup) {
  const mesh::VirtualGateway* const gateway = scenario_.mesh.gateway(setup.name);
  world::World& host = setting_.add_host(setup.name + "-checker");
  for (const auto& instance : instances_) {
    if (instance->gateway != setup.name) continue;
    instance->checker =
        std::make_unique<ListenerChecker>(host, setting_.address_of(*instance->host), *gateway);
    instance->checker->start();
  }
}

void Stage::add_balancers() {
  for (const BalancerSetup& setup : scenario_.world.balancers) {
    const mesh::VirtualGateway* gateway = scenario_.mesh.gateway(setup.gateway);
    std::vector<StagedBalancer::Instance> targets;
    for (const auto& instance : instances_) {
      if (instance->gateway != setup.gateway || gateway == nullptr) continue;
      targets.push_back({.name = instance->name,
                         .endpoint = {setting_.address_of(*instance->host),
                                      gateway->listeners.front().port_mapping.port},
                         .zone = instance->zone});
    }
    balancers_.push_back(std::make_unique<StagedBalancer>(setup, setting_, std::move(targets)));
    const std::string& failure = balancers_.back()->failure();
    if (!failure.empty()) start_failures_.push_back(failure);
  }
}

void Stage::apply(const FaultAction& action) {
  for (const auto& instance : instances_) {
    if (instance->gateway != action.gateway && instance->name != action.gateway) continue;
    switch (action.kind) {
      case FaultAction::Kind::Stopped:
        instance->wanted = false;
        stop(*instance);
        break;
      case FaultAction::Kind::Running:
        instance->wanted = true;
        if (instance->down || instance->proxy != nullptr) break;
        if (instance->plan != nullptr) start(*instance);
        break;
      case FaultAction::Kind::Closed:
        if (instance->proxy) instance->proxy->drain(proxy::DrainMode::Immediate);
        break;
      case FaultAction::Kind::Unreachable:
      case FaultAction::Kind::Reachable:
        break;  // of the host, not of what runs there
    }
  }
}

StagedBalancer& Stage::balancer(const std::string& name) const {
  const auto found = std::find_if(balancers_.begin(), balancers_.end(),
                                  [&](const auto& balancer) { return balancer->name() == name; });
  assert(found != balancers_.end());
  return **found;
}

void Stage::add_clients() {
  for (const ClientSetup& setup : scenario_.world.clients) {
    auto client = std::make_unique<ClientHost>();
    client->name = setup.name;
    client->host = &setting_.add_host(setup.name);
    client->policy = setup.connections;
    client->setup = &setup;
    if (setup.keep_alive != Duration{}) setting_.set_keep_alive(*client->host, setup.keep_alive);
    clients_.push_back(std::move(client));
  }
}

std::vector<world::World*> Stage::hosts_of(const std::string& name) const {
  std::vector<world::World*> hosts;
  for (const auto& client : clients_) {
    if (client->name != name) continue;
    hosts.push_back(client->host);
    for (const auto& [use, way] : client->ways) {
      if (way->host != client->host) hosts.push_back(way->host);
    }
  }
  for (const auto& instance : instances_) {
    if (instance->gateway == name || instance->name == name) hosts.push_back(instance->host);
  }
  for (const auto& endpoint : endpoints_) {
    if (endpoint->node == name || endpoint->name == name) hosts.push_back(endpoint->host);
  }
  for (const auto& balancer : balancers_) {
    for (world::World* host : balancer->hosts(name)) hosts.push_back(host);
  }
  return hosts;
}

void Stage::set_links() {
  for (const LinkSetup& link : scenario_.world.links) {
    for (world::World* from : hosts_of(link.from)) {
      for (world::World* to : hosts_of(link.to)) {
        setting_.set_link(*from, *to, link.options);
        if (link.both_ways) setting_.set_link(*to, *from, link.options);
      }
    }
  }
  // An endpoint that answers nothing at all: what is sent to it is lost.
  for (const ServiceSetup& setup : scenario_.world.services) {
    if (!setup.blackhole) continue;
    for (world::World* endpoint : hosts_of(setup.node)) {
      for (const auto& instance : instances_) {
        setting_.set_link(*instance->host, *endpoint, {.blackhole = true});
      }
    }
  }
}

Stage::ClientHost& Stage::find_client(const std::string& name) const {
  const auto found = std::find_if(clients_.begin(), clients_.end(),
                                  [&](const auto& client) { return client->name == name; });
  assert(found != clients_.end());
  return **found;
}

Stage::ClientOn Stage::client(const std::string& name, peers::ConnectionPolicy policy,
                              const std::optional<ClientTls>& tls) {
  ClientHost& client = find_client(name);
  const ClientTls& spoken = tls ? *tls : client.setup->tls;
  auto& way = client.ways[{policy, spoken}];
  if (!way) {
    way = std::make_unique<ClientHost::Way>();
    way->stage = this;
    way->host = client.ways.size() == 1 ? client.host : &setting_.add_host(name);
    way->client = std::make_unique<peers::Client>(
        *way->host,
        peers::ClientOptions{
            .policy = policy, .observer = way.get(), .tls = tls_.of_client(*way->host, spoken)});
    if (client.setup->keeps_addresses) way->client->resolver().keep_for_ever();
    if (client.setup->keep_alive != Duration{}) {
      setting_.set_keep_alive(*way->host, client.setup->keep_alive);
    }
    set_links();
    if (links_set) links_set();
  }
  return {*way->client, *way->host};
}

world::World& Stage::client_host(const std::string& name) {
  return *find_client(name).host;
}

peers::ConnectionPolicy Stage::policy_of(const std::string& client) const {
  return find_client(client).policy;
}

/// The virtual service by which a node was reached: the only one that leads to it, or the one that
/// the request names.
std::string Stage::service_of(const std::string& node, const peers::SeenRequest& request) const {
  const mesh::Mesh& mesh = scenario_.mesh;
  std::vector<std::string> candidates;
  for (const mesh::VirtualService& service : mesh.services) {
    if (!service.provider) continue;
    bool leads =
        service.provider->kind == mesh::Provider::Kind::Node && service.provider->name == node;
    if (service.provider->kind == mesh::Provider::Kind::Router) {
      for (const mesh::Route* route : mesh.routes_of_router(service.provider->name)) {
        for (const mesh::WeightedTarget& target : route->targets) {
          leads = leads || target.node == node;
        }
      }
    }
    if (leads) candidates.push_back(service.name);
  }
  const wire::HeaderMap& headers = request.head.headers;
  for (const std::string_view named :
       {headers.get(wire::HeaderName::MeshVirtualService), headers.get(wire::HeaderName::Host)}) {
    for (const std::string& candidate : candidates) {
      if (candidate == named) return candidate;
    }
  }
  return candidates.empty() ? node : candidates.front();
}

std::optional<std::int64_t> Stage::count(const Observable& what) const {
  std::int64_t total = 0;
  bool found = false;
  const auto add = [&](auto number) {
    found = true;
    total += static_cast<std::int64_t>(number);
  };
  const std::string& field = what.field;
  switch (what.kind) {
    case EntityKind::Gateway:
      for (const auto& instance : instances_) {
        if (instance->gateway != what.name && instance->name != what.name) continue;
        if (target_) {
          found = true;
          add_numbers(*instance, field, total);
        }
        const proxy::GatewayCounts counts =
            instance->proxy ? instance->proxy->counts() : proxy::GatewayCounts{};
        if (field == "activeConnections") add(counts.active_connections);
        if (field == "pendingRequests") add(counts.pending_requests);
        if (field == "activeRequests") add(counts.active_requests);
        if (field == "downstreamConnections") add(counts.downstream_connections);
        if (field == "requests") add(counts.requests_total);
        if (field == "overflow") add(counts.overflow_total);
        if (field == "running") add(runs(*instance) ? 1 : 0);
        const ListenerChecker* const checker = instance->checker.get();
        if (field == "retries") add(counts.retries_total);
        if (field == "unhealthy") add(checker != nullptr && !checker->healthy() ? 1 : 0);
        if (field == "healthy") add(checker != nullptr && checker->healthy() ? 1 : 0);
        if (field == "checks") add(checker != nullptr ? checker->checks() : 0);
        if (field == "failedChecks") add(checker != nullptr ? checker->failed_checks() : 0);
      }
      break;
    case EntityKind::Service:
    case EntityKind::Endpoint: {
      // A virtual service counts what reached it, a node or endpoint what it saw.
      if (scenario_.mesh.service(what.name) != nullptr && field == "requests") {
        found = true;
        total += observer_.reached(what.name);
        break;
      }
      for (const auto& endpoint : endpoints_) {
        if (endpoint->node != what.name && endpoint->name != what.name) continue;
        found = true;
        add_health(endpoint->name, field, total);
        for (const auto& service : endpoint->services) {
          const peers::ServiceCounts& counts = service->counts();
          if (field == "requests") add(counts.requests);
          if (field == "checks") add(counts.checks);
          if (field == "connections") add(counts.connections);
          if (field == "accepted") add(counts.accepted);
          if (field == "answers") add(counts.answers);
        }
      }
      break;
    }
    case EntityKind::Client:
      for (const auto& client : clients_) {
        if (client->name != what.name) continue;
        found = true;
        for (const auto& [use, way] : client->ways) {
          const peers::ClientCounts& counts = way->client->counts();
          if (field == "sent") add(counts.sent);
          if (field == "answered") add(counts.answered);
          if (field == "failed") add(counts.failed);
          if (field == "waiting") add(counts.waiting());
          if (field == "connections") add(counts.connections);
          if (field == "opened") add(counts.opened);
        }
      }
      break;
    case EntityKind::Balancer:
      for (const auto& balancer : balancers_) {
        if (balancer->name() != what.name) continue;
        if (const auto number = balancer->count(field)) add(*number);
      }
      break;
  }
  if (!found) return std::nullopt;
  return total;
}

std::vector<const world::World*> Stage::instances(const std::string& name) const {
  std::vector<const world::World*> hosts;
  for (const auto& instance : instances_) {
    if (name.empty() || instance->gateway == name || instance->name == name) {
      hosts.push_back(instance->host);
    }
  }
  return hosts;
}

std::string Stage::file(const world::World& host, const std::string& path) const {
  std::string text = setting_.file(host, path);
  return target_ ? target_->with_known_addresses(host, text) : text;
}

std::string Stage::log_path(const std::string& name) const {
  for (const auto& instance : instances_) {
    if (!name.empty() && instance->gateway != name && instance->name != name) continue;
    const mesh::VirtualGateway* gateway = scenario_.mesh.gateway(instance->gateway);
    if (gateway != nullptr && gateway->access_log) return gateway->access_log->path;
  }
  return {};
}

const proxy::AccessLogPlan* Stage::log_plan(const std::string& name) const {
  for (const auto& instance : instances_) {
    if (!name.empty() && instance->gateway != name && instance->name != name) continue;
    if (!instance->plan || instance->plan->ingress.empty()) continue;
    const auto& log = instance->plan->ingress.front().access_log;
    if (log) return &*log;
  }
  return nullptr;
}

}  // namespace conformance
