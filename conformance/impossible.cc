#include "conformance/impossible.h"

#include <algorithm>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "conformance/names.h"

namespace conformance {
namespace {

/// The most that a number can come to, and why it is no more.
struct Bound {
  std::int64_t most = 0;
  std::string why;
};

class Bounds {
 public:
  explicit Bounds(const Scenario& scenario) : scenario_(scenario) {}

  /// Nothing: no bound is known.
  std::optional<Bound> of(const Observable& what) const {
    if (what.kind == EntityKind::Gateway) return of_gateway(what);
    if (what.kind == EntityKind::Service || what.kind == EntityKind::Endpoint) {
      return of_endpoint(what);
    }
    return std::nullopt;
  }

 private:
  std::optional<Bound> of_gateway(const Observable& what) const {
    for (const GatewaySetup& setup : scenario_.world.gateways) {
      const bool all = setup.name == what.name;
      if (!all && !is_numbered(what.name, setup.name, setup.instances)) continue;
      const bool health = what.field == "healthy" || what.field == "unhealthy" ||
                          what.field == "checks" || what.field == "failedChecks";
      if (health && !setup.watched) {
        return Bound{0, fmt::format("nobody checks {}: it has no healthChecker", setup.name)};
      }
      if (what.field != "running" && what.field != "healthy" && what.field != "unhealthy") break;
      const std::uint32_t instances = all ? setup.instances : 1;
      return Bound{instances, fmt::format("{} is {} instance{}", what.name, instances,
                                          instances == 1 ? "" : "s")};
    }
    return std::nullopt;
  }

  std::optional<Bound> of_endpoint(const Observable& what) const {
    const mesh::VirtualNode* const node = node_of(what.name);
    if (node == nullptr) return std::nullopt;
    const auto any = [node](auto member) {
      return std::any_of(
          node->listeners.begin(), node->listeners.end(),
          [member](const mesh::Listener& listener) { return (listener.*member).has_value(); });
    };
    const bool checked = any(&mesh::Listener::health_check);
    const bool judged = any(&mesh::Listener::outlier_detection);
    if (what.field == "unhealthy" && !checked && !judged) {
      return Bound{0, fmt::format("virtual node {} has neither healthCheck nor outlierDetection",
                                  node->name)};
    }
    if (what.field == "checks" && !checked) {
      return Bound{0, fmt::format("virtual node {} has no healthCheck", node->name)};
    }
    if (what.field == "ejected" && !judged) {
      return Bound{0, fmt::format("virtual node {} has no outlierDetection", node->name)};
    }
    return std::nullopt;
  }

  /// The node of that name, or that of an endpoint; null for a virtual service.
  const mesh::VirtualNode* node_of(const std::string& name) const {
    if (const mesh::VirtualNode* const node = scenario_.mesh.node(name)) return node;
    for (const ServiceSetup& setup : scenario_.world.services) {
      if (is_numbered(name, setup.node, setup.endpoints)) return scenario_.mesh.node(setup.node);
    }
    return nullptr;
  }

  static bool is_numbered(const std::string& name, const std::string& of, std::uint32_t count) {
    if (name.size() <= of.size() || name.compare(0, of.size(), of) != 0) return false;
    for (std::uint32_t i = 1; i <= count; ++i) {
      if (name == numbered(of, i)) return true;
    }
    return false;
  }

  const Scenario& scenario_;
};

}  // namespace

void refuse_impossible(const Scenario& scenario, document::Problems& problems) {
  const Bounds bounds(scenario);
  for (const Step& step : scenario.steps) {
    const auto refuse = [&](std::string_view key, const std::string& why,
                            const world::Place& place) {
      problems.add(fmt::format("/steps/{}/{}", step.index, key), "can never come: " + why, place);
    };
    if (step.until) {
      for (const CountExpectation& count : step.until->counts) {
        const NumberExpectation& wanted = count.number;
        const auto bound = bounds.of(count.what);
        if (wanted.inverted || !wanted.min || !bound || *wanted.min <= bound->most) continue;
        refuse("until", bound->why, wanted.place);
        break;  // a health is two numbers, and one reason is enough
      }
    }
    if (!step.expect) continue;
    for (const TurnExpectation& turn : step.expect->turns) {
      // What nobody checks is healthy, and stays so.
      const auto bound = bounds.of({turn.kind, turn.name, "unhealthy"});
      if (bound && bound->most == 0) refuse("expect", bound->why, turn.place);
    }
  }
}

}  // namespace conformance
