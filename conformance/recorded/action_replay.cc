#include "conformance/recorded/action_replay.h"

#include <cmath>
#include <map>
#include <stdexcept>
#include <string>

#include "conformance/recorded/action_script.h"

namespace conformance::recorded {
namespace {

using nlohmann::json;

/// To which grain a time was measured, by the result's member. Source: the vocabulary, part 3.
double grain_of(const std::string& member, const json& step) {
  static const std::map<std::string, double> kGrains = {{"gaps", 0.05},
                                                        {"recovered_after_s", 0.25}};
  if (step.contains("round_s")) return step["round_s"];
  const auto found = kGrains.find(member);
  return found == kGrains.end() ? 0.1 : found->second;
}

/// Takes the recorded time where it is one grain away at most.
void snap(const json& expected, json& actual, double grain) {
  if (actual.is_number_float() && expected.is_number()) {
    const double apart = std::abs(actual.get<double>() - expected.get<double>());
    if (apart < grain * 1.001) actual = expected;
  } else if (actual.is_array() && expected.is_array()) {
    for (std::size_t i = 0; i < std::min(actual.size(), expected.size()); ++i) {
      snap(expected[i], actual[i], grain);
    }
  } else if (actual.is_object() && expected.is_object()) {
    for (auto& [name, value] : actual.items()) {
      if (expected.contains(name)) snap(expected[name], value, grain);
    }
  }
}

/// Takes away the members that were not recorded.
void restrict_to(const json& expected, json& actual, bool deep) {
  if (!expected.is_object() || !actual.is_object()) return;
  for (auto member = actual.begin(); member != actual.end();) {
    const auto recorded = expected.find(member.key());
    if (recorded == expected.end()) {
      member = actual.erase(member);
    } else {
      if (deep) restrict_to(*recorded, *member, deep);
      ++member;
    }
  }
}

/// Puts a result where the step says, as far as something was recorded there.
void store(const json& step, const json& result, const json& observed, json& expected,
           json& actual) {
  const auto put = [&](const std::string& pointer, const std::string& member, json value) {
    const json::json_pointer at(pointer);
    if (!observed.contains(at)) return;
    const json& recorded = observed[at];
    snap(recorded, value, grain_of(member, step));
    // A list read is whole; of other results only some members may have been kept.
    if (!step.contains("read")) restrict_to(recorded, value, step.contains("request"));
    expected[pointer] = recorded;
    actual[pointer] = std::move(value);
  };
  if (!step.contains("at")) return;
  const json& at = step["at"];
  if (at.is_string()) {
    put(at.get<std::string>(), "", result);
    return;
  }
  for (const auto& [member, pointer] : at.items()) {
    const bool there = result.is_object() && result.contains(member);
    put(pointer.get<std::string>(), member, there ? result[member] : json());
  }
}

}  // namespace

ActionsReplayed replay_actions(const json& record, std::uint64_t seed, std::size_t first_host) try {
  ActionsReplayed replayed;
  const json& observed = record.at("observed");
  ActionScript script({.seed = seed, .first_host = first_host});
  const auto store_late = [&] {
    for (const auto& [step, result] : script.take_late_results()) {
      store(step, result, observed, replayed.expected, replayed.actual);
    }
  };
  for (const json& step : record.at("actions")) {
    const json result = script.run(step);
    // A request that is to be made later has no result yet.
    if (!step.contains("at_ms")) store(step, result, observed, replayed.expected, replayed.actual);
    store_late();
  }
  script.finish();
  store_late();
  replayed.hosts = script.hosts();
  return replayed;
} catch (const NotSupported& reason) {
  ActionsReplayed replayed;
  replayed.unsupported = reason.what();
  return replayed;
} catch (const std::logic_error&) {  // of std::stod and its like
  ActionsReplayed replayed;
  replayed.unsupported = "a number that is none";
  return replayed;
}

}  // namespace conformance::recorded
