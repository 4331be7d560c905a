#include "conformance/series.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace conformance {
namespace {

using Json = nlohmann::ordered_json;

std::int64_t nanoseconds(world::TimePoint at) {
  return at.time_since_epoch().count();
}

/// What the last check of an endpoint has shown.
std::string last_check(const proxy::CheckRecord& record) {
  if (record.last == proxy::CheckResult::NetworkFailure) return "no answer";
  return record.status == 0 ? "told by traffic" : fmt::format("answered {}", record.status);
}

std::string_view state_of(const proxy::HostState& host) {
  if (host.ejected) return "ejected";
  return host.failed_check ? "unhealthy" : "healthy";
}

std::string why(const proxy::HostState& host) {
  const proxy::CheckRecord& record = host.checks;
  if (host.ejected) return "its answers: outlier detection";
  if (host.excluded) return "its answer told that it fails";
  if (record.passed + record.failed == 0) {
    return host.failed_check ? "no check is over yet" : "no check speaks against it";
  }
  if (host.failed_check != (record.last != proxy::CheckResult::Success)) {
    return fmt::format("the last check: {}, too few to change it", last_check(record));
  }
  return fmt::format("{} {} in a row, the last: {}", record.in_a_row,
                     host.failed_check ? "failed" : "passed", last_check(record));
}

}  // namespace

void Series::number(const std::string& of, const char* what, std::uint64_t value) {
  Key key{of, what};
  auto found = numbers_.find(key);
  if (found == numbers_.end()) {
    if (numbers_.size() >= kMost) {
      left_out_[std::move(key)] = true;
      return;
    }
    found = numbers_.emplace(std::move(key), Number{}).first;
    found->second.points.add({now_, static_cast<std::int64_t>(value)});
    found->second.now = found->second.most = static_cast<std::int64_t>(value);
    return;
  }
  Number& number = found->second;
  const auto now = static_cast<std::int64_t>(value);
  if (number.now == now) return;
  if (*on_change_) (*on_change_)(of, {}, fmt::format("{} {} -> {}", what, number.now, now));
  number.most = std::max(number.most, now);
  number.now = now;
  if (number.points.back().first == now_) {
    number.points.back().second = now;
  } else {
    number.points.add({now_, now});
  }
}

template <class Why>
void Series::state(const std::string& of, const std::string& by, std::string_view state,
                   Why&& why) {
  Key key{of, by};
  auto found = states_.find(key);
  if (found == states_.end()) {
    if (states_.size() >= kMost) {
      left_out_[std::move(key)] = true;
      return;
    }
    found = states_.emplace(std::move(key), State{}).first;
  }
  State& known = found->second;
  if (known.now == state) return;
  const std::string reason = why();
  if (!known.bands.empty() && *on_change_) {
    (*on_change_)(of, by,
                  fmt::format("{} -> {}{}{}", known.now, state, by.empty() ? "" : " for " + by,
                              reason.empty() ? "" : ": " + reason));
  }
  known.now = state;
  if (!known.bands.empty() && known.bands.back().from == now_) {
    known.bands.back() = {now_, known.now, reason};
  } else {
    known.bands.add({now_, known.now, reason});
  }
}

void Series::look(world::TimePoint now, const OnChange& on_change) {
  now_ = now;
  on_change_ = &on_change;
  stage_.visit_gateways([this](const Stage::GatewayNow& gateway) {
    const std::string of = "gateway/" + gateway.name;
    state(of, "", gateway.proxy != nullptr ? "running" : "stopped", [] { return std::string(); });
    if (gateway.healthy) {
      state(of, gateway.name + "-checker", *gateway.healthy ? "healthy" : "unhealthy", [&gateway] {
        return fmt::format("{} checks, {} failed", gateway.checks, gateway.failed_checks);
      });
    }
    const proxy::GatewayCounts counts =
        gateway.proxy != nullptr ? gateway.proxy->counts() : proxy::GatewayCounts{};
    number(of, "activeConnections", counts.active_connections);
    number(of, "pendingRequests", counts.pending_requests);
    number(of, "activeRequests", counts.active_requests);
    number(of, "overflow", counts.overflow_total);
  });
  std::set<Key> known;
  for (const auto& [key, state] : states_) {
    if (key.first.rfind("endpoint/", 0) == 0) known.insert(key);
  }
  // An endpoint may be in several clusters of a gateway: what is worst of it is shown.
  std::map<Key, proxy::HostState> worst;
  stage_.visit_endpoints(
      [&](const std::string& gateway, const std::string& endpoint, const proxy::HostState& host) {
        Key key{"endpoint/" + endpoint, "gateway/" + gateway};
        const auto [at, added] = worst.try_emplace(std::move(key), host);
        if (!added && at->second.healthy() && !host.healthy()) at->second = host;
      });
  for (const auto& [key, host] : worst) {
    state(key.first, key.second, state_of(host), [&host = host] { return why(host); });
    known.erase(key);
  }
  for (const Key& key : known) {
    state(key.first, key.second, "unknown",
          [] { return std::string("discovery or the gateway lost it"); });
  }
  for (const auto& balancer : stage_.balancers()) {
    const std::string by = "nlb/" + balancer->name();
    for (const StagedBalancer::Instance& instance : balancer->instances()) {
      const StagedBalancer::Target target = balancer->target(instance.name);
      const std::string of = "target/" + instance.name;
      state(of, by, target.state, [&target] { return std::string(target.reason); });
      number(of, "flows", target.flows);
    }
    number(by, "activeFlows", static_cast<std::uint64_t>(*balancer->count("activeFlows")));
  }
}

std::vector<TimelineEntry> Series::state(const Selects& selects) const {
  std::vector<TimelineEntry> out;
  for (const auto& [key, state] : states_) {
    if (!selects(key.first, key.second)) continue;
    out.push_back({state.bands.back().from,
                   key.first,
                   state.now + (key.second.empty() ? "" : " for " + key.second),
                   {}});
  }
  for (const auto& [key, number] : numbers_) {
    if (!selects(key.first, {})) continue;
    out.push_back(
        {number.points.back().first, key.first, fmt::format("{} {}", key.second, number.now), {}});
  }
  return out;
}

Json Series::json(world::TimePoint end) const {
  if (numbers_.empty() && states_.empty()) return nullptr;
  Json numbers = Json::array();
  for (const auto& [key, number] : numbers_) {
    Json points = Json::array();
    number.points.each([&points](const auto& point) {
      points.push_back(Json::array({nanoseconds(point.first), point.second}));
    });
    numbers.push_back({{"of", key.first},
                       {"what", key.second},
                       {"most", number.most},
                       {"points", std::move(points)},
                       {"left_out", number.points.left_out()}});
  }
  Json states = Json::array();
  for (const auto& [key, state] : states_) {
    Json bands = Json::array();
    state.bands.each([&bands](const Band& band) {
      if (!bands.empty()) bands.back()["to_ns"] = nanoseconds(band.from);
      bands.push_back({{"from_ns", nanoseconds(band.from)},
                       {"to_ns", nullptr},
                       {"state", band.state},
                       {"why", band.why}});
    });
    bands.back()["to_ns"] = nanoseconds(end);
    states.push_back({{"of", key.first},
                      {"by", key.second},
                      {"bands", std::move(bands)},
                      {"left_out", state.bands.left_out()}});
  }
  return {{"numbers", std::move(numbers)},
          {"states", std::move(states)},
          {"left_out", left_out_.size()}};
}

}  // namespace conformance
