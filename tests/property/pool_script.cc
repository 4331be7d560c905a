#include "tests/property/pool_script.h"

#include <array>
#include <optional>

#include <fmt/format.h>

#include "tests/property/pool_model.h"
#include "world/random.h"

namespace property {
namespace {

using Kind = PoolStep::Kind;

std::string text_of(std::uint32_t limit) {
  return limit == kNoLimit ? "-" : std::to_string(limit);
}

/// 0, small numbers, and no limit.
std::uint32_t draw_limit(world::Random& random) {
  constexpr std::array<std::uint32_t, 8> kLimits = {0, 1, 1, 2, 3, 4, kNoLimit, kNoLimit};
  return kLimits[random.below(kLimits.size())];
}

PoolSetting draw_setting(world::Random& random) {
  PoolSetting setting;
  setting.http2 = random.chance(2, 5);
  setting.hosts = static_cast<std::uint32_t>(1 + (random.chance(1, 2) ? random.below(3) : 0));
  setting.max_connections = draw_limit(random);
  setting.max_pending = random.chance(1, 8) ? 0 : draw_limit(random);
  setting.max_requests = random.chance(setting.http2 ? 2 : 1, 4) ? draw_limit(random) : kNoLimit;
  if (random.chance(1, 4)) {
    setting.max_requests_per_connection = static_cast<std::uint32_t>(1 + random.below(3));
  }
  if (setting.http2 && random.chance(1, 2)) {
    setting.max_streams = static_cast<std::uint32_t>(1 + random.below(3));
  }
  const auto steps = [&random](std::uint64_t most) {
    return kStepMillis * static_cast<std::int64_t>(1 + random.below(most));
  };
  if (random.chance(1, 2)) setting.route_timeout = steps(8) + 5;
  if (random.chance(1, 2)) setting.connect_timeout = steps(3) + 7;
  if (random.chance(1, 4)) setting.idle_timeout = steps(4) + 3;
  return setting;
}

/// Writes a script step by step, with a model at hand that knows what can be done.
class Writer {
 public:
  Writer(std::uint64_t seed, const std::vector<std::uint32_t>& first_turn)
      : random_(seed),
        script_{draw_setting(random_), {}},
        model_(script_.setting, first_turn[script_.setting.hosts - 1]) {}

  PoolScript write() {
    const std::size_t length = 8 + random_.below(25);
    while (script_.steps.size() < length) {
      const PoolStep step = next();
      script_.steps.push_back(step);
      model_.step(step);
      model_.take_events();
    }
    return script_;
  }

 private:
  std::uint32_t draw(std::size_t bound) { return static_cast<std::uint32_t>(random_.below(bound)); }

  PoolStep next() {
    for (;;) {
      const std::uint32_t kind = draw(100);
      if (kind < 34) return {Kind::Send, request_++};
      if (kind < 38) {
        const std::uint32_t first = request_;
        request_ += 2 + draw(4);
        return {Kind::Burst, first, request_ - 1};
      }
      if (kind < 46) {
        if (const auto step = leave()) return *step;
      } else if (kind < 66) {
        if (const auto step = answer()) return *step;
      } else if (kind < 78) {
        if (const auto step = of_connection()) return *step;
      } else if (kind < 82) {
        const auto active = model_.active_requests();
        constexpr std::array<std::uint32_t, 4> kCodes = {7, 7, 2, 8};
        if (script_.setting.http2 && !active.empty()) {
          return {Kind::ResetStream, active[draw(active.size())], kCodes[draw(kCodes.size())]};
        }
      } else if (kind < 94) {
        return of_host();
      } else {
        return {Kind::Wait, 1 + draw(5)};
      }
    }
  }

  std::optional<PoolStep> leave() {
    auto open = model_.queued_requests();
    if (open.empty() || random_.chance(1, 2)) open = model_.active_requests();
    if (open.empty()) return {};
    const Kind kind = random_.chance(1, 2) ? Kind::LeaveByFin : Kind::LeaveByReset;
    return PoolStep{kind, open[draw(open.size())]};
  }

