#include "conformance/recorded/pool_events.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include <fmt/format.h>

namespace conformance::recorded {

using nlohmann::json;

double tenths(world::Duration duration) {
  return std::round(std::chrono::duration<double>(duration).count() * 10) / 10;
}

std::size_t PoolEvents::host_number(std::size_t host) {
  return host_numbers_.try_emplace(host, host_numbers_.size()).first->second;
}

void PoolEvents::upstream(Kind kind, std::string what, std::size_t host, std::size_t connection,
                          std::string rest) {
  upstream_.push_back(
      {host_number(host), connection, kind, upstream_.size(), std::move(what), std::move(rest)});
}

void PoolEvents::response(const std::string& id, int status, json headers, std::string body,
                          world::Duration since_sent) {
  answered_[id] = true;
  json entry{{"id", id}, {"status", status}, {"headers", std::move(headers)}};
  entry["body"] = std::move(body);
  responses_.push_back({tenths(since_sent), id, std::move(entry)});
}

void PoolEvents::client(std::string event, world::Duration since_connect) {
  client_.push_back({std::move(event), tenths(since_connect)});
}

json PoolEvents::take(const std::string& step, bool timed, bool several) {
  json entry{{"step", step}};
  std::sort(upstream_.begin(), upstream_.end(), [](const Upstream& a, const Upstream& b) {
    return std::tie(a.host, a.connection, a.kind, a.order) <
           std::tie(b.host, b.connection, b.kind, b.order);
  });
  for (const Upstream& event : upstream_) {
    const std::string host =
        several ? fmt::format("host{}:", static_cast<char>('A' + event.host)) : "";
    std::string text = fmt::format("{} {}c{}", event.what, host, event.connection);
    if (!event.rest.empty()) text += " " + event.rest;
    entry["upstream"].push_back(text);
  }
  std::stable_sort(responses_.begin(), responses_.end(), [&](const Response& a, const Response& b) {
    return timed ? std::tie(a.since_sent, a.id) < std::tie(b.since_sent, b.id) : a.id < b.id;
  });
  for (Response& response : responses_) {
    if (timed) response.entry["since_sent_s"] = response.since_sent;
    entry["responses"].push_back(std::move(response.entry));
  }
  std::vector<std::string> client;
  for (const Client& event : client_) {
    client.push_back(
        timed ? fmt::format("{} since_connect_s={:.1f}", event.event, event.since_connect)
              : event.event);
  }
  std::sort(client.begin(), client.end());
  if (!client.empty()) entry["client"] = client;
  upstream_.clear();
  responses_.clear();
  client_.clear();
  return entry;
}

}  // namespace conformance::recorded
