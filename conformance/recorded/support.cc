#include "conformance/recorded/support.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace conformance::recorded {
namespace {

using nlohmann::json;

// Of each step one of these says what it does.
constexpr std::array<std::string_view, 10> kHttp1Steps = {
    "send",  "send_repeat", "sleep_ms",       "shutdown_wr", "close",
    "reset", "recv",        "recv_until_len", "recv_text",   "recv_idle_ms"};
// Sending ones first, then waiting ones.
constexpr std::array<std::string_view, 14> kHttp2Steps = {
    "headers",  "headers_repeat", "data",      "rst",         "ping",
    "goaway",   "raw_hex",        "raw",       "sleep_ms",    "shutdown_wr",
    "recv_end", "recv_type",      "recv_data", "recv_idle_ms"};
// Of upstreams of either protocol: what belongs to the other one is ignored.
constexpr std::array<std::string_view, 7> kTunnelSteps = {
    "recv", "send", "sleep_ms", "shutdown_wr", "close", "reset", "end"};
constexpr std::array<std::string_view, 8> kThen = {
    "keep", "close", "shutdown_wr", "reset", "reset_now", "hang", "close_before", "reset_before"};
// Settings of the measured process that change something.
constexpr std::array<std::string_view, 5> kSettings = {"websocket", "allow_connect",
                                                       "ingress_timeout", "ingress", "egress"};

template <std::size_t N>
bool among(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

template <std::size_t N>
bool has_one_of(const std::array<std::string_view, N>& names, const json& object) {
  return std::any_of(names.begin(), names.end(),
                     [&](std::string_view name) { return object.contains(std::string(name)); });
}

std::string of_action(const json& action) {
  for (const json& step : action.value("tunnel", json::array())) {
    if (!has_one_of(kTunnelSteps, step)) return "the tunnel step " + step.dump();
  }
  if (const std::string then = action.value("then", "keep"); !among(kThen, then)) {
    return "then: " + then;
  }
  return {};
}

std::string of_script(const json& script) {
  if (const std::string proto = script.value("proto", "h1"); proto != "h1" && proto != "h2") {
    return "an upstream of protocol " + proto;
  }
  for (const json& action : script.value("script", json::array())) {
    if (auto reason = of_action(action); !reason.empty()) return reason;
  }
  return of_action(script.value("default", json::object()));
}

}  // namespace

std::string unsupported(const json& record) {
  const json& config = record.at("config");
  const std::string proto = record.at("stimulus").value("proto", "h1");
  if (proto != "h1" && proto != "h2") return "a client of protocol " + proto;
  const json scripts = record.value("upstream_script", json::object());
  for (const auto& [name, script] : scripts.items()) {
    if (auto reason = of_script(script); !reason.empty()) return reason;
  }
  const json settings = config.value("x-sim", json::object());
  for (const auto& [name, value] : settings.items()) {
    if (!among(kSettings, name)) return "the setting " + name;
  }
  for (const json& step : record["stimulus"].at("steps")) {
    const bool known =
        proto == "h2" ? has_one_of(kHttp2Steps, step) : has_one_of(kHttp1Steps, step);
    if (!known) return "the step " + step.dump();
  }
  return {};
}

}  // namespace conformance::recorded
