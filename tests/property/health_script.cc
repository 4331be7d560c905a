#include "tests/property/health_script.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "tests/property/health_model.h"
#include "world/random.h"

namespace property {
namespace {

using Kind = ProbeAnswer::Kind;

constexpr std::int64_t kMilli = 1000;

/// A round time: at most `most` times ten milliseconds.
std::int64_t draw_time(world::Random& random, std::uint64_t most) {
  return static_cast<std::int64_t>(1 + random.below(most)) * 10 * kMilli;
}

template <class T, std::size_t size>
T draw_of(world::Random& random, const std::array<T, size>& all) {
  return all[random.below(size)];
}

HealthSetting draw_setting(world::Random& random) {
  HealthSetting setting;
  setting.kind = draw_of(random, std::array{CheckKind::Http, CheckKind::Http, CheckKind::Http2,
                                            CheckKind::Grpc, CheckKind::Tcp});
  setting.hosts = static_cast<std::uint32_t>(1 + random.below(kMostHosts));
  setting.healthy_threshold = static_cast<std::uint32_t>(1 + random.below(4));
  setting.unhealthy_threshold = static_cast<std::uint32_t>(1 + random.below(4));
  // No answer is under way when the timeout ends: four ways are less than 7 ms.
  setting.timeout = draw_time(random, 20) + 7 * kMilli;
  setting.interval = setting.no_traffic_interval = 20 * kMilli + draw_time(random, 40);
  if (random.chance(1, 3)) setting.no_traffic_interval = draw_time(random, 80);
  if (random.chance(1, 4)) setting.unhealthy_interval = draw_time(random, 60);
  if (random.chance(1, 4)) setting.unhealthy_edge_interval = draw_time(random, 60);
  if (random.chance(1, 4)) setting.healthy_edge_interval = draw_time(random, 60);
  setting.reuse_connection = random.chance(4, 5);
  setting.wide_statuses = random.chance(1, 4);
  setting.retriable_503 = random.chance(1, 4);
  // With the balancer's factor of 1.4 a threshold above 71 means something else.
  setting.panic_percent =
      draw_of(random, std::array<std::uint32_t, 8>{50, 50, 50, 0, 33, 34, 51, 70});
  setting.merge_window =
      draw_of(random, std::array<std::int64_t, 4>{1'000, 1'000, 0, 300}) * kMilli;
  return setting;
}

ProbeAnswer draw_answer(world::Random& random, CheckKind kind) {
  ProbeAnswer answer;
  if (random.chance(1, 4)) answer.delay = draw_time(random, 25);
  if (random.chance(1, 2)) return answer;
  if (kind == CheckKind::Tcp) {
    answer.kind = draw_of(random, std::array{Kind::Refuse, Kind::Silence, Kind::Reset});
  } else if (kind == CheckKind::Grpc) {
    answer.kind =
        draw_of(random, std::array{Kind::StatusAndEnd, Kind::NotServing, Kind::GrpcError,
                                   Kind::NoMessage, Kind::Nothing, Kind::Nothing, Kind::Nothing,
                                   Kind::Fin, Kind::Reset, Kind::ResetStream, Kind::Refuse});
  } else if (kind == CheckKind::Http2) {
    answer.kind = draw_of(random, std::array{Kind::Status, Kind::Status, Kind::StatusAndEnd,
                                             Kind::Nothing, Kind::Nothing, Kind::Fin, Kind::Reset,
                                             Kind::ResetStream, Kind::Refuse, Kind::Silence});
  } else {
    answer.kind =
        draw_of(random, std::array{Kind::Status, Kind::Status, Kind::StatusAndEnd, Kind::Nothing,
                                   Kind::Nothing, Kind::HalfBody, Kind::Garbage, Kind::Fin,
                                   Kind::Reset, Kind::Refuse, Kind::Silence});
  }
  if (answer.kind == Kind::Status) {
    answer.status = draw_of(random, std::array<std::uint16_t, 6>{201, 301, 404, 500, 503, 503});
  }
  return answer;
}

HealthScript draw_script(world::Random& random) {
  HealthScript script;
  script.setting = draw_setting(random);
  // Some worlds live past the time when names are asked for again.
  script.length = (random.chance(1, 4) ? 8'000 : 3'000) * kMilli;
  for (std::uint32_t host = 0; host < script.setting.hosts; ++host) {
    const std::uint64_t answers = 1 + random.below(12);
    for (std::uint64_t i = 0; i < answers; ++i) {
      script.items.push_back(
          {HealthScript::Item::Kind::Answer, host, draw_answer(random, script.setting.kind), 0});
    }
  }
  if (random.chance(3, 4)) {
    const std::uint64_t requests = 1 + random.below(24);
    for (std::uint64_t i = 0; i < requests; ++i) {
      // No probe ends at such a time.
      const auto at = static_cast<std::int64_t>(220 + random.below(2'700)) * kMilli + 501;
      const std::int64_t scale = script.length / (3'000 * kMilli);
      script.items.push_back(
          {HealthScript::Item::Kind::Request, 0, {}, at * scale - at * scale % kMilli + 501});
    }
  }
  return script;
}

std::string name_of(CheckKind kind) {
  switch (kind) {
    case CheckKind::Http:
      return "http";
    case CheckKind::Http2:
      return "http2";
    case CheckKind::Grpc:
      return "grpc";
    case CheckKind::Tcp:
      return "tcp";
  }
  return {};
}

std::string text_of(const std::optional<std::int64_t>& time) {
  return time ? fmt::format("{}ms", *time / kMilli) : "-";
}

}  // namespace

std::string HealthSetting::text() const {
  return fmt::format(
      "{} hosts {} thresholds {}/{} interval {}ms timeout {}ms no-traffic {}ms unhealthy {} "
      "unhealthy-edge {} healthy-edge {}{}{}{} panic {} window {}ms",
      name_of(kind), hosts, healthy_threshold, unhealthy_threshold, interval / kMilli,
      timeout / kMilli, no_traffic_interval / kMilli, text_of(unhealthy_interval),
      text_of(unhealthy_edge_interval), text_of(healthy_edge_interval),
      reuse_connection ? "" : " no-reuse", wide_statuses ? " 200-399" : "",
      retriable_503 ? " retriable-503" : "", panic_percent, merge_window / kMilli);
}

std::string ProbeAnswer::text() const {
  static constexpr std::array<std::string_view, 13> kNames = {
      "",        "and end", "not serving", "grpc error", "no message", "nothing", "half a body",
      "garbage", "FIN",     "RST",         "RST_STREAM", "refuse",     "silence"};
  const std::string what = kind <= Kind::StatusAndEnd
                               ? fmt::format("{} {}", status, kNames[static_cast<int>(kind)])
                               : std::string(kNames[static_cast<int>(kind)]);
  return delay == 0 ? what : fmt::format("{} after {}ms", what, delay / kMilli);
}

std::vector<ProbeAnswer> HealthScript::answers(std::uint32_t host) const {
  std::vector<ProbeAnswer> out;
  for (const Item& item : items) {
    if (item.kind == Item::Kind::Answer && item.host == host) out.push_back(item.answer);
  }
  if (out.empty()) out.emplace_back();
  return out;
}

std::vector<std::int64_t> HealthScript::requests() const {
  std::vector<std::int64_t> out;
  for (const Item& item : items) {
    if (item.kind == Item::Kind::Request) out.push_back(item.at);
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

std::string HealthScript::text() const {
  std::string text = setting.text() + "\n";
  for (std::uint32_t host = 0; host < setting.hosts; ++host) {
    text += fmt::format("  h{}:", host);
    for (const ProbeAnswer& answer : answers(host)) text += " [" + answer.text() + "]";
    text += "\n";
  }
  text += "  requests at";
  for (const std::int64_t at : requests()) text += fmt::format(" {}us", at);
  return text + "\n";
}

std::string HealthSeen::text() const {
  std::string text;
  for (std::uint32_t host = 0; host < kMostHosts; ++host) {
    text += fmt::format("{}{} ", healthy[host] ? "up" : "down", used[host] ? "/used" : "");
  }
  return text + fmt::format("attempts {} successes {} failures {} network failures {} panics {}",
                            counts[0], counts[1], counts[2], counts[3], counts[4]);
}

/// Scripts in which two things whose order is not written fall on one time are drawn again.
HealthScript make_health_script(std::uint64_t seed) {
  world::Random random(seed);
  for (;;) {
    HealthScript script = draw_script(random);
    if (!tell_health(script).ambiguous) return script;
  }
}

}  // namespace property
