#include "conformance/explain.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "conformance/explain_visit.h"
#include "conformance/explain_words.h"
#include "conformance/read_mesh.h"
#include "conformance/units.h"
#include "peers/request_spec.h"
#include "proxy/compile.h"
#include "proxy/match.h"
#include "proxy/path.h"
#include "proxy/request_rules.h"

namespace conformance {
namespace {

using proxy::Route;
using proxy::VirtualHost;
using wire::HeaderName;

constexpr int kDefaultPriority = 1000;  // AM-ORD-03

RouteStory story_of(std::string resource, const mesh::Origin& origin, std::string match,
                    const std::optional<int>& priority) {
  RouteStory story;
  story.resource = std::move(resource);
  story.place = origin.place;
  story.match = std::move(match);
  story.priority = priority.value_or(kDefaultPriority);
  story.default_priority = !priority.has_value();
  return story;
}

/// Whether the pattern of a virtual host takes this authority, if there were no other.
bool takes_host(const VirtualHost& host, std::string_view authority) {
  proxy::RouteTable alone;
  alone.hosts.push_back({host.name, host.domains, {}});
  return proxy::find_host(alone, authority) != nullptr;
}

class Explainer {
 public:
  Explainer(const mesh::Mesh& mesh, const mesh::VirtualGateway& gateway,
            const proxy::GatewayPlan& plan)
      : mesh_(mesh), gateway_(gateway), plan_(plan) {}

  Explanation explain(const ExplainRequest& request, const peers::RequestSpec& spec,
                      bool port_given) {
    out_.method = request.method;
    out_.url = request.url;
    out_.gateway = gateway_.name;
    out_.gateway_place = gateway_.origin.place;
    const proxy::HopPlan& ingress = choose_listener(spec, port_given);
    if (const std::string next = first_hop(ingress, peers::PreparedRequest(spec).bytes);
        !next.empty()) {
      second_hop(*plan_.egress, next);
    }
    return std::move(out_);
  }

 private:
  const proxy::HopPlan& choose_listener(const peers::RequestSpec& spec, bool port_given) {
    const proxy::HopPlan* chosen = nullptr;
    for (const proxy::HopPlan& hop : plan_.ingress) {
      if (hop.port == spec.port) chosen = &hop;
    }
    if (chosen == nullptr) {
      chosen = &plan_.ingress.front();
      if (port_given) {
        out_.notes.push_back(fmt::format(
            "{} has no listener at port {}: shown as it is at {}, as behind a load balancer",
            gateway_.name, spec.port, chosen->port));
      } else if (plan_.ingress.size() > 1) {
        out_.notes.push_back(
            fmt::format("{} has several listeners: shown for {}; a port in the URL names another",
                        gateway_.name, chosen->port));
      }
    }
    if (!chosen->accept_http1) {
      out_.notes.push_back(fmt::format(
          "the listener at {} speaks HTTP/2: shown as the same request there", chosen->port));
    }
    return *chosen;
  }

  // --- First hop ---

  std::string first_hop(const proxy::HopPlan& plan, std::string_view bytes) {
    HopStory& story = out_.ingress;
    story.name = plan.name;
    story.port = plan.port;
    if (!arrive(bytes, story, visit_)) return {};
    visit_.host = proxy::find_host(plan.routes, visit_.authority);
    if (visit_.host != nullptr) visit_.route = proxy::find_route(*visit_.host, visit_.view());
    say_virtual_host(plan);
    for (const mesh::GatewayRoute* route : in_order()) {
      story.routes.push_back(gateway_route_story(plan, *route));
    }
    if (refuse_upgrade(plan, story)) return {};
    if (visit_.route == nullptr) {
      refuse_unmatched(story, "no gateway route matches: the gateway answers itself (AM-GWR-14)");
      return {};
    }
    const mesh::GatewayRoute& winner = *mesh_.gateway_route(gateway_.name, visit_.route->name);
    out_.service = winner.virtual_service;
    out_.service_place = winner.target_origin.place;
    say_win(story);
    std::string next = send_on(story, visit_);
    say_rewrites(winner);
    say_first_timeout();
    story.retry = "none in this hop (AM-RET-03)";
    return next;
  }

