#include "conformance/read_balancer.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "conformance/read_parts.h"
#include "conformance/units.h"

namespace conformance {

using document::Problems;
using document::Reader;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kMostZones = 16;
constexpr std::int64_t kMostCheckers = 100;
constexpr std::string_view kTls = "needs TLS, which is not supported yet";

/// Reads one balancer.
class BalancerReader {
 public:
  BalancerReader(BalancerSetup& setup, mesh::Era era) : setup_(setup), era_(era) {}

  void read(Reader& in) {
    peers::BalancerOptions& options = setup_.options;
    options.port = static_cast<std::uint16_t>(in.optional_integer("listen", 1, 65535).value_or(80));
    read_zones(in);
    if (const auto value = in.optional_bool("crossZone")) options.group.cross_zone = *value;
    read_registered(in);
    const auto check = in.optional("healthCheck");
    read_health_check(check);
    read_flows(in);
    read_leaving(in);
    read_thresholds(in);
    if (const auto lag = in.optional("lag")) read_lags(*lag);
    for (const std::string_view key : {"tls", "alpnPolicy", "certificates"}) {
      if (in.has(key)) in.fail_key(key, std::string(kTls));
    }
  }

 private:
  bool since(mesh::Era era) const { return static_cast<int>(era_) >= static_cast<int>(era); }

  /// A setting that came with a later era (section 0 of the facts).
  void needs(Reader& in, std::string_view key, mesh::Era era) {
    if (!in.has(key) || since(era)) return;
    in.fail_key(key, fmt::format("could not be set yet: needs era: {}", mesh::text(era)));
  }

  /// What a balancer on real sockets has no means for.
  void only_simulated(Reader& in, std::string_view key) {
    if (in.has(key) && setup_.simulated_only.empty()) setup_.simulated_only = key;
  }

  std::optional<Duration> read_time(Reader& in, std::string_view key, Duration min, Duration max) {
    const auto at = in.optional(key);
    if (!at) return std::nullopt;
    const auto value = read_duration(*at);
    if (!value) return std::nullopt;
    if (*value < min || *value > max) {
      at->fail(fmt::format("must be between {} and {}, is {}", duration_text(min),
                           duration_text(max), duration_text(*value)));
      return std::nullopt;
    }
    return value;
  }

  template <class T>
  void read_time(T& to, Reader& in, std::string_view key, Duration min, Duration max) {
    if (const auto value = read_time(in, key, min, max)) to = *value;
  }

  void read_zones(Reader& in) {
    for (const Reader& item : in.optional_items("zones", {1, kMostZones})) {
      const auto zone = item.as_string({1, 40});
      if (!zone) continue;
      if (!is_name(*zone)) item.fail("must be a name, is " + item.value().describe());
      if (std::find(setup_.zones.begin(), setup_.zones.end(), *zone) != setup_.zones.end()) {
        item.fail("stands here twice");
        continue;
      }
      setup_.zones.push_back(*zone);
    }
  }

  void read_registered(Reader& in) {
    if (in.has("registered")) setup_.registered.emplace();
    for (const Reader& item : in.optional_items("registered")) {
      if (auto name = item.as_string({1})) setup_.registered->push_back(std::move(*name));
    }
    if (const auto begin = in.optional("targetsBegin")) {
      setup_.begins_healthy = begin->as_choice({"healthy", "initial"}).value_or(0) == 0;
    }
  }

