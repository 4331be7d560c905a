#include "conformance/staged_target.h"

#include <algorithm>
#include <utility>

#include <re2/re2.h>

#include "peers/request_spec.h"

namespace conformance {

namespace {

/// How often it is looked at, in real time.
constexpr Duration kLookEvery = std::chrono::milliseconds(4);
/// So many looks later it is told what was seen: what else the gateway writes of it, its access log
/// for one, has been written then too.
constexpr std::size_t kLooksUntilTold = 3;
/// Where a gateway finds its second hop, as the scenario knows it. Source: CD-01.
constexpr world::Endpoint kSecondHop{world::kLoopbackAddress, 15001};

}  // namespace

StagedTarget::StagedTarget(const Parts& parts, Observer& observer)
    : parts_(parts), observer_(observer) {
  observer_.expect_reports(parts.time_scale);
  look_later();
}

void StagedTarget::start(world::World& host, const Plan& plan, StagedSecrets* secrets,
                         bool wants_numbers) {
  LiveSetting& setting = parts_.setting;
  const LiveSetting::Place place = setting.place_of(host);
  // Looked for before anybody listens: to look is to listen for a moment.
  const world::Endpoint second_hop{place.address, setting.real_port(host, kSecondHop.port)};
  auto started = parts_.target.start(
      {.name = host.name(),
       .plan = plan,
       .time_scale = parts_.time_scale,
       .machine = place.machine,
       .address = place.address,
       .folder = place.folder,
       .secrets = secrets,
       .wants_numbers = wants_numbers,
       .port = [&](std::uint16_t port) { return setting.real_port(host, port); },
       .endpoints = [&](const std::string& name,
                        std::uint16_t port) { return setting.real_ends(name, port); }});
  if (started) {
    running_[host.id()] = {&host, std::move(*started), State::Starting, second_hop, {}};
  } else {
    errors_.push_back(started.error());
  }
}

StagedTarget::State StagedTarget::state(const world::World& host) const {
  const auto found = running_.find(host.id());
  return found == running_.end() ? State::Ended : found->second.state;
}

const GatewayNumbers* StagedTarget::numbers(const world::World& host) const {
  const auto found = running_.find(host.id());
  return found == running_.end() ? nullptr : &found->second.gateway->numbers();
}

std::uint32_t StagedTarget::known_address(const world::Endpoint& real) const {
  return parts_.setting.known(real).address;
}

std::string StagedTarget::with_known_addresses(const world::World& host,
                                               const std::string& text) const {
  static const re2::RE2 kEnd(R"((127\.\d{1,3}\.\d{1,3}\.\d{1,3}):(\d{1,5}))");
  const auto instance = running_.find(host.id());
  std::string out;
  re2::StringPiece rest(text);
  re2::StringPiece address;
  std::uint32_t port = 0;
  const char* from = text.data();
  while (re2::RE2::FindAndConsume(&rest, kEnd, &address, &port)) {
    out.append(from, address.data());
    from = rest.data();
    const world::Endpoint real{peers::parse_address({address.data(), address.size()}).value_or(0),
                               static_cast<std::uint16_t>(port)};
    const bool is_own = instance != running_.end() && real == instance->second.second_hop;
    out += (is_own ? kSecondHop : parts_.setting.known(real)).text();
  }
  out.append(from, text.data() + text.size());
  return out;
}

bool StagedTarget::settled() const {
  return std::none_of(running_.begin(), running_.end(),
                      [](const auto& each) { return each.second.state == State::Starting; });
}

bool StagedTarget::behind() const {
  return std::any_of(running_.begin(), running_.end(),
                     [](const auto& each) { return each.second.gateway->behind(); });
}

void StagedTarget::look_later() {
  parts_.setting.loop().post_at(parts_.setting.now() + kLookEvery * parts_.time_scale,
                                [this] { look(); });
}

void StagedTarget::look() {
  for (auto at = running_.begin(); at != running_.end();) {
    Running& one = at->second;
    one.state = one.gateway->look();
    one.reports.push_back(one.gateway->reports());
    if (one.reports.size() > kLooksUntilTold || one.state == State::Ended) {
      tell(one, one.reports.front());
      one.reports.pop_front();
    }
    if (one.state != State::Ended) {
      ++at;
      continue;
    }
    ended_.push_back(one.host->name() + ": " + one.gateway->last_words());
    one.host->trace(world::TraceKind::Note, 0, 0, 0, ended_.back());
    at = running_.erase(at);
  }
  look_later();
}

void StagedTarget::tell(const Running& one, const std::vector<GatewayReport>& reports) {
  for (const GatewayReport& report : reports) {
    const auto flow = parts_.setting.flow_of(report.client, report.gateway);
    // Without one it is the gateway's own connection to its second hop.
    if (flow) observer_.reported(report, one.host->name(), *flow);
  }
}

}  // namespace conformance