  /// Websockets are the only upgrade. Source: ENV-HTTP-90, -91.
  bool refuse_upgrade(const proxy::HopPlan& plan, HopStory& story) const {
    if (!visit_.head->upgrade) return false;
    if (plan.websocket && proxy::asks_for_websocket(visit_.head->headers)) return false;
    story.refusal = {403, "-", "upgrade_failed", "websocket is the only upgrade that is offered"};
    return true;
  }

  static void refuse_unmatched(HopStory& story, std::string reason) {
    story.refusal = {404, "NR", "route_not_found", std::move(reason)};
  }

  /// In the order in which the chosen virtual host tries them, then the others as defined.
  std::vector<const mesh::GatewayRoute*> in_order() const {
    std::vector<const mesh::GatewayRoute*> order;
    const auto add = [&order](const mesh::GatewayRoute* route) {
      if (std::find(order.begin(), order.end(), route) == order.end()) order.push_back(route);
    };
    if (visit_.host != nullptr) {
      for (const Route& entry : visit_.host->routes) {
        add(mesh_.gateway_route(gateway_.name, entry.name));
      }
    }
    for (const mesh::GatewayRoute* route : mesh_.routes_of_gateway(gateway_.name)) add(route);
    return order;
  }

  RouteStory gateway_route_story(const proxy::HopPlan& plan, const mesh::GatewayRoute& route) {
    // A prefix without a slash at its end has two entries, the one as written last (AM-REW-09).
    const VirtualHost* host = nullptr;
    const Route* written = nullptr;
    const Route* matching = nullptr;
    for (const VirtualHost& candidate : plan.routes.hosts) {
      for (const Route& entry : candidate.routes) {
        if (entry.name != route.name) continue;
        host = &candidate;
        written = &entry;
        if (matching == nullptr && proxy::matches(entry, visit_.view())) matching = &entry;
      }
    }
    RouteStory story = story_of("gatewayRoute " + route.name, route.origin, {}, route.priority);
    if (written == nullptr) {
      story.fate = RouteFate::OtherPort;
      story.match = fmt::format("port {}", route.match.port.value_or(0));
      story.reason = fmt::format("takes requests of port {} only", route.match.port.value_or(0));
      story.failed.push_back(story.reason);
      return story;
    }
    const std::string& pattern = host->domains.front();
    story.match = (pattern == "*" ? "" : "host " + pattern + ", ") + match_words(*written);
    judge(story, *written, matching);
    if (host == visit_.host) return story;

    if (!takes_host(*host, visit_.authority)) {
      story.fate = RouteFate::OtherHost;
      story.failed.insert(story.failed.begin(), host_failure(pattern, visit_.authority, plan.port));
      story.reason = story.failed.front();
    } else {
      const std::string_view what =
          pattern == "*" ? "routes without a host match" : "routes for less specific hosts";
      story.fate = matching != nullptr ? RouteFate::NotReached : RouteFate::OtherHost;
      story.reason =
          fmt::format("{}: {} are not considered for it (AM-GWR-09)", own_host_words(), what);
      story.failed.insert(story.failed.begin(), story.reason);
      if (matching == nullptr)
        story.reason = story.failed[1] + "; nor is it considered for this host";
    }
    return story;
  }

  std::string own_host_words() const {
    const std::string& pattern = visit_.host->domains.front();
    if (pattern.front() == '*') {
      return fmt::format("host {} goes to the virtual host of {}", visit_.authority, pattern);
    }
    return fmt::format("host {} has a virtual host of its own", visit_.authority);
  }

