#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "tests/property/pool_model.h"
#include "tests/property/pool_script.h"
#include "tests/property/pool_world.h"
#include "tests/property/shrink.h"

namespace property {
namespace {

constexpr std::uint64_t kScripts = 10'000;
/// The tests that share the scripts, so that they can run beside each other.
constexpr std::uint64_t kShares = 4;
/// After so many rounds of answers nobody waits any more.
constexpr int kMostRounds = 200;

/// The host that the gateway's round robin begins with is drawn at random: seen once for each
/// number of hosts.
std::vector<std::uint32_t> first_turns() {
  std::vector<std::uint32_t> turns;
  for (std::uint32_t hosts = 1; hosts <= 3; ++hosts) {
    PoolSetting setting;
    setting.hosts = hosts;
    PoolWorld world(setting);
    world.step({PoolStep::Kind::Send, 1});
    turns.push_back(world.reached().front());
  }
  return turns;
}

std::string sorted(std::vector<std::string> lines) {
  std::sort(lines.begin(), lines.end());
  return fmt::format("{}\n", fmt::join(lines, "\n"));
}

/// Runs the script on both sides, then has everything answered. Empty, or the first difference.
std::string difference(const PoolScript& script, const std::vector<std::uint32_t>& first_turn) {
  PoolWorld world(script.setting);
  PoolModel model(script.setting, first_turn[script.setting.hosts - 1]);
  const auto compare = [&](const PoolStep& step) -> std::string {
    world.step(step);
    model.step(step);
    // What is seen on different sockets at one time has no order.
    const std::string seen = sorted(world.take_events()) + world.counts();
    const std::string expected = sorted(model.take_events()) + model.counts();
    if (seen == expected) return {};
    return fmt::format("{}\n--- the gateway:\n{}\n--- the written rules:\n{}\n", step.text(), seen,
                       expected);
  };
  for (std::size_t i = 0; i < script.steps.size(); ++i) {
    const std::string difference = compare(script.steps[i]);
    if (!difference.empty()) return fmt::format("step {}: {}", i + 1, difference);
  }
  for (std::uint32_t host = 0; host < script.setting.hosts; ++host) {
    const std::string difference = compare({PoolStep::Kind::Welcome, host});
    if (!difference.empty()) return "at the end: " + difference;
  }
  for (int round = 0; !model.quiet(); ++round) {
    if (round == kMostRounds) return "somebody waits for ever";
    const auto active = model.active_requests();
    const PoolStep step = active.empty() ? PoolStep{PoolStep::Kind::Wait, 5}
                                         : PoolStep{PoolStep::Kind::Answer, active.front()};
    const std::string difference = compare(step);
    if (!difference.empty()) return "at the end: " + difference;
  }
  const auto miscounted = world.miscounted();
  if (!miscounted.empty()) return sorted(miscounted);
  const std::string seen = sorted(world.log());
  const std::string expected = sorted(model.log());
  if (seen == expected) return {};
  return fmt::format("--- the gateway's log:\n{}--- by the written rules:\n{}", seen, expected);
}

class PoolProperty : public testing::TestWithParam<std::uint64_t> {};

TEST_P(PoolProperty, TheGatewayDoesWhatIsWritten) {
  const auto first_turn = first_turns();
  for (std::uint64_t seed = GetParam(); seed < kScripts; seed += kShares) {
    PoolScript script = make_pool_script(seed, first_turn);
    if (difference(script, first_turn).empty()) continue;
    script.steps = shrink<PoolStep>(script.steps, [&](const std::vector<PoolStep>& steps) {
      return !difference({script.setting, steps}, first_turn).empty();
    });
    FAIL() << "seed " << seed << ": " << script.text() << difference(script, first_turn);
  }
}

INSTANTIATE_TEST_SUITE_P(Shares, PoolProperty, testing::Range<std::uint64_t>(0, kShares));

}  // namespace
}  // namespace property
