#include "mesh/spec_parts.h"

#include <chrono>

#include <fmt/format.h>

namespace mesh {

void refuse_before(Reader& at, std::initializer_list<std::string_view> keys, const Since& since,
                   const SpecRules& rules) {
  if (rules.era >= since.era) return;
  for (const std::string_view key : keys) {
    if (!at.has(key)) continue;
    at.fail_key(key, fmt::format("exists since {} (era {}), not in era {}", since.when,
                                 text(since.era), text(rules.era)));
  }
}

Origin origin_of(const Reader& at) {
  return {at.pointer(), at.place()};
}

std::optional<std::uint16_t> as_port(const Reader& at) {
  const auto port = at.as_integer(1, 65535);
  return port ? std::optional(static_cast<std::uint16_t>(*port)) : std::nullopt;
}

std::optional<std::uint16_t> optional_port(Reader& at, std::string_view key) {
  const auto member = at.optional(key);
  return member ? as_port(*member) : std::nullopt;
}

bool enabled(Reader& at, std::string_view key) {
  const auto member = at.optional(key);
  return !member || member->as_choice({"ENABLED", "DISABLED"}).value_or(0) == 0;
}

std::optional<IpPreference> ip_preference(Reader& at, const SpecRules& rules) {
  refuse_before(at, {"ipPreference"}, kIpPreference, rules);
  const auto member = at.optional("ipPreference");
  if (!member) return std::nullopt;
  const auto choice =
      member->as_choice({"IPv6_PREFERRED", "IPv4_PREFERRED", "IPv4_ONLY", "IPv6_ONLY"});
  return choice ? std::optional(static_cast<IpPreference>(*choice)) : std::nullopt;
}

namespace {

std::optional<Duration> read_duration(Reader at) {
  if (!at.expect_object()) return std::nullopt;
  std::optional<std::size_t> unit;
  if (const auto member = at.required("unit")) unit = member->as_choice({"s", "ms"});
  std::optional<std::int64_t> count;
  if (const auto member = at.required("value")) {
    // What nanoseconds in 64 bits can count.
    const std::int64_t ns_per_unit = unit == 0u ? 1'000'000'000 : 1'000'000;
    count = member->as_integer(0, INT64_MAX / ns_per_unit);
  }
  at.finish();
  if (!unit || !count) return std::nullopt;
  if (*unit == 0) return std::chrono::seconds(*count);
  return std::chrono::milliseconds(*count);
}

}  // namespace

std::optional<Duration> optional_duration(Reader& at, std::string_view key) {
  const auto member = at.optional(key);
  return member ? read_duration(*member) : std::nullopt;
}

Duration required_duration(Reader& at, std::string_view key) {
  const auto member = at.required(key);
  return member ? read_duration(*member).value_or(Duration{}) : Duration{};
}

Timeouts read_timeouts(Reader at, bool tcp) {
  Timeouts timeouts;
  if (!at.expect_object()) return timeouts;
  if (!tcp) timeouts.per_request = optional_duration(at, "perRequest");
  timeouts.idle = optional_duration(at, "idle");
  at.finish();
  return timeouts;
}

namespace {

AccessLog read_file_log(Reader at) {
  AccessLog log;
  if (!at.expect_object()) return log;
  log.path = at.required_string("path", {1, 255});
  if (auto format = at.optional("format"); format && format->expect_object()) {
    const auto kind = format->one_of({"text", "json"});
    if (kind == 0u) log.format = AccessLog::Format::Text;
    if (kind == 1u) log.format = AccessLog::Format::Json;
    log.text = format->optional_string("text", {1, 1000}).value_or("");
    for (Reader& entry : format->optional_items("json")) {
      if (!entry.expect_object()) continue;
      std::string key = entry.required_string("key", {1, 100});
      std::string value = entry.required_string("value", {1, 100});
      log.json.emplace_back(std::move(key), std::move(value));
      entry.finish();
    }
    format->finish();
  }
  at.finish();
  return log;
}

}  // namespace

std::optional<AccessLog> read_logging(Reader& spec) {
  std::optional<AccessLog> log;
  auto logging = spec.optional("logging");
  if (!logging || !logging->expect_object()) return log;
  if (auto access = logging->optional("accessLog"); access && access->expect_object()) {
    access->one_of({"file"});
    if (const auto file = access->optional("file")) log = read_file_log(*file);
    access->finish();
  }
  logging->finish();
  return log;
}

std::map<std::string, std::string> read_tags(const Reader& at) {
  std::map<std::string, std::string> tags;
  for (Reader& tag : at.as_items({0, 50})) {
    if (!tag.expect_object()) continue;
    const std::string key = tag.required_string("key", {1, 128});
    tags[key] = tag.required_string("value", {0, 256});
    tag.finish();
  }
  return tags;
}

std::optional<ClientTls> read_backend_defaults(Reader& spec, const SpecRules& rules) {
  auto defaults = spec.optional("backendDefaults");
  if (!defaults || !defaults->expect_object()) return std::nullopt;
  std::optional<ClientTls> tls;
  if (const auto policy = defaults->optional("clientPolicy")) {
    tls = read_client_policy(*policy, rules);
  }
  defaults->finish();
  return tls;
}

}  // namespace mesh