  /// What becomes of a route within the virtual host.
  void judge(RouteStory& story, const Route& written, const Route* matching) const {
    if (matching == nullptr) {
      story.fate = RouteFate::Fails;
      story.failed = failed_criteria(written, visit_.view());
      story.path_matches = proxy::matches(written.path, proxy::path_of(visit_.head->target));
      story.reason = story.failed.front();
      return;
    }
    story.path_matches = true;
    if (matching == visit_.route) {
      story.fate = RouteFate::Wins;
    } else if (visit_.route != nullptr) {
      story.fate = RouteFate::Loses;
      story.reason = order_words(*visit_.route, *matching);
    }
  }

  void say_virtual_host(const proxy::HopPlan& plan) {
    HopStory& story = out_.ingress;
    bool any_pattern = false;
    for (const VirtualHost& host : plan.routes.hosts) {
      any_pattern = any_pattern || host.domains.front() != "*";
    }
    if (visit_.host == nullptr) {
      story.virtual_reason = plan.routes.hosts.empty() ? "there is no gateway route"
                                                       : "no gateway route takes this host";
      return;
    }
    const std::string& pattern = visit_.host->domains.front();
    story.virtual_host = visit_.host->name;
    if (pattern == "*") {
      story.virtual_reason = any_pattern
                                 ? "no route names this host; only those without a host match count"
                                 : "no route has a host match";
    } else if (pattern.front() == '*') {
      story.virtual_reason = fmt::format(
          "{} is the most specific pattern: only its routes count (AM-GWR-09)", pattern);
    } else {
      story.virtual_reason = "has a virtual host of its own: only its routes count (AM-GWR-09)";
    }
  }

  void say_win(HopStory& story) const {
    story.matched = path_words(visit_.route->path);
    const auto behind = static_cast<std::size_t>(
        std::count_if(story.routes.begin(), story.routes.end(),
                      [](const RouteStory& route) { return route.fate == RouteFate::Loses; }));
    if (behind == 0) {
      story.why = "the only route that is considered and matches";
    } else {
      story.why = fmt::format(
          "first of {} that match: by priority, then exact or regex path, then longer prefix "
          "(CD-07)",
          behind + 1);
    }
  }

  void say_rewrites(const mesh::GatewayRoute& from) {
    HopStory& story = out_.ingress;
    const Route& route = *visit_.route;
    if (route.path_rewrite) {
      story.target_reason = "the whole path is replaced, the query kept";
    } else if (route.prefix_rewrite && *route.prefix_rewrite == route.path.text) {
      story.target_reason = from.rewrite.default_prefix && !from.rewrite.prefix_value
                                ? "the default makes the prefix /, which it is already"
                                : "the prefix is kept";
    } else if (route.prefix_rewrite) {
      story.target_reason =
          fmt::format("prefix {} becomes {}{}", route.path.text, *route.prefix_rewrite,
                      from.rewrite.prefix_value ? "" : ", the default");
    } else if (route.path.kind != proxy::PathMatch::Kind::Prefix) {
      story.target_reason = "exact and regex paths have no default rewrite (AM-REW-06)";
    } else {
      story.target_reason = "no path was matched, so none is rewritten";
    }
    if (route.host_rewrite) {
      story.authority_reason = "the virtual service's name, the default";
    } else {
      story.authority_reason = fmt::format(
          "kept, and x-app-mesh-virtual-service: {} is added (AM-REW-10)", from.virtual_service);
    }
  }

  void say_first_timeout() {
    const std::optional<world::Duration>& timeout = visit_.route->timeout;
    std::string& words = out_.ingress.timeout;
    if (!timeout) {
      words = "15s, the proxy's own: the virtual service has no routes (AM-TMO-03)";
    } else if (*timeout == world::Duration::zero()) {
      words = "none: a route of the virtual service has none (AM-TMO-02)";
    } else {
      words = fmt::format("{}, the largest of the virtual service's routes (AM-TMO-02)",
                          duration_text(*timeout));
    }
    say_idle(words);
  }