  /// Source: NLB-80, NLB-81.
  void read_health_check(std::optional<Reader> at) {
    peers::HealthThresholds& health = setup_.options.group.health;
    peers::HealthCheckOptions& check = setup_.options.check;
    const bool fixed = !since(mesh::Era::SeedB);
    if (fixed) health = {.healthy = 3, .unhealthy = 3, .first = 3};
    setup_.options.group.checkers = 0;  // as many as zones
    if (!at || !at->expect_object()) return;
    Reader& in = *at;
    if (const auto protocol = in.optional("protocol")) {
      const auto choice = protocol->as_choice({"tcp", "http", "https"});
      check.http = choice == 1U;
      if (choice == 2U) protocol->fail(std::string(kTls));
    }
    check.port = static_cast<std::uint16_t>(in.optional_integer("port", 1, 65535).value_or(0));
    for (const std::string_view key : {"path", "matcher"}) {
      if (in.has(key) && !check.http) in.fail_key(key, "needs protocol: http");
    }
    if (const auto path = in.optional("path")) read_path(check, *path);
    if (const auto matcher = in.optional("matcher")) {
      needs(in, "matcher", mesh::Era::SeedB);
      read_matcher(check, *matcher);
    }
    if (const auto interval = in.optional_integer("intervalMillis", 5'000, 300'000)) {
      check.interval = std::chrono::milliseconds(*interval);
      if (fixed && check.interval != 10s && check.interval != 30s) {
        in.fail("intervalMillis", "must be 10000 or 30000 in era seed-a");
      }
    }
    check.timeout = check.http ? 6s : 10s;
    needs(in, "timeoutMillis", mesh::Era::SeedB);
    if (const auto timeout = in.optional_integer("timeoutMillis", 2'000, 120'000)) {
      check.timeout = std::chrono::milliseconds(*timeout);
    }
    read_counts(in, health, fixed);
    if (const auto checkers = in.optional_integer("checkers", 1, kMostCheckers)) {
      setup_.options.group.checkers = static_cast<std::size_t>(*checkers);
    }
    setup_.options.passive_checks =
        static_cast<std::uint32_t>(in.optional_integer("passiveChecks", 0, 1'000).value_or(0));
    in.finish();
  }

  static void read_counts(Reader& in, peers::HealthThresholds& health, bool fixed) {
    const auto count = [&](std::string_view key, std::uint32_t otherwise, std::int64_t min) {
      return static_cast<std::uint32_t>(in.optional_integer(key, min, 10).value_or(otherwise));
    };
    health.healthy = count("healthyThreshold", health.healthy, 2);
    health.unhealthy = count("unhealthyThreshold", fixed ? health.healthy : health.unhealthy, 2);
    if (fixed && health.unhealthy != health.healthy) {
      in.fail("unhealthyThreshold", "must equal healthyThreshold in era seed-a");
    }
    health.first = count("checksToLeaveInitial", health.healthy, 1);
  }

  static void read_path(peers::HealthCheckOptions& check, const Reader& at) {
    const auto path = at.as_string({1, 1024});
    if (!path) return;
    const bool clean = std::all_of(path->begin(), path->end(), [](char c) {
      return static_cast<unsigned char>(c) > 0x20 && static_cast<unsigned char>(c) < 0x7f;
    });
    if (path->front() != '/' || !clean) {
      at.fail("must be a path, beginning with /, is " + at.value().describe());
      return;
    }
    check.path = *path;
  }

  /// "200-399", "200,301-308".
  static void read_matcher(peers::HealthCheckOptions& check, const Reader& at) {
    const auto text = at.as_string({1, 255});
    if (!text) return;
    check.codes.clear();
    bool good = true;
    for (std::string_view rest = *text; good;) {
      const std::size_t comma = rest.find(',');
      const std::string_view item = rest.substr(0, comma);
      const std::size_t dash = item.find('-');
      const auto code = [&](std::string_view digits) {
        std::uint16_t value = 0;
        const auto [end, error] =
            std::from_chars(digits.data(), digits.data() + digits.size(), value);
        good = good && error == std::errc() && end == digits.data() + digits.size() &&
               value >= 200 && value <= 599;
        return value;
      };
      peers::HealthCheckOptions::Codes codes;
      codes.first = code(item.substr(0, dash));
      codes.last = dash == std::string_view::npos ? codes.first : code(item.substr(dash + 1));
      good = good && codes.first <= codes.last;
      check.codes.push_back(codes);
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
    if (!good)
      at.fail("must be codes from 200 to 599 such as 200-399,404, is " + at.value().describe());
  }

  void read_flows(Reader& in) {
    peers::BalancerOptions& options = setup_.options;
    for (const std::string_view key : {"idleTimeout", "halfClosedTimeout", "closedFlowLinger",
                                       "preserveClientIp", "sourcePorts", "emptySet"}) {
      only_simulated(in, key);
    }
    needs(in, "idleTimeout", mesh::Era::Last);
    read_time(options.times.idle, in, "idleTimeout", 60s, 6000s);  // NLB-44
    options.times.half_closed = options.times.idle;
    read_time(options.times.half_closed, in, "halfClosedTimeout", 1s, 6000s);
    read_time(options.times.closed, in, "closedFlowLinger", 0s, 600s);
    needs(in, "preserveClientIp", mesh::Era::SeedB);
    options.keeps_client_address = in.optional_bool("preserveClientIp").value_or(false);
    options.source_ports = static_cast<std::uint32_t>(
        in.optional_integer("sourcePorts", 1, peers::SourcePorts::kMost).value_or(55'000));
    options.proxy_protocol = in.optional_bool("proxyProtocol").value_or(false);
    if (const auto empty = in.optional("emptySet")) {
      options.resets_without_target = empty->as_choice({"drop", "reset"}).value_or(0) == 1;
    }
  }

  void read_leaving(Reader& in) {
    peers::BalancerOptions& options = setup_.options;
    peers::TargetGroupOptions& group = options.group;
    read_time(group.deregistration_delay, in, "deregistrationDelay", 0s, 3600s);  // NLB-65
    if (const auto value = in.optional_bool("connectionTermination")) group.termination = *value;
    needs(in, "unhealthyConnectionTermination", mesh::Era::Last);
    if (const auto value = in.optional_bool("unhealthyConnectionTermination")) {
      group.unhealthy_termination = *value;
    }
    needs(in, "unhealthyDrainingInterval", mesh::Era::Last);
    read_time(group.draining_interval, in, "unhealthyDrainingInterval", 0s, 360'000s);  // NLB-6A
    if (in.has("unhealthyDrainingInterval") && group.unhealthy_termination) {
      in.fail_key("unhealthyDrainingInterval", "needs unhealthyConnectionTermination: false");
    }
    if (const auto at = in.optional("withoutInterval")) {
      group.end_without_interval = at->as_choice({"stay", "end"}).value_or(0) == 1;
    }
    if (auto at = in.optional("resets"); at && at->expect_object()) {
      if (setup_.simulated_only.empty()) setup_.simulated_only = "resets";
      const auto both = [&](std::string_view key, bool otherwise) {
        const auto choice = at->optional(key);
        if (!choice) return otherwise;
        return choice->as_choice({"nextPacket", "both"}).value_or(otherwise ? 1 : 0) == 1;
      };
      options.unhealthy_resets_both = both("unhealthy", false);
      options.termination_resets_both = both("deregistration", true);
      at->finish();
    }
  }

  static peers::TargetThreshold read_threshold(Reader at, peers::TargetThreshold otherwise) {
    if (!at.expect_object()) return otherwise;
    peers::TargetThreshold out;
    if (const auto count = at.optional_integer("count", 1, 1'000)) {
      out.count = static_cast<std::uint32_t>(*count);
    }
    if (const auto percentage = at.optional_integer("percentage", 1, 100)) {
      out.percentage = static_cast<std::uint32_t>(*percentage);
    }
    if (!out.count && !out.percentage) at.fail("must have count or percentage");
    at.finish();
    return out;
  }

  /// Source: NLB-73.
  void read_thresholds(Reader& in) {
    peers::TargetGroupOptions& group = setup_.options.group;
    for (const std::string_view key : {"dnsFailover", "unhealthyRouting"}) {
      needs(in, key, mesh::Era::SeedB);
    }
    if (const auto at = in.optional("unhealthyRouting")) {
      group.routing = read_threshold(*at, group.routing);
    }
    if (const auto at = in.optional("dnsFailover")) {
      group.dns_failover = read_threshold(*at, group.dns_failover);
      const auto below = [](const auto& dns, const auto& routing) {
        return dns && routing && *dns < *routing;
      };
      if (below(group.dns_failover.count, group.routing.count) ||
          below(group.dns_failover.percentage, group.routing.percentage)) {
        at->fail("must not be less than unhealthyRouting");
      }
    }
    if (const auto value = in.optional_bool("initialIsEligible")) {
      group.initial_is_eligible = *value;
    }
  }

  void read_lags(Reader at) {
    if (!at.expect_object()) return;
    peers::BalancerLags& lags = setup_.options.group.lags;
    constexpr Duration kMost = 1h;
    read_time(lags.registration, at, "register", 0s, kMost);
    read_time(lags.deregistration, at, "deregister", 0s, kMost);
    read_time(lags.unhealthy, at, "unhealthy", 0s, kMost);
    read_time(lags.healthy, at, "healthy", 0s, kMost);
    read_time(lags.dns, at, "dns", 0s, kMost);
    at.finish();
  }

  BalancerSetup& setup_;
  mesh::Era era_;
};

std::string unknown_gateway(const std::string& name, const mesh::Mesh& mesh) {
  std::vector<std::string> names;
  for (const mesh::VirtualGateway& gateway : mesh.gateways) names.push_back(gateway.name);
  std::string message = fmt::format("there is no virtual gateway {} in the mesh", name);
  const std::string near = document::nearest(name, names);
  return near.empty() ? message : message + "; did you mean " + near + "?";
}

/// "gateway/edge": the part behind the slash.
std::string read_targets(const Reader& at, const mesh::Mesh& mesh, bool sound) {
  const auto text = at.as_string({1});
  if (!text) return {};
  constexpr std::string_view kPrefix = "gateway/";
  const std::string gateway =
      text->substr(0, kPrefix.size()) == kPrefix ? text->substr(kPrefix.size()) : std::string();
  if (gateway.empty()) {
    at.fail("must be gateway/NAME, is " + at.value().describe());
  } else if (sound && mesh.gateway(gateway) == nullptr) {
    at.fail(unknown_gateway(gateway, mesh));
  }
  return gateway;
}

const GatewaySetup* gateway_of(const WorldSetup& world, const BalancerSetup& balancer) {
  for (const GatewaySetup& gateway : world.gateways) {
    if (gateway.name == balancer.gateway) return &gateway;
  }
  return nullptr;
}

/// "edge-1, edge-2".
std::vector<std::string> instances_of(const WorldSetup& world, const BalancerSetup& balancer) {
  std::vector<std::string> out;
  const GatewaySetup* const gateway = gateway_of(world, balancer);
  for (std::uint32_t i = 1; gateway != nullptr && i <= gateway->instances; ++i) {
    out.push_back(numbered(gateway->name, i));
  }
  return out;
}

std::string unknown_instance(const std::string& name, const BalancerSetup& balancer,
                             const std::vector<std::string>& instances) {
  return fmt::format("there is no instance {} of gateway {}; there is {}", name, balancer.gateway,
                     fmt::join(instances, ", "));
}

}  // namespace

std::vector<BalancerSetup> read_balancers(Reader at, const mesh::Mesh& mesh, bool mesh_is_sound) {
  std::vector<BalancerSetup> out;
  if (!at.expect_object()) return out;
  for (const auto& [member, value] : at.members()) {
    Reader in = value;
    if (!in.expect_object()) continue;
    if (!is_name(member->key)) at.fail_key(member->key, "must be a name");
    BalancerSetup setup;
    setup.name = member->key;
    setup.place = in.place();
    if (auto dns = in.optional_string("dns", {1, 255})) setup.dns = std::move(*dns);
    if (const auto targets = in.required("targets")) {
      setup.gateway = read_targets(*targets, mesh, mesh_is_sound);
    }
    BalancerReader(setup, mesh.era).read(in);
    in.finish();
    out.push_back(std::move(setup));
  }
  return out;
}

void check_balancers(const WorldSetup& world, bool mesh_is_sound, Problems& problems) {
  if (!mesh_is_sound) return;
  for (const BalancerSetup& balancer : world.balancers) {
    const std::vector<std::string> instances = instances_of(world, balancer);
    for (const std::string& name : balancer.registered.value_or(std::vector<std::string>())) {
      if (std::find(instances.begin(), instances.end(), name) != instances.end()) continue;
      problems.add("/world/nlb/" + balancer.name + "/registered",
                   unknown_instance(name, balancer, instances), balancer.place);
    }
  }
}

RegistrationAction read_registration(Reader at, bool leaves, const WorldSetup& world,
                                     const Names& names) {
  RegistrationAction out;
  out.leaves = leaves;
  std::optional<Reader> nlb;
  std::optional<Reader> target;
  if (at.value().is_string()) {
    target = at;
  } else {
    if (!at.expect_object()) return out;
    nlb = at.optional("nlb");
    target = at.required("target");
    at.finish();
  }
  if (nlb) {
    out.balancer = nlb->as_string({1}).value_or("");
    if (!out.balancer.empty() && !names.has(EntityKind::Balancer, out.balancer)) {
      nlb->fail(names.unknown(EntityKind::Balancer, out.balancer));
    }
  } else if (world.balancers.size() == 1) {
    out.balancer = world.balancers.front().name;
  } else {
    at.fail(world.balancers.empty() ? "needs a balancer in world"
                                    : "must have nlb, as there are several");
  }
  if (!target) return out;
  out.instance = target->as_string({1}).value_or("");
  for (const BalancerSetup& balancer : world.balancers) {
    if (balancer.name != out.balancer || out.instance.empty()) continue;
    const std::vector<std::string> instances = instances_of(world, balancer);
    if (std::find(instances.begin(), instances.end(), out.instance) == instances.end()) {
      target->fail(unknown_instance(out.instance, balancer, instances));
    }
  }
  return out;
}

std::optional<BalancerExpectation> read_balancer_expectation(Reader at, const std::string& balancer,
                                                             const Names& names) {
  BalancerExpectation out;
  out.balancer = balancer;
  out.place = at.place();
  const auto targets = at.optional("targets");
  const auto zones = at.optional("zones");
  if (zones) {
    out.zones.emplace();
    out.zones_written = written_text(zones->value());
    for (const Reader& item : zones->as_items()) {
      if (auto zone = item.as_string({1})) out.zones->push_back(std::move(*zone));
    }
  }
  if (targets && targets->expect_object()) {
    Reader list = *targets;
    for (const auto& [member, value] : list.members()) {
      if (!names.has(EntityKind::Gateway, member->key)) {
        list.fail_key(member->key, names.unknown(EntityKind::Gateway, member->key));
      }
      BalancerExpectation::Target target;
      target.instance = member->key;
      Reader in = value;
      if (!in.value().is_object()) {
        target.state = read_text(in);
      } else {
        if (const auto state = in.optional("state")) target.state = read_text(*state);
        if (const auto reason = in.optional("reason")) target.reason = read_text(*reason);
        if (const auto flows = in.optional("flows")) target.flows = read_number(*flows);
        if (const auto checks = in.optional("checks")) target.checks = read_number(*checks);
        in.finish();
      }
      out.targets.push_back(std::move(target));
    }
  }
  if (!targets && !zones) return std::nullopt;
  return out;
}

}  // namespace conformance