  std::optional<PoolStep> answer() {
    const auto active = model_.active_requests();
    if (active.empty()) return {};
    Kind kind = Kind::Answer;
    if (!script_.setting.http2 && random_.chance(1, 4)) {
      kind = random_.chance(1, 2) ? Kind::AnswerAndSay : Kind::AnswerAndFin;
    }
    return PoolStep{kind, active[draw(active.size())]};
  }

  std::optional<PoolStep> of_connection() {
    const auto connections = model_.connections();
    if (connections.empty()) return {};
    const auto [host, connection] = connections[draw(connections.size())];
    if (script_.setting.http2 && random_.chance(1, 3)) {
      return PoolStep{Kind::GoAway, host, connection,
                      draw(model_.streams(host, connection) + std::size_t{1})};
    }
    if (script_.setting.http2 && script_.setting.max_streams > 0 && random_.chance(1, 2)) {
      return PoolStep{Kind::MaxStreams, host, connection, 1 + draw(4)};
    }
    return PoolStep{random_.chance(1, 2) ? Kind::Fin : Kind::Reset, host, connection};
  }

  PoolStep of_host() {
    const std::uint32_t host = draw(script_.setting.hosts);
    switch (draw(5)) {
      case 0:
        return {Kind::Refuse, host};
      case 1:
        // What nobody ends would wait for ever.
        if (script_.setting.connect_timeout > 0) return {Kind::Silence, host};
        return {Kind::Delay, host};
      case 2:
        if (script_.setting.connect_timeout == 0) return {Kind::Delay, host};
        return {Kind::Silence, host};
      default:
        return {Kind::Welcome, host};
    }
  }

  world::Random random_;
  PoolScript script_;
  PoolModel model_;
  std::uint32_t request_ = 1;
};

}  // namespace

std::string PoolSetting::text() const {
  return fmt::format(
      "{} hosts {} M {} P {} R {} per-connection {} peer-streams {} route {}ms connect {}ms idle "
      "{}ms",
      http2 ? "http2" : "http1", hosts, text_of(max_connections), text_of(max_pending),
      text_of(max_requests), max_requests_per_connection, max_streams, route_timeout,
      connect_timeout, idle_timeout);
}

std::string PoolStep::text() const {
  switch (kind) {
    case Kind::Send:
      return fmt::format("send r{}", a);
    case Kind::Burst:
      return fmt::format("burst r{} to r{}", a, b);
    case Kind::LeaveByFin:
      return fmt::format("client of r{} leaves", a);
    case Kind::LeaveByReset:
      return fmt::format("client of r{} leaves by reset", a);
    case Kind::Answer:
      return fmt::format("answer r{}", a);
    case Kind::AnswerAndSay:
      return fmt::format("answer r{} with connection: close", a);
    case Kind::AnswerAndFin:
      return fmt::format("answer r{} and FIN", a);
    case Kind::Fin:
      return fmt::format("FIN on h{} c{}", a, b);
    case Kind::Reset:
      return fmt::format("RST on h{} c{}", a, b);
    case Kind::ResetStream:
      return fmt::format("reset the stream of r{} with {}", a, b);
    case Kind::GoAway:
      return fmt::format("GOAWAY on h{} c{} after {} streams", a, b, c);
    case Kind::MaxStreams:
      return fmt::format("h{} c{} takes {} streams", a, b, c);
    case Kind::Refuse:
      return fmt::format("h{} refuses", a);
    case Kind::Silence:
      return fmt::format("h{} is silent", a);
    case Kind::Delay:
      return fmt::format("h{} is late", a);
    case Kind::Welcome:
      return fmt::format("h{} is as usual", a);
    case Kind::Wait:
      return fmt::format("wait {} steps", a);
  }
  return {};
}

std::string PoolScript::text() const {
  std::string text = setting.text() + "\n";
  for (const PoolStep& step : steps) text += "  " + step.text() + "\n";
  return text;
}

PoolScript make_pool_script(std::uint64_t seed, const std::vector<std::uint32_t>& first_turn) {
  return Writer(seed, first_turn).write();
}

}  // namespace property
