#include "envoy/bootstrap.h"

#include <algorithm>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "document/parse.h"
#include "mesh/read.h"
#include "proxy/compile.h"

namespace envoy {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A gateway with one route "/chapter" to one node; `listener`, `spec` of the gateway and `node`
/// are put in.
struct Told {
  std::string listener{};
  std::string spec{};
  std::string node{};
  std::string discovery = "dns: {hostname: books.local}";
  std::string action{};
};

std::string text_of(const Told& told) {
  return "- virtualGateway: edge\n"
         "  spec: {listeners: [{portMapping: {port: 9080, protocol: http}" +
         told.listener + "}]" + told.spec +
         "}\n"
         "- gatewayRoute: chapters\n"
         "  virtualGateway: edge\n"
         "  spec: {httpRoute: {match: {prefix: /chapter}, action: {target: {virtualService: "
         "{virtualServiceName: books.shop.local}}" +
         told.action +
         "}}}\n"
         "- virtualService: books.shop.local\n"
         "  spec: {provider: {virtualNode: {virtualNodeName: books}}}\n"
         "- virtualNode: books\n"
         "  spec: {listeners: [{portMapping: {port: 8080, protocol: http}" +
         told.node + "}], serviceDiscovery: {" + told.discovery + "}}\n";
}

proxy::GatewayPlan plan_of(const std::string& text) {
  const auto documents = document::parse_all(text, "m.yaml");
  if (!documents) {
    ADD_FAILURE() << "the text is no YAML";
    return {};
  }
  const auto mesh = mesh::load(*documents);
  if (!mesh) {
    for (const world::Error& error : mesh.error()) ADD_FAILURE() << error.text();
    return {};
  }
  return *proxy::compile(*mesh, "edge").value();
}

Bootstrap exported(const Told& told) {
  return bootstrap(plan_of(text_of(told)), {.folder = "/out"}).value();
}

Json at(const Bootstrap& from, const std::string& pointer) {
  const Json& json = from.files.at("envoy.json");
  const Json::json_pointer where(pointer);
  if (!json.contains(where)) return {};
  return json.at(where);
}

constexpr const char* kListeners = "/static_resources/listeners";
constexpr const char* kSelf = "/static_resources/clusters/1";
constexpr const char* kNode = "/static_resources/clusters/0";

std::string manager(int listener, const std::string& member) {
  return std::string(kListeners) + "/" + std::to_string(listener) +
         "/filter_chains/0/filters/0/typed_config/" + member;
}

TEST(Bootstrap, HasTheNamesThatAppMeshGave) {
  const Bootstrap out = exported({});
  EXPECT_EQ(at(out, "/static_resources/listeners/0/name"), "lds_ingress_0.0.0.0_9080");
  EXPECT_EQ(at(out, "/static_resources/listeners/1/name"), "lds_egress_0.0.0.0_15001");
  EXPECT_EQ(at(out, manager(0, "route_config/name")), "rds_ingress_http_9080");
  EXPECT_EQ(at(out, manager(1, "route_config/name")), "rds_egress_http_15001");
  const std::string mesh = plan_of(text_of({})).mesh;
  EXPECT_EQ(at(out, std::string(kSelf) + "/name"),
            "cds_ingress_" + mesh + "_edge_self_redirect_http_15001");
  EXPECT_EQ(at(out, std::string(kNode) + "/name"), "cds_egress_" + mesh + "_books_http_8080");
  EXPECT_EQ(at(out, "/node/id"), "mesh/" + mesh + "/virtualGateway/edge");
}

TEST(Bootstrap, SendsAPrefixWithAndWithoutItsSlashToTheSecondHop) {
  const Bootstrap out = exported({});
  const Json routes = at(out, manager(0, "route_config/virtual_hosts/0/routes"));
  ASSERT_EQ(routes.size(), 2U);
  EXPECT_EQ(routes[0]["match"]["prefix"], "/chapter/");
  EXPECT_EQ(routes[1]["match"]["prefix"], "/chapter");
  for (const Json& route : routes) {
    EXPECT_EQ(route["route"]["prefix_rewrite"], "/");
    EXPECT_EQ(route["route"]["host_rewrite_literal"], "books.shop.local");
    EXPECT_EQ(route["route"]["cluster"], at(out, std::string(kSelf) + "/name"));
    EXPECT_FALSE(route["route"].contains("retry_policy"));
  }
}

TEST(Bootstrap, RetriesInTheSecondHopAsAppMeshDidByDefault) {
  const Json retry = at(exported({}), manager(1, "route_config/virtual_hosts/0/routes/0/route"))
                         .at("retry_policy");
  EXPECT_EQ(retry["retry_on"], "unavailable,connect-failure,refused-stream,retriable-status-codes");
  EXPECT_EQ(retry["num_retries"], 2);
  EXPECT_EQ(retry["retriable_status_codes"], Json::array({503}));
  EXPECT_EQ(retry["host_selection_retry_max_attempts"], 5);
}

TEST(Bootstrap, TellsTheServiceInAHeaderWhereTheHostIsKept) {
  const Bootstrap out =
      exported({.action = ", rewrite: {hostname: {defaultTargetHostname: DISABLED}}"});
  const Json route = at(out, manager(0, "route_config/virtual_hosts/0/routes/0"));
  EXPECT_FALSE(route["route"].contains("host_rewrite_literal"));
  EXPECT_EQ(route["request_headers_to_add"][0]["header"]["key"], "x-app-mesh-virtual-service");
  const Json rest = at(out, manager(1, "route_config/virtual_hosts/1"));
  EXPECT_EQ(rest["name"], "default_backend");
  EXPECT_EQ(rest["routes"][0]["response_headers_to_remove"],
            Json::array({"x-app-mesh-virtual-service"}));
}

TEST(Bootstrap, PutsTheListenersPoolOnTheWayToTheSecondHop) {
  const Bootstrap out = exported(
      {.listener = ", connectionPool: {http: {maxConnections: 7, maxPendingRequests: 3}}"});
  const std::string limits = "/circuit_breakers/thresholds/0/";
  EXPECT_EQ(at(out, kSelf + limits + "max_connections"), 7);
  EXPECT_EQ(at(out, kSelf + limits + "max_pending_requests"), 3);
  EXPECT_EQ(at(out, kNode + limits + "max_connections"), 2147483647);
  EXPECT_EQ(at(out, std::string(kSelf) + "/connect_timeout"), "0.250000000s");
  EXPECT_EQ(at(out, std::string(kNode) + "/connect_timeout"), "1s");
}

TEST(Bootstrap, FindsEndpointsByTheirWholeName) {
  const Json node = at(exported({}), kNode);
  EXPECT_EQ(node["type"], "LOGICAL_DNS");
  const Json& address =
      node["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"];
  EXPECT_EQ(address["socket_address"]["address"], "books.local.");
  EXPECT_EQ(address["socket_address"]["port_value"], 8080);
}

TEST(Bootstrap, SaysThatDnsKnowsNoAttributesOfCloudMap) {
  const Bootstrap out = exported(
      {.discovery = "awsCloudMap: {namespaceName: shop.local, serviceName: books, attributes: "
                    "[{key: stage, value: blue}]}"});
  EXPECT_EQ(at(out, kNode).at("type"), "STRICT_DNS");
  EXPECT_THAT(out.notes, Contains(HasSubstr("DNS knows no attributes (stage=blue)")));
}

TEST(Bootstrap, ChecksAndEjectsAsTheNodeAsks) {
  const Json node = at(
      exported({.node = ", healthCheck: {protocol: http, path: /hc, port: 8080, healthyThreshold: "
                        "2, unhealthyThreshold: 3, intervalMillis: 5000, timeoutMillis: 2000}, "
                        "outlierDetection: {maxServerErrors: 4, interval: {unit: s, value: 7}, "
                        "baseEjectionDuration: {unit: s, value: 9}, maxEjectionPercent: 50}"}),
      kNode);
  const Json& check = node.at("health_checks").at(0);
  EXPECT_EQ(check["interval"], "5s");
  EXPECT_EQ(check["unhealthy_threshold"], 3);
  EXPECT_EQ(check["http_health_check"]["path"], "/hc");
  const Json& endpoint = node["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"];
  EXPECT_EQ(endpoint["health_check_config"]["port_value"], 8080);
  EXPECT_EQ(node.at("outlier_detection").at("consecutive_5xx"), 4);
  EXPECT_EQ(node.at("outlier_detection").at("enforcing_success_rate"), 0);
}

TEST(Bootstrap, NamesFilesByFileAndOtherSecretsByFilesOfTheirOwn) {
  const Bootstrap files = exported(
      {.listener = ", tls: {mode: STRICT, certificate: {file: {certificateChain: /c/edge.pem, "
                   "privateKey: /c/edge.key}}}"});
  const std::string context = "/filter_chains/0/transport_socket/typed_config/common_tls_context";
  const std::string certificate = kListeners + std::string("/0") + context + "/tls_certificates/0";
  EXPECT_EQ(at(files, certificate + "/private_key/filename"), "/c/edge.key");
  EXPECT_EQ(files.files.size(), 1U);

  const Bootstrap secrets =
      exported({.listener = ", tls: {mode: PERMISSIVE, certificate: {acm: {certificateArn: "
                            "'arn:aws:acm:us-west-2:111122223333:certificate/0a1b'}}}"});
  const std::string name =
      "certificate-arn_3aaws_3aacm_3aus-west-2_3a111122223333_3acertificate_2f0a1b";
  ASSERT_TRUE(secrets.files.contains("sds/" + name + ".json"));
  const Json& secret = secrets.files.at("sds/" + name + ".json")["resources"][0];
  EXPECT_EQ(secret["tls_certificate"]["private_key"]["filename"], "/out/secrets/" + name + ".key");
  EXPECT_THAT(secrets.notes, Contains(HasSubstr("must hold certificate and key of ACM's arn:")));
  EXPECT_EQ(at(secrets, kListeners + std::string("/0/filter_chains")).size(), 2U);
}

TEST(Bootstrap, WritesTheLogOfBothHops) {
  const Bootstrap out = exported(
      {.spec = ", logging: {accessLog: {file: {path: /dev/stdout, format: {json: [{key: code, "
               "value: '%RESPONSE_CODE%'}]}}}}"});
  for (const int listener : {0, 1}) {
    const Json log = at(out, manager(listener, "access_log/0/typed_config"));
    EXPECT_EQ(log["path"], "/dev/stdout");
    EXPECT_EQ(log["log_format"]["json_format"]["code"], "%RESPONSE_CODE%");
  }
}

TEST(Bootstrap, AnswersItselfWhereNoTargetHasAWeight) {
  proxy::GatewayPlan plan = plan_of(text_of({}));
  plan.egress->routes.hosts.front().routes.front().clusters.clear();
  const Json json = bootstrap(plan, {.folder = "/out"}).value().files.at("envoy.json");
  const Json& routes = json.at(Json::json_pointer(manager(1, "route_config")));
  EXPECT_EQ(routes["validate_clusters"], false);
  EXPECT_EQ(routes["virtual_hosts"][0]["routes"][0]["route"]["cluster"], "no_target_has_a_weight");
}

TEST(Bootstrap, RefusesWhatNoMeshCanSay) {
  proxy::GatewayPlan plan = plan_of(text_of({}));
  plan.ingress.front().proxy_protocol = proxy::HopPlan::ProxyProtocol::Required;
  const auto out = bootstrap(plan, {.folder = "/out"});
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().text(),
            "the ingress of edge has the PROXY protocol, which is not exported");
}

TEST(Bootstrap, SaysThatTheSecondHopCanBeReached) {
  EXPECT_THAT(exported({}).notes,
              ElementsAre(HasSubstr("the second hop listens on 0.0.0.0:15001")));
  proxy::GatewayPlan plan = plan_of(text_of({}));
  plan.egress->loopback_only = true;
  EXPECT_THAT(bootstrap(plan, {.folder = "/out"}).value().notes, IsEmpty());
}

}  // namespace
}  // namespace envoy
