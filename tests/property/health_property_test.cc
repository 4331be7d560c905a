#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "tests/property/health_model.h"
#include "tests/property/health_script.h"
#include "tests/property/health_world.h"
#include "tests/property/shrink.h"

namespace property {
namespace {

constexpr std::uint64_t kScripts = 10'000;
/// The tests that share the scripts, so that they can run beside each other.
constexpr std::uint64_t kShares = 4;

/// Where each request went, and whether those of one time took the endpoints by turns.
std::string wrong_pick(const HealthStory& story, const std::vector<std::string>& picks) {
  for (std::size_t i = 0; i < picks.size(); ++i) {
    const HealthStory::Pick& expected = story.picks[i];
    std::vector<std::string> allowed;
    for (const std::uint32_t host : expected.hosts) allowed.push_back(fmt::format("h{}", host));
    if (allowed.empty()) allowed.emplace_back("no healthy upstream");
    if (std::find(allowed.begin(), allowed.end(), picks[i]) == allowed.end()) {
      return fmt::format("the request at {}us went to \"{}\", not to one of: {}\n", expected.at,
                         picks[i], fmt::join(allowed, ", "));
    }
    for (std::size_t before = 1; before < allowed.size() && before <= i; ++before) {
      if (story.picks[i - before].picture != expected.picture) break;
      if (picks[i - before] == picks[i]) {
        return fmt::format("the request at {}us went to {} out of turn\n", expected.at, picks[i]);
      }
    }
  }
  return {};
}

/// Runs the script on both sides. Empty, or the first difference.
std::string difference(const HealthScript& script) {
  const HealthStory story = tell_health(script);
  HealthWorld world(script);
  const auto compare = [&](const HealthStory::Moment& moment, std::int64_t at,
                           bool before) -> std::string {
    world.run_until(at, before);
    if (world.seen() == moment.seen) return {};
    return fmt::format("{} {}us\n  the gateway:       {}\n  the written rules: {}\n",
                       before ? "just before" : "at", at, world.seen().text(), moment.seen.text());
  };
  for (std::size_t i = 0; i < story.moments.size(); ++i) {
    const HealthStory::Moment& moment = story.moments[i];
    std::string difference;
    if (i > 0) difference = compare(story.moments[i - 1], moment.at, true);
    if (difference.empty()) difference = compare(moment, moment.at, false);
    if (!difference.empty()) return difference;
  }
  // The last probes are still to be seen by their endpoints.
  world.run_until(script.length + 2 * latency_of(kMostHosts), false);
  const auto probes = world.probes(script.length);
  if (probes != story.probes) {
    return fmt::format("--- the gateway's probes:\n{}\n--- by the written rules:\n{}\n",
                       fmt::join(probes, "\n"), fmt::join(story.probes, "\n"));
  }
  return wrong_pick(story, world.picks());
}

class HealthProperty : public testing::TestWithParam<std::uint64_t> {};

TEST_P(HealthProperty, TheGatewayDoesWhatIsWritten) {
  for (std::uint64_t seed = GetParam(); seed < kScripts; seed += kShares) {
    HealthScript script = make_health_script(seed);
    if (difference(script).empty()) continue;
    const auto fails = [&script](const std::vector<HealthScript::Item>& items) {
      const HealthScript fewer{script.setting, items, script.length};
      return !tell_health(fewer).ambiguous && !difference(fewer).empty();
    };
    script.items = shrink<HealthScript::Item>(script.items, fails);
    FAIL() << "seed " << seed << ": " << script.text() << difference(script);
  }
}

INSTANTIATE_TEST_SUITE_P(Shares, HealthProperty, testing::Range<std::uint64_t>(0, kShares));

}  // namespace
}  // namespace property
