#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "peers/health_verdict.h"
#include "world/time.h"
#include "world/transport.h"

namespace peers {

/// Source: NLB-60. `unavailable` cannot come about: checks cannot be switched off.
enum class TargetState : std::uint8_t {
  Initial,
  Healthy,
  Unhealthy,
  UnhealthyDraining,
  Draining,
  Unused
};
/// "initial", "unhealthy.draining".
std::string_view text(TargetState state);

/// One address that a balancer sends flows to.
struct BalancerTarget {
  std::string name{};  ///< For the trace: "edge-1".
  world::Endpoint endpoint{};
  std::string zone{};
};

/// A target as the balancer's API shows it, and what stands behind it.
struct TargetView {
  BalancerTarget target;
  TargetState state = TargetState::Initial;
  std::string_view reason{};  ///< "Elb.RegistrationInProgress"; empty for none.
};

/// A least number of healthy targets. Undercut if there are fewer by either rule (NLB-73).
struct TargetThreshold {
  std::optional<std::uint32_t> count{};
  std::optional<std::uint32_t> percentage{};
  bool undercut(std::size_t healthy, std::size_t registered) const;
};

/// Times between what the API says and what the nodes do, which nobody publishes: NLB-D2.
struct BalancerLags {
  world::Duration registration = std::chrono::seconds(120);    ///< Before the first check (NLB-61).
  world::Duration deregistration = std::chrono::seconds(120);  ///< NLB-63
  world::Duration unhealthy = std::chrono::seconds(30);        ///< NLB-6C
  world::Duration healthy{};
  world::Duration dns = std::chrono::seconds(30);  ///< NLB-76
};

struct TargetGroupOptions {
  std::vector<std::string> zones{};  ///< That are enabled. At least one.
  bool cross_zone = false;           ///< NLB-26
  HealthThresholds health{};
  std::size_t checkers = 1;  ///< Of each target (NLB-82).
  BalancerLags lags{};
  world::Duration deregistration_delay = std::chrono::seconds(300);  ///< NLB-65
  bool termination = false;             ///< Flows end with the deregistration delay (NLB-66).
  bool unhealthy_termination = true;    ///< NLB-68
  world::Duration draining_interval{};  ///< Of unhealthy.draining; 0: there is none (NLB-6A).
  /// Without termination and interval, flows end at `unhealthy` all the same (NLB-6B).
  bool end_without_interval = false;
  TargetThreshold routing{.count = 1};       ///< Below it a node uses all targets (NLB-73, NLB-74).
  TargetThreshold dns_failover{.count = 1};  ///< NLB-73
  bool initial_is_eligible = false;          ///< When all targets are used (NLB-78).
};

/// What has to be done after something happened in a target group.
struct GroupEffect {
  enum class Kind : std::uint8_t {
    StartChecks,
    StopChecks,
    EndFlows,    ///< Of a target that is unhealthy.
    Deregister,  ///< End the flows of a target whose deregistration delay is over.
    Changed      ///< Its state is another one.
  };
  Kind kind = Kind::Changed;
  world::Endpoint endpoint{};
};

/// The targets of a balancer: what each one's state is, and which ones a node may choose. A state
/// machine: checks, flows and timers are its owner's.
///
/// Source: nlb.md, sections 2, 4 and 6.
class TargetGroup {
 public:
  explicit TargetGroup(TargetGroupOptions options);

  /// `steady`: it is registered and healthy since long ago. Else it begins as a new one does, also
  /// if it was draining. Does nothing if it is registered already.
  void add(const BalancerTarget& target, bool steady, world::TimePoint now);
  /// Does nothing if it is not registered (NLB-6E).
  void deregister(const world::Endpoint& endpoint, world::TimePoint now);
  void record(const world::Endpoint& endpoint, std::size_t checker, bool passed,
              world::TimePoint now);
  /// The target is unhealthy, whatever the checks say.
  void fail(const world::Endpoint& endpoint, world::TimePoint now);

  /// When advance() has something to do; nothing: never.
  std::optional<world::TimePoint> next_due() const;
  void advance(world::TimePoint now);
  /// What has become due since the last call, in order.
  std::vector<GroupEffect> take_effects() { return std::exchange(effects_, {}); }

  struct Eligible {
    std::vector<const BalancerTarget*> targets;  ///< In order of their endpoints.
    bool failed_open = false;                    ///< They are all there are, healthy or not.
  };
  /// What a node of that zone may choose from now.
  Eligible eligible(std::string_view zone) const;
  /// The zones whose addresses the names should give: all, if none is healthy (NLB-71, NLB-72).
  std::vector<std::string> zones_in_dns() const;

  /// In order of their endpoints, those that are unused among them.
  std::vector<TargetView> targets() const;
  const TargetGroupOptions& options() const { return options_; }

 private:
  struct Entry {
    BalancerTarget target;
    TargetState state = TargetState::Initial;
    std::string_view reason{};
    HealthConsensus health;
    bool placed = false;        // the nodes know it
    bool seen_healthy = false;  // by the nodes
    bool flows_spared = false;  // they would have ended, had it not been all targets
    // When what comes later comes.
    std::optional<world::TimePoint> checks_begin{}, view_changes{}, delay_ends{}, leaves_nodes{},
        draining_ends{};
  };

  Entry* find(const world::Endpoint& endpoint);
  void set_state(Entry& entry, TargetState state, std::string_view reason);
  void effect(GroupEffect::Kind kind, const Entry& entry);
  void decided(Entry& entry, HealthVerdict verdict, world::TimePoint now);
  void became_unhealthy(Entry& entry, world::TimePoint now);
  void end_flows(Entry& entry);
  void end_spared_flows();
  bool in_scope(const Entry& entry, std::string_view zone) const;
  /// Whether the targets of that zone are so few that all are used, by what the checks say.
  bool fails_open(std::string_view zone) const;
  bool is_enabled(std::string_view zone) const;

  TargetGroupOptions options_;
  std::deque<Entry> entries_;  // in order of their endpoints
  std::vector<GroupEffect> effects_;
};

}  // namespace peers