  void say_idle(std::string& words) const {
    if (!visit_.route->idle_timeout) return;
    const world::Duration idle = *visit_.route->idle_timeout;
    words +=
        idle == world::Duration::zero() ? "; no idle timeout" : "; idle " + duration_text(idle);
  }

  // --- Second hop ---

  void second_hop(const proxy::HopPlan& plan, std::string_view bytes) {
    HopStory& story = out_.egress.emplace();
    story.name = plan.name;
    story.port = plan.port;
    visit_ = {};
    if (!arrive(bytes, story, visit_)) return;
    visit_.host = proxy::find_host(plan.routes, visit_.authority);
    if (visit_.host != nullptr) visit_.route = proxy::find_route(*visit_.host, visit_.view());
    const bool by_header = visit_.host != nullptr && visit_.host->domains.front() == "*";
    if (visit_.host != nullptr) story.virtual_host = visit_.host->name;
    if (by_header) {
      story.virtual_reason = "the header x-app-mesh-virtual-service says which (CD-06)";
    } else if (visit_.host != nullptr && visit_.host->name != out_.service) {
      story.virtual_reason = fmt::format(
          "the host that was kept is the name of another virtual service, {}", visit_.host->name);
      out_.service = visit_.host->name;
    } else {
      story.virtual_reason = "the host is its name";
    }
    const mesh::VirtualService* service = mesh_.service(out_.service);
    say_service(service);
    if (visit_.host != nullptr) add_service_routes(story, service);
    if (refuse_upgrade(plan, story)) return;
    if (visit_.route == nullptr) {
      refuse_unmatched(story, unmatched_words(service, story));
      return;
    }
    say_win(story);
    send_on(story, visit_);
    say_targets(plan, story);
    say_policies(story, service);
  }

  void say_service(const mesh::VirtualService* service) {
    if (service == nullptr) return;
    out_.service_place = service->origin.place;
    out_.service_defined = !made_up(*service);
    if (!service->provider) return;
    out_.egress->routed = service->provider->kind == mesh::Provider::Kind::Router;
    out_.provider = fmt::format("{} {}", out_.egress->routed ? "virtualRouter" : "virtualNode",
                                service->provider->name);
  }

  /// What a scenario puts behind a name stands where the name stands.
  bool made_up(const mesh::VirtualService& service) const {
    for (const mesh::GatewayRoute& route : mesh_.gateway_routes) {
      if (route.virtual_service == service.name && !route.target_origin.pointer.empty() &&
          route.target_origin.pointer == service.origin.pointer &&
          route.target_origin.place == service.origin.place) {
        return true;
      }
    }
    return false;
  }

  void add_service_routes(HopStory& story, const mesh::VirtualService* service) {
    for (const Route& entry : visit_.host->routes) {
      // Of the virtual host that all kept hosts share, only the routes of this service tell.
      if (asks_for_other_service(entry)) continue;
      const Route* matching = proxy::matches(entry, visit_.view()) ? &entry : nullptr;
      const mesh::Route* route = route_of(service, entry);
      mesh::Origin origin;
      std::optional<int> priority;
      if (route != nullptr) {
        origin = route->origin;
        priority = route->priority;
      } else if (service != nullptr && service->provider) {
        if (const mesh::VirtualNode* node = mesh_.node(service->provider->name)) {
          origin = node->origin;
        }
      }
      story.routes.push_back(story_of(entry.resource, origin, match_words(entry), priority));
      judge(story.routes.back(), entry, matching);
    }
    if (service == nullptr || !service->provider) return;
    if (service->provider->kind != mesh::Provider::Kind::Router) return;
    for (const mesh::Route* route : mesh_.routes_of_router(service->provider->name)) {
      if (route->kind != mesh::RouteKind::Tcp) continue;
      RouteStory& left = story.routes.emplace_back(
          story_of(resource_of(*route), route->origin, "tcp", route->priority));
      left.fate = RouteFate::NotExpanded;
      left.reason = "is a tcp route, and a gateway speaks no tcp (AM-SHP-N3)";
      left.failed.push_back(left.reason);
    }
  }

