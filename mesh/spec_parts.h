#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "document/reader.h"
#include "mesh/model.h"
#include "mesh/spec.h"

/// Parts that several specs share. Internal to mesh/.
namespace mesh {

/// The model's `integer` has 32 bits, its `long` 64.
constexpr std::int64_t kMaxInteger = 2147483647;

/// A change of the service: what came with it is refused before.
struct Since {
  Era era;
  std::string_view when;
};
constexpr Since kMutualTls{Era::SeedB, "February 2021"};
constexpr Since kMatchesAndRewrites{Era::SeedB, "June 2021"};
constexpr Since kIpPreference{Era::SeedB, "May 2022"};
constexpr Since kPorts{Era::SeedB, "November 2021"};
constexpr Since kSeveralListeners{Era::Last, "August 2022"};

/// Reports those of the members which the era does not have yet. Source: AM-ERA-01.
void refuse_before(Reader& at, std::initializer_list<std::string_view> keys, const Since& since,
                   const SpecRules& rules);

Origin origin_of(const Reader& at);

std::optional<std::uint16_t> as_port(const Reader& at);
std::optional<std::uint16_t> optional_port(Reader& at, std::string_view key);
/// ENABLED or DISABLED; ENABLED if absent.
bool enabled(Reader& at, std::string_view key);
std::optional<IpPreference> ip_preference(Reader& at, const SpecRules& rules);

/// A Duration of the model, both members given. Source: AM-SHP-232, -233.
std::optional<Duration> optional_duration(Reader& at, std::string_view key);
Duration required_duration(Reader& at, std::string_view key);

/// `{perRequest, idle}`, or `{idle}` for tcp.
Timeouts read_timeouts(Reader at, bool tcp);

/// Port and protocol, as far as they could be read.
struct ReadPortMapping {
  std::optional<std::uint16_t> port;
  std::optional<Protocol> protocol;

  PortMapping value() const { return {port.value_or(0), protocol.value_or(Protocol::Http)}; }
};
/// The `portMapping` of a listener. Gateways take no tcp.
ReadPortMapping read_port_mapping(Reader& listener, bool with_tcp);

enum class ListenerOf : std::uint8_t { Gateway, Node };
Listener read_listener(Reader at, ListenerOf of, const SpecRules& rules);
/// Checks how many listeners the era allows. Source: AM-ERA-04, LS-01.
std::vector<Reader> listener_items(Reader& spec, ListenerOf of, const SpecRules& rules);

ListenerTls read_listener_tls(Reader at, const SpecRules& rules);
/// `clientPolicy`, which only holds `tls`.
std::optional<ClientTls> read_client_policy(Reader at, const SpecRules& rules);
/// `backendDefaults`, which only holds `clientPolicy`.
std::optional<ClientTls> read_backend_defaults(Reader& spec, const SpecRules& rules);
/// `logging`, down to the file. Source: AM-VAL-15.
std::optional<AccessLog> read_logging(Reader& spec);

enum class MatchOf : std::uint8_t { GatewayRoute, Route };
RouteMatch read_http_match(Reader at, MatchOf of, const SpecRules& rules);
RouteMatch read_grpc_match(Reader at, MatchOf of, const SpecRules& rules);
/// Path prefixes and rewrites begin with "/".
bool check_begins_with_slash(const Reader& at, std::string_view text);

}  // namespace mesh
