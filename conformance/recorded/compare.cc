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

/// Takes a member out; an element of a list stays as null, so that those after it keep their place.
void leave_out(json& observed, const json::json_pointer& at) {
  if (!observed.contains(at)) return;
  json& parent = observed[at.parent_pointer()];
  if (parent.is_object()) {
    parent.erase(at.back());
  } else {
    observed[at] = nullptr;
  }
}

/// The frame of an entry of a list: the entry itself for the client.
json& frame_of(json& entry) {
  return entry.contains("frame") ? entry["frame"] : entry;
}

/// Joins the DATA frames of each stream, as long as nothing else of that stream lies between them.
json join_data(const json& list) {
  if (!list.is_array()) return list;
  json joined = json::array();
  std::map<std::string, std::size_t> open;  // the DATA frame that a stream's next one is joined to
  for (json entry : list) {
    const json frame = frame_of(entry);
    const json type = frame.is_object() ? frame.value("type", json()) : json();
    if (!type.is_string()) {
      joined.push_back(std::move(entry));
      continue;
    }
    const std::string stream = json{entry.value("upstream", json()), entry.value("conn", json()),
                                    frame.value("stream", json())}
                                   .dump();
    const bool data = type == "DATA" && frame.value("data", json()).is_string() &&
                      frame.value("end_stream", json()).is_boolean();
    const auto before = open.find(stream);
    if (data && before != open.end() && !frame["data"].get_ref<const std::string&>().empty()) {
      json& first = frame_of(joined[before->second]);
      first["data"].get_ref<std::string&>() += frame["data"].get_ref<const std::string&>();
      first["end_stream"] = frame["end_stream"];
      if (frame["end_stream"]) open.erase(before);
      continue;
    }
    if (before != open.end()) open.erase(before);
    if (data && !frame["data"].get_ref<const std::string&>().empty() && !frame["end_stream"]) {
      open[stream] = joined.size();
    }
    joined.push_back(std::move(entry));
  }
  return joined;
}

void join_all_data(json& observed) {
  if (observed.contains("upstream")) observed["upstream"] = join_data(observed["upstream"]);
  const json::json_pointer frames("/client/frames");
  if (observed.contains(frames)) observed[frames] = join_data(observed[frames]);
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
    leave_out(expected, at);
    leave_out(actual, at);
  }
}

bool agree(const json& expected, const json& actual) {
  if (expected == actual) return true;
  json rest_expected = expected;
  json rest_actual = actual;
  join_all_data(rest_expected);
  join_all_data(rest_actual);
  const Arrivals arrivals_expected = arrivals_of(rest_expected["upstream"]);
  const Arrivals arrivals_actual = arrivals_of(rest_actual["upstream"]);
  rest_expected.erase("upstream");
  rest_actual.erase("upstream");
  return rest_expected == rest_actual && arrivals_expected == arrivals_actual;
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
