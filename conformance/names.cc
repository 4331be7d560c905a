#include "conformance/names.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "document/reader.h"

namespace conformance {
namespace {

constexpr std::array<std::pair<EntityKind, std::string_view>, 5> kWords = {
    {{EntityKind::Gateway, "gateway"},
     {EntityKind::Service, "service"},
     {EntityKind::Endpoint, "endpoint"},
     {EntityKind::Client, "client"},
     {EntityKind::Balancer, "nlb"}}};

}  // namespace

std::string with_suggestion(std::string message, std::string_view written,
                            const std::vector<std::string>& names) {
  const std::string near = document::nearest(written, names);
  if (!near.empty()) return message + "; did you mean " + near + "?";
  if (names.empty()) return message;
  return message + "; there is " + fmt::format("{}", fmt::join(names, ", "));
}

std::string plain_name(std::string name) {
  if (!name.empty() && name.back() == '.') name.pop_back();
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return name;
}

std::string numbered(std::string_view name, std::uint32_t number) {
  return fmt::format("{}-{}", name, number);
}

std::string_view word_of(EntityKind kind) {
  for (const auto& [known, word] : kWords) {
    if (known == kind) return word;
  }
  return {};
}

std::optional<EntityKind> entity_from_word(std::string_view word) {
  for (const auto& [kind, known] : kWords) {
    if (known == word) return kind;
  }
  return std::nullopt;
}

const std::vector<std::string>& fields_of(EntityKind kind) {
  static const std::vector<std::string> kGateway = {
      "activeConnections", "pendingRequests", "activeRequests", "downstreamConnections",
      "requests",          "overflow",        "retries",        "running",
      "healthy",           "unhealthy",       "checks",         "failedChecks"};
  static const std::vector<std::string> kService = {"requests",  "checks",  "connections",
                                                    "accepted",  "answers", "healthy",
                                                    "unhealthy", "ejected"};
  static const std::vector<std::string> kClient = {"sent",    "answered",    "failed",
                                                   "waiting", "connections", "opened"};
  static const std::vector<std::string> kBalancer = {
      "activeFlows",      "flows",          "noTarget",
      "targetRefused",    "healthyTargets", "unhealthyTargets",
      "resetsByClient",   "resetsByTarget", "resetsByBalancer",
      "unhealthyRouting", "portErrors",     "checks",
      "addresses"};
  switch (kind) {
    case EntityKind::Gateway:
      return kGateway;
    case EntityKind::Service:
    case EntityKind::Endpoint:
      return kService;
    case EntityKind::Client:
      return kClient;
    case EntityKind::Balancer:
      break;
  }
  return kBalancer;
}

std::string Observable::text() const {
  return fmt::format("{}/{}.{}", word_of(kind), name, field);
}

std::string TurnExpectation::text() const {
  return fmt::format("{}/{}", word_of(kind), name);
}

Names::Names(const mesh::Mesh& mesh, const WorldSetup& world, bool sound) : sound_(sound) {
  for (const auto& [kind, word] : kWords) names_[kind];
  for (const CertificateSetup& one : world.pki) certificates_.push_back(one.name);
  for (const GatewaySetup& setup : world.gateways) {
    auto& names = names_[EntityKind::Gateway];
    const mesh::VirtualGateway* gateway = mesh.gateway(setup.name);
    const std::uint16_t port = gateway != nullptr && !gateway->listeners.empty()
                                   ? gateway->listeners.front().port_mapping.port
                                   : std::uint16_t{0};
    const auto add_protocols = [&](const std::string& host) {
      if (gateway == nullptr) return;
      for (const mesh::Listener& listener : gateway->listeners) {
        const mesh::PortMapping& mapping = listener.port_mapping;
        gateway_protocols_.emplace(std::pair(host, mapping.port), mapping.protocol);
      }
    };
    names.push_back(setup.name);
    add_protocols(setup.name);
    gateway_ports_.emplace(setup.name, port);
    for (std::uint32_t i = 1; i <= setup.instances; ++i) {
      names.push_back(numbered(setup.name, i));
      gateway_ports_.emplace(names.back(), port);
      add_protocols(names.back());
    }
  }
  for (const mesh::VirtualService& service : mesh.services) {
    names_[EntityKind::Service].push_back(service.name);
  }
  for (const ServiceSetup& setup : world.services) {
    names_[EntityKind::Service].push_back(setup.node);
    for (std::uint32_t i = 1; i <= setup.endpoints; ++i) {
      names_[EntityKind::Service].push_back(numbered(setup.node, i));
      names_[EntityKind::Endpoint].push_back(numbered(setup.node, i));
    }
  }
  for (const ClientSetup& client : world.clients) {
    names_[EntityKind::Client].push_back(client.name);
  }
  for (const BalancerSetup& balancer : world.balancers) {
    names_[EntityKind::Balancer].push_back(balancer.name);
    for (const std::string& zone : balancer.zones) {
      link_ends_.push_back(balancer.node_name(zone));
    }
    const mesh::VirtualGateway* gateway = mesh.gateway(balancer.gateway);
    if (gateway == nullptr || gateway->listeners.empty()) continue;
    std::vector<std::string> hosts = {balancer.name, balancer.dns};
    for (const std::string& zone : balancer.zones) {
      hosts.push_back(balancer.node_name(zone));
      hosts.push_back(zone + "." + balancer.name);
      hosts.push_back(zone + "." + balancer.dns);
    }
    for (const std::string& host : hosts) {
      gateway_protocols_.emplace(std::pair(host, balancer.options.port),
                                 gateway->listeners.front().port_mapping.protocol);
    }
  }
  for (const auto& [kind, names] : names_) {
    for (const std::string& name : names) {
      const bool is_virtual = kind == EntityKind::Service && mesh.service(name) != nullptr &&
                              mesh.node(name) == nullptr;
      if (!is_virtual) link_ends_.push_back(name);
    }
  }
}

bool Names::has_certificate(std::string_view name) const {
  return !sound_ ||
         std::find(certificates_.begin(), certificates_.end(), name) != certificates_.end();
}

bool Names::has(EntityKind kind, std::string_view name) const {
  if (!sound_) return true;
  const auto& names = names_.at(kind);
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string Names::unknown(EntityKind kind, std::string_view name) const {
  return with_suggestion(fmt::format("there is no {} {}", word_of(kind), name), name,
                         names_.at(kind));
}

bool Names::is_link_end(std::string_view name) const {
  if (!sound_) return true;
  return std::find(link_ends_.begin(), link_ends_.end(), name) != link_ends_.end();
}

std::string Names::unknown_link_end(std::string_view name) const {
  return with_suggestion(fmt::format("there is no {}", name), name, link_ends_);
}

std::optional<mesh::Protocol> Names::gateway_protocol(std::string_view host,
                                                      std::uint16_t port) const {
  const auto found = gateway_protocols_.find(std::pair(std::string(host), port));
  if (found == gateway_protocols_.end()) return std::nullopt;
  return found->second;
}

std::optional<std::uint16_t> Names::gateway_port(std::string_view host) const {
  const auto found = gateway_ports_.find(host);
  if (found == gateway_ports_.end() || found->second == 0) return std::nullopt;
  return found->second;
}

}  // namespace conformance
