#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/balancer_setup.h"
#include "conformance/setting.h"
#include "peers/balancer.h"

namespace conformance {

/// A balancer of a run: its nodes on their hosts, its names, and what can be counted of it.
class StagedBalancer final : private peers::BalancerEvents {
 public:
  /// An instance that may be one of its targets.
  struct Instance {
    std::string name;
    world::Endpoint endpoint{};
    std::string zone{};
  };

  /// `instances`: in order of their numbers.
  StagedBalancer(const BalancerSetup& setup, Setting& setting, std::vector<Instance> instances);
  ~StagedBalancer() override;

  const std::string& name() const { return setup_.name; }
  /// Why it did not start; empty: it did.
  const std::string& failure() const { return failure_; }
  /// Those that may be its targets.
  const std::vector<Instance>& instances() const { return instances_; }
  /// The host of its node of that name, or of all of them for the balancer's own; null: none.
  std::vector<world::World*> hosts(std::string_view name) const;

  void apply(const RegistrationAction& action);

  /// Nothing: there is no such field.
  std::optional<std::int64_t> count(std::string_view field) const;
  struct Target {
    std::string_view state, reason;
    std::uint64_t flows = 0, checks = 0;
  };
  /// `instance` may never have been registered: then it is unused.
  Target target(std::string_view instance) const;
  /// The zones whose addresses its name gives.
  std::vector<std::string> zones() const;

 private:
  struct Node {
    std::string zone;
    world::World* host;
  };

  void on_addresses(const std::vector<std::size_t>& nodes) override;
  const Instance* find(std::string_view instance) const;

  const BalancerSetup& setup_;
  Setting& setting_;
  std::vector<Instance> instances_;
  std::vector<Node> nodes_;
  std::unique_ptr<peers::Balancer> balancer_;
  std::string failure_;
};

}  // namespace conformance