  bool asks_for_other_service(const Route& entry) const {
    const bool by_header = visit_.host->domains.front() == "*";
    return by_header && std::any_of(entry.headers.begin(), entry.headers.end(),
                                    [this](const proxy::HeaderMatch& header) {
                                      return header.known == HeaderName::MeshVirtualService &&
                                             header.test.text != out_.service;
                                    });
  }

  static std::string resource_of(const mesh::Route& route) {
    return fmt::format("route {} of virtualRouter {}", route.name, route.router);
  }

  const mesh::Route* route_of(const mesh::VirtualService* service, const Route& entry) const {
    if (service == nullptr || !service->provider) return nullptr;
    if (service->provider->kind != mesh::Provider::Kind::Router) return nullptr;
    for (const mesh::Route* route : mesh_.routes_of_router(service->provider->name)) {
      if (resource_of(*route) == entry.resource) return route;
    }
    return nullptr;
  }

  std::string unmatched_words(const mesh::VirtualService* service, const HopStory& story) const {
    std::string words = "no route of its router matches";
    if (visit_.host == nullptr || service == nullptr) {
      words = "no virtual service has this host as its name";
    } else if (!service->provider) {
      words = "the virtual service has no provider";
    } else if (story.routes.empty()) {
      words = fmt::format("{} has no routes", out_.provider);
    }
    return words + ": the second hop answers itself (AM-GWR-15)";
  }

  void say_targets(const proxy::HopPlan& plan, HopStory& story) const {
    const Route& route = *visit_.route;
    std::uint32_t total = 0;
    for (const proxy::WeightedCluster& weighted : route.clusters) total += weighted.weight;
    for (const proxy::WeightedCluster& weighted : route.clusters) {
      const proxy::Cluster& cluster = plan.clusters[weighted.cluster];
      TargetStory& target = story.targets.emplace_back();
      target.weight = weighted.weight;
      target.total = total;
      target.node = cluster.node;
      target.cluster = cluster.name;
      target.endpoints = endpoint_words(cluster);
      target.made_up = !out_.service_defined;
      if (const mesh::VirtualNode* node = mesh_.node(cluster.node)) {
        target.place = node->origin.place;
      }
    }
    if (route.clusters.empty()) {
      story.refusal = {503, "NC", "cluster_not_found", "all weights of the route are 0"};
    }
  }

  void say_policies(HopStory& story, const mesh::VirtualService* service) {
    const Route& route = *visit_.route;
    const mesh::Route* written = route_of(service, route);
    if (written == nullptr) {
      story.timeout = "15s: with a virtual node as provider there is no other (AM-TMO-07)";
    } else if (!written->timeouts.per_request) {
      story.timeout = fmt::format("{}, the default (AM-TMO-01)", duration_text(*route.timeout));
    } else if (*route.timeout == world::Duration::zero()) {
      story.timeout = "none, as the route says";
    } else {
      story.timeout = fmt::format("{}, as the route says", duration_text(*route.timeout));
    }
    say_idle(story.timeout);
    story.retry = route.retry ? retry_words(*route.retry) : "none";
  }

