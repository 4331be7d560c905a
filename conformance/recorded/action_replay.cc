#include "conformance/recorded/action_replay.h"

#include <cmath>
#include <map>
#include <set>
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

/// What a refusal to start comes down to, whatever its words; the words themselves if unknown.
json sense_of(const json& message) {
  static const std::vector<std::pair<const char*, const char*>> kSenses = {
      {"KEY_VALUES_MISMATCH", "the key is another's"},
      {"is not the certificate's", "the key is another's"},
      {"only RSA certificates with 2048-bit", "the key is too short"},
      {"bits, at least", "the key is too short"},
      {"Failed to load certificate chain", "the certificate is not taken"},
      {"does not allow digital signatures", "the certificate is not taken"}};
  const std::string text = message.dump();
  for (const auto& [words, sense] : kSenses) {
    if (text.find(words) != std::string::npos) return sense;
  }
  return message;
}

/// Every pointer that some step has.
std::set<std::string> pointers_of(const json& actions) {
  std::set<std::string> all;
  for (const json& step : actions) {
    if (!step.contains("at")) continue;
    if (step["at"].is_string()) all.insert(step["at"].get<std::string>());
    if (!step["at"].is_object()) continue;
    for (const auto& [member, pointer] : step["at"].items()) all.insert(pointer.get<std::string>());
  }
  return all;
}

/// Puts a result where the step says, as far as something was recorded there. What other steps put
/// into it (`pointers`) is theirs.
void store(const json& step, const json& result, const json& observed,
           const std::set<std::string>& pointers, json& expected, json& actual) {
  const auto put = [&](const std::string& pointer, const std::string& member, json value) {
    const json::json_pointer at(pointer);
    if (!observed.contains(at)) return;
    json recorded = observed[at];
    if (recorded.is_object()) {
      for (auto each = recorded.begin(); each != recorded.end();) {
        each = pointers.count(pointer + "/" + each.key()) > 0 ? recorded.erase(each) : ++each;
      }
    }
    // Of a listener without its secret that is all that was kept.
    if (recorded == "closed without bytes" && value.is_object() && !value.value("any", true) &&
        value.value("close", "still-open") != "still-open") {
      value = recorded;
    }
    if (member == "message") {
      recorded = sense_of(recorded);
      value = sense_of(value);
    }
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
  const std::set<std::string> pointers = pointers_of(record.at("actions"));
  ActionScript script({.seed = seed, .first_host = first_host});
  const auto store_late = [&] {
    for (const auto& [step, result] : script.take_late_results()) {
      store(step, result, observed, pointers, replayed.expected, replayed.actual);
    }
  };

  for (const json& step : record.at("actions")) {
    const json result = script.run(step);
    // A request that is to be made later has no result yet.
    if (!step.contains("at_ms")) {
      store(step, result, observed, pointers, replayed.expected, replayed.actual);
    }
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
