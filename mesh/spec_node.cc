#include <algorithm>
#include <string>
#include <string_view>

#include "mesh/spec_parts.h"

namespace mesh {
namespace {

bool is_graphic(char c) {
  return c >= '!' && c <= '~';
}

/// Key and value of a Cloud Map instance. Source: AM-SHP-298, AM-SHP-299.
std::pair<std::string, std::string> read_attribute(Reader& at) {
  std::string key = at.required_string("key", {1, 255});
  if (!std::all_of(key.begin(), key.end(), is_graphic)) {
    at.fail("key", "must be of graphic ASCII characters only");
  }
  std::string value = at.required_string("value", {1, 1024});
  const bool blank_or_graphic = std::all_of(
      value.begin(), value.end(), [](char c) { return is_graphic(c) || c == ' ' || c == '\t'; });
  if (!blank_or_graphic || (!value.empty() && !is_graphic(value.front()))) {
    at.fail("value", "must be of ASCII characters and blanks, and not begin with a blank");
  }
  at.finish();
  return {std::move(key), std::move(value)};
}

Discovery read_dns(Reader at, const SpecRules& rules) {
  Discovery discovery;
  if (!at.expect_object()) return discovery;
  discovery.kind = Discovery::Kind::Dns;
  discovery.hostname = at.required_string("hostname");
  discovery.ip_preference = ip_preference(at, rules);
  if (const auto type = at.optional("responseType")) {
    discovery.endpoints = type->as_choice({"LOADBALANCER", "ENDPOINTS"}) == 1u;
  }
  at.finish();
  return discovery;
}

Discovery read_cloud_map(Reader at, const SpecRules& rules) {
  Discovery discovery;
  if (!at.expect_object()) return discovery;
  discovery.kind = Discovery::Kind::CloudMap;
  discovery.namespace_name = at.required_string("namespaceName", {1, 1024});
  discovery.service_name = at.required_string("serviceName", {1, 1024});
  discovery.ip_preference = ip_preference(at, rules);
  for (Reader& entry : at.optional_items("attributes")) {
    if (entry.expect_object()) discovery.attributes.push_back(read_attribute(entry));
  }
  at.finish();
  return discovery;
}

Discovery read_static(const Reader& at) {
  Discovery discovery;
  discovery.kind = Discovery::Kind::Static;
  for (Reader& entry : at.as_items()) {
    if (!entry.expect_object()) continue;
    discovery.upstreams.push_back(entry.required_string("upstream", {1, 255}));
    entry.finish();
  }
  return discovery;
}

std::optional<Discovery> read_discovery(Reader at, const SpecRules& rules) {
  if (!at.expect_object()) return std::nullopt;
  std::optional<Discovery> discovery;
  if (rules.recorded_cases) {
    at.one_of({"dns", "awsCloudMap", "static"});
    if (const auto upstreams = at.optional("static")) discovery = read_static(*upstreams);
  } else {
    at.one_of({"dns", "awsCloudMap"});
  }
  if (const auto dns = at.optional("dns")) discovery = read_dns(*dns, rules);
  if (const auto map = at.optional("awsCloudMap")) discovery = read_cloud_map(*map, rules);
  at.finish();
  return discovery;
}

std::optional<Backend> read_backend(Reader at, const SpecRules& rules) {
  if (!at.expect_object()) return std::nullopt;
  at.one_of({"virtualService"});
  std::optional<Backend> backend;
  if (auto service = at.optional("virtualService"); service && service->expect_object()) {
    backend.emplace();
    backend->origin = origin_of(*service);
    backend->virtual_service = service->required_string("virtualServiceName");
    if (const auto policy = service->optional("clientPolicy")) {
      backend->client_tls = read_client_policy(*policy, rules);
    }
    service->finish();
  }
  at.finish();
  return backend;
}

}  // namespace

void read_virtual_node_spec(Reader at, const SpecRules& rules, VirtualNode& node) {
  if (!at.expect_object()) return;
  for (const Reader& listener : listener_items(at, ListenerOf::Node, rules)) {
    node.listeners.push_back(read_listener(listener, ListenerOf::Node, rules));
  }
  if (const auto discovery = at.optional("serviceDiscovery")) {
    node.discovery = read_discovery(*discovery, rules);
  }
  for (const Reader& entry : at.optional_items("backends")) {
    if (auto backend = read_backend(entry, rules)) node.backends.push_back(*std::move(backend));
  }
  node.client_tls = read_backend_defaults(at, rules);
  node.access_log = read_logging(at);
  at.finish();
}

}  // namespace mesh
