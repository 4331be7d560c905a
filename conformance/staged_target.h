#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "conformance/live_setting.h"
#include "conformance/observer.h"
#include "conformance/target.h"

namespace conformance {

/// The gateways of a run that are not ours: started in the place of hosts, watched, and what they
/// tell given to the observer.
class StagedTarget {
 public:
  /// What it is made of; all outlives it.
  struct Parts {
    const Target& target;
    LiveSetting& setting;
    std::uint32_t time_scale = 1;
  };
  StagedTarget(const Parts& parts, Observer& observer);

  using Plan = std::shared_ptr<const proxy::GatewayPlan>;
  /// Starts one in that host's place. Whether it runs is known later.
  void start(world::World& host, const Plan& plan, StagedSecrets* secrets, bool wants_numbers);
  void stop(world::World& host) { running_.erase(host.id()); }

  using State = TargetGateway::State;
  /// Ended: none was started there.
  State state(const world::World& host) const;
  /// Null: none was started there.
  const GatewayNumbers* numbers(const world::World& host) const;
  /// What the scenario knows an end by of which numbers tell.
  std::uint32_t known_address(const world::Endpoint& real) const;

  /// What one of them has written, with the addresses that the scenario knows.
  std::string with_known_addresses(const world::World& host, const std::string& text) const;

  /// Whether all that were started run, or have ended.
  bool settled() const;
  /// Whether one has yet to take over what certificates and secrets have become.
  bool behind() const;
  /// Those that have ended by themselves, each with its last words.
  const std::vector<std::string>& ended() const { return ended_; }
  /// Why one could not even be started.
  const std::vector<world::Error>& errors() const { return errors_; }

 private:
  struct Running {
    world::World* host;
    std::unique_ptr<TargetGateway> gateway;
    State state = State::Starting;
    world::Endpoint second_hop{};                    // really
    std::deque<std::vector<GatewayReport>> reports;  // of the last looks, not told yet
  };

  void look();
  void look_later();
  void tell(const Running& one, const std::vector<GatewayReport>& reports);

  const Parts parts_;
  Observer& observer_;
  std::map<world::HostId, Running> running_;
  std::vector<std::string> ended_;
  std::vector<world::Error> errors_;
};

}  // namespace conformance
