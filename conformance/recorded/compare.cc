#include "conformance/recorded/compare.h"

#include <map>
#include <utility>

#include <fmt/format.h>

namespace conformance::recorded {
namespace {

using nlohmann::json;

void cut(json& list, const json& to) {
  while (list.is_array() && to.is_array() && list.size() > to.size()) list.erase(list.size() - 1);
}

/// Everything but the ends of connections, in order, and what each connection saw, in order.
struct Arrivals {
  std::vector<json> messages;
  std::map<std::pair<std::string, std::int64_t>, std::vector<json>> by_connection;
  bool operator==(const Arrivals&) const = default;
};

Arrivals arrivals_of(const json& upstream) {
  Arrivals arrivals;
  for (const json& entry : upstream) {
    if (!entry.contains("event")) arrivals.messages.push_back(entry);
    // The name may be one that varies, and then is null.
    const std::pair key{entry.value("upstream", json()).dump(), entry.value("conn", 0)};
    arrivals.by_connection[key].push_back(entry);
  }
  return arrivals;
}

}  // namespace

void make_comparable(const json& record, json& expected, json& actual) {
  cut(actual["upstream"], expected["upstream"]);
  for (auto& [hop, log] : expected["access_log"].items()) {
    if (!actual["access_log"].contains(hop)) continue;
    for (const char* form : {"default", "json"}) {
      cut(actual["access_log"][hop][form], log[form]);
    }
  }
  for (const json& varying : record.value("varies", json::array())) {
    const json::json_pointer at(varying.get<std::string>());
    if (expected.contains(at)) expected[at] = nullptr;
    if (actual.contains(at)) actual[at] = nullptr;
  }
}

bool agree(const json& expected, const json& actual) {
  if (expected == actual) return true;
  json rest_expected = expected;
  json rest_actual = actual;
  rest_expected.erase("upstream");
  rest_actual.erase("upstream");
  return rest_expected == rest_actual &&
         arrivals_of(expected["upstream"]) == arrivals_of(actual["upstream"]);
}

std::vector<std::string> differences(const json& expected, const json& actual) {
  std::vector<std::string> lines;
  const json flat_expected = expected.flatten();
  const json flat_actual = actual.flatten();
  for (const auto& [pointer, value] : flat_expected.items()) {
    const bool there = flat_actual.contains(pointer);
    if (there && flat_actual[pointer] == value) continue;
    lines.push_back(fmt::format("{}\n  recorded:  {}\n  simulated: {}", pointer, value.dump(),
                                there ? flat_actual[pointer].dump() : "(nothing)"));
  }
  for (const auto& [pointer, value] : flat_actual.items()) {
    if (flat_expected.contains(pointer)) continue;
    lines.push_back(
        fmt::format("{}\n  recorded:  (nothing)\n  simulated: {}", pointer, value.dump()));
  }
  return lines;
}

}  // namespace conformance::recorded