  const mesh::Mesh& mesh_;
  const mesh::VirtualGateway& gateway_;
  const proxy::GatewayPlan& plan_;
  Explanation out_;
  Visit visit_;
};

}  // namespace

world::Result<const mesh::VirtualGateway*> choose_gateway(const mesh::Mesh& mesh,
                                                          std::string_view wanted,
                                                          std::string_view host) {
  if (!wanted.empty()) {
    if (const mesh::VirtualGateway* found = mesh.gateway(wanted)) return found;
    return world::Error{
        {}, fmt::format("there is no virtual gateway {} in mesh {}", wanted, mesh.name)};
  }
  if (const mesh::VirtualGateway* named = mesh.gateway(host)) return named;
  if (mesh.gateways.size() == 1) return &mesh.gateways.front();
  if (mesh.gateways.empty()) {
    return world::Error{{}, fmt::format("there is no virtual gateway in mesh {}", mesh.name)};
  }
  std::vector<std::string_view> names;
  for (const mesh::VirtualGateway& gateway : mesh.gateways) names.push_back(gateway.name);
  return world::Error{
      {}, fmt::format("a virtual gateway must be chosen, there are {}", fmt::join(names, ", "))};
}

namespace {

/// Bytes that would end the line which they stand in.
bool has_line_end(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

/// Of a URL that parse_url() took.
std::string_view authority_of(std::string_view url) {
  const std::size_t begin = url.find("://") + 3;
  return url.substr(begin, std::min(url.find_first_of("/?#", begin), url.size()) - begin);
}

world::Result<peers::RequestSpec> spec_of(const ExplainRequest& request) {
  if (request.method.empty() || has_line_end(request.method) || has_line_end(request.url)) {
    return world::Error{{}, "request must be a method and a URL on one line"};
  }
  auto spec = peers::parse_url(request.method, request.url);
  if (!spec) return spec;
  for (const auto& [name, value] : request.headers) {
    if (name.empty() || has_line_end(name) || has_line_end(value)) {
      return world::Error{{}, "header must be a name and a value on one line, is " + name};
    }
    spec->headers.push_back({name, value});
  }
  // As written: a port belongs to what virtual hosts are chosen by.
  if (peers::find_header(spec->headers, "host") == nullptr) {
    const std::string authority(authority_of(request.url));
    spec->headers.insert(spec->headers.begin(), {"host", authority});
  }
  return spec;
}

}  // namespace

std::string_view text(RouteFate fate) {
  switch (fate) {
    case RouteFate::Wins:
      return "wins";
    case RouteFate::Loses:
      return "loses";
    case RouteFate::Fails:
      return "fails";
    case RouteFate::NotReached:
      return "not-reached";
    case RouteFate::OtherHost:
      return "other-host";
    case RouteFate::OtherPort:
      return "other-port";
    case RouteFate::NotExpanded:
      return "not-expanded";
  }
  return {};
}

const RouteStory* HopStory::winner() const {
  for (const RouteStory& route : routes) {
    if (route.fate == RouteFate::Wins) return &route;
  }
  return nullptr;
}

world::Result<ExplainRequest> parse_explain_request(std::string_view written) {
  ExplainRequest request;
  const std::size_t space = written.find(' ');
  if (space != std::string_view::npos) {
    request.method = written.substr(0, space);
    written.remove_prefix(std::min(written.find_first_not_of(' ', space), written.size()));
  }
  request.url = written;
  if (auto spec = spec_of(request); !spec) return spec.error();
  return request;
}

world::Result<Explanation> explain(const mesh::Mesh& mesh, std::string_view gateway,
                                   const ExplainRequest& request) {
  auto spec = spec_of(request);
  if (!spec) return spec.error();
  mesh::Mesh whole = mesh;
  complete_mesh(whole);
  const auto chosen = choose_gateway(whole, gateway, spec->host);
  if (!chosen) return chosen.error();
  const auto plan = proxy::compile(whole, (*chosen)->name);
  if (!plan) return plan.error();
  if ((*plan)->ingress.empty()) {
    return world::Error{{}, fmt::format("virtual gateway {} has no listener", (*chosen)->name)};
  }
  return Explainer(whole, **chosen, **plan)
      .explain(request, *spec, authority_of(request.url).find(':') != std::string_view::npos);
}

}  // namespace conformance
