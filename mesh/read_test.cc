#include "mesh/read.h"

#include <chrono>

#include <gmock/gmock.h>

#include "mesh/test_mesh.h"

namespace mesh {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr char kAllKinds[] = R"(
- mesh: shop
  spec: { egressFilter: { type: ALLOW_ALL }, serviceDiscovery: { ipPreference: IPv4_ONLY } }
- virtualGateway: edge
  spec:
    listeners:
      - portMapping: { port: 9080, protocol: http }
        connectionPool: { http: { maxConnections: 2, maxPendingRequests: 3 } }
        healthCheck: { protocol: http, healthyThreshold: 2, unhealthyThreshold: 3,
                       intervalMillis: 5000, timeoutMillis: 2000, path: /ping, port: 9080 }
        tls:
          mode: PERMISSIVE
          certificate: { file: { certificateChain: /c.pem, privateKey: /k.pem } }
          validation:
            trust: { sds: { secretName: ca } }
            subjectAlternativeNames: { match: { exact: [ "spiffe://shop/partner", a.example ] } }
    backendDefaults:
      clientPolicy:
        tls:
          ports: [ 443, 8443 ]
          certificate: { sds: { secretName: edge } }
          validation: { trust: { acm: { certificateAuthorityArns: [ "arn:ca" ] } } }
    logging: { accessLog: { file: { path: /dev/stdout,
               format: { json: [ { key: s, value: "%RESPONSE_CODE%" } ] } } } }
- gatewayRoute: chapters
  virtualGateway: edge
  spec:
    priority: 7
    httpRoute:
      match:
        prefix: /chapter
        hostname: { suffix: "*.example.com" }
        method: GET
        headers:
          - { name: x-a, invert: true, match: { range: { start: 1, end: 10 } } }
          - { name: x-b }
        queryParameters: [ { name: page, match: { exact: "1" } }, { name: q } ]
        port: 9080
      action:
        target: { virtualService: { virtualServiceName: books.shop.local }, port: 8080 }
        rewrite: { hostname: { defaultTargetHostname: DISABLED }, prefix: { value: /x/ } }
- virtualService: books.shop.local
  spec: { provider: { virtualRouter: { virtualRouterName: books } } }
- virtualRouter: books
  spec: { listeners: [ { portMapping: { port: 8080, protocol: http } } ] }
- route: all
  virtualRouter: books
  spec:
    httpRoute:
      match: { path: { regex: "/.*" }, scheme: https }
      action: { weightedTargets: [ { virtualNode: books-1, weight: 90 },
                                   { virtualNode: books-2, weight: 10, port: 8081 } ] }
      retryPolicy: { httpRetryEvents: [ server-error, gateway-error ],
                     tcpRetryEvents: [ connection-error ], maxRetries: 3,
                     perRetryTimeout: { value: 250, unit: ms } }
      timeout: { perRequest: { value: 2, unit: s }, idle: { value: 0, unit: s } }
- virtualNode: books-1
  spec:
    listeners:
      - portMapping: { port: 8080, protocol: http }
        timeout: { http: { perRequest: { value: 20, unit: s } } }
        outlierDetection: { maxServerErrors: 5, interval: { value: 10, unit: s },
                            baseEjectionDuration: { value: 30, unit: s }, maxEjectionPercent: 50 }
    serviceDiscovery: { dns: { hostname: books.local, responseType: ENDPOINTS } }
    backends: [ { virtualService: { virtualServiceName: authors.shop.local } } ]
- virtualNode: books-2
  spec:
    serviceDiscovery: { awsCloudMap: { namespaceName: shop, serviceName: books,
                        attributes: [ { key: stage, value: prod } ] } }
)";

TEST(Read, AllSevenKindsInTheInlineForm) {
  const Mesh mesh = good(kAllKinds);
  EXPECT_EQ(mesh.name, "shop");
  EXPECT_EQ(mesh.era, Era::SeedB);
  EXPECT_FALSE(mesh.drop_external_egress);
  EXPECT_EQ(mesh.ip_preference, IpPreference::Ipv4Only);

  ASSERT_NE(mesh.gateway("edge"), nullptr);
  const VirtualGateway& edge = *mesh.gateway("edge");
  EXPECT_EQ(edge.origin.place.text(), "m.yaml:4:3");
  EXPECT_EQ(edge.origin.pointer, "/1");
  const Listener& listener = edge.listeners.at(0);
  EXPECT_EQ(listener.port_mapping.port, 9080);
  EXPECT_EQ(listener.pool->max_connections, 2u);
  EXPECT_EQ(listener.pool->max_pending_requests, 3u);
  EXPECT_EQ(listener.health_check->interval, 5s);
  EXPECT_EQ(listener.health_check->unhealthy_threshold, 3u);
  EXPECT_EQ(listener.tls->mode, TlsMode::Permissive);
  EXPECT_EQ(listener.tls->certificate.private_key, "/k.pem");
  EXPECT_EQ(listener.tls->validation->trust.secret, "ca");
  EXPECT_THAT(*listener.tls->validation->subject_names,
              ElementsAre("spiffe://shop/partner", "a.example"));
  EXPECT_TRUE(edge.client_tls->enforce);
  EXPECT_THAT(edge.client_tls->ports, ElementsAre(443, 8443));
  EXPECT_EQ(edge.client_tls->certificate->source, TlsSource::Sds);
  EXPECT_THAT(edge.client_tls->validation.trust.authority_arns, ElementsAre("arn:ca"));
  EXPECT_EQ(edge.access_log->format, AccessLog::Format::Json);
  EXPECT_THAT(edge.access_log->json, ElementsAre(Pair("s", "%RESPONSE_CODE%")));
}

TEST(Read, AGatewayRouteWithEveryCriterion) {
  const Mesh mesh = good(kAllKinds);
  const GatewayRoute& route = *mesh.gateway_route("edge", "chapters");
  EXPECT_EQ(route.kind, RouteKind::Http);
  EXPECT_EQ(route.priority, 7);
  EXPECT_EQ(route.match.path->kind, PathMatch::Kind::Prefix);
  EXPECT_EQ(route.match.path->text, "/chapter");
  EXPECT_EQ(route.match.hostname->kind, HostnameMatch::Kind::Suffix);
  EXPECT_EQ(route.match.hostname->text, ".example.com");
  EXPECT_EQ(route.match.method, "GET");
  ASSERT_EQ(route.match.headers.size(), 2u);
  EXPECT_TRUE(route.match.headers[0].invert);
  EXPECT_EQ(route.match.headers[0].match->kind, TextMatch::Kind::Range);
  EXPECT_EQ(route.match.headers[0].match->end, 10);
  EXPECT_FALSE(route.match.headers[1].match);
  EXPECT_EQ(route.match.query.at(0).exact, "1");
  EXPECT_FALSE(route.match.query.at(1).exact);
  EXPECT_EQ(route.match.port, 9080);
  EXPECT_EQ(route.virtual_service, "books.shop.local");
  EXPECT_EQ(route.target_port, 8080);
  EXPECT_FALSE(route.rewrite.default_target_hostname);
  EXPECT_EQ(route.rewrite.prefix_value, "/x/");
}

TEST(Read, ServicesRoutersRoutesAndNodes) {
  const Mesh mesh = good(kAllKinds);
  EXPECT_EQ(mesh.service("books.shop.local")->provider->kind, Provider::Kind::Router);
  EXPECT_EQ(mesh.router("books")->listeners.at(0).port, 8080);
  const Route& route = *mesh.route("books", "all");
  EXPECT_EQ(route.match.path->kind, PathMatch::Kind::Regex);
  EXPECT_EQ(route.match.scheme, "https");
  EXPECT_EQ(route.targets.at(0).weight, 90);
  EXPECT_EQ(route.targets.at(1).port, 8081);
  EXPECT_THAT(route.retry->http_events, ElementsAre("server-error", "gateway-error"));
  EXPECT_TRUE(route.retry->connection_error);
  EXPECT_EQ(route.retry->per_retry_timeout, 250ms);
  EXPECT_EQ(route.timeouts.per_request, 2s);
  EXPECT_EQ(route.timeouts.idle, 0s);
  const VirtualNode& node = *mesh.node("books-1");
  EXPECT_TRUE(node.discovery->endpoints);
  EXPECT_EQ(node.listeners.at(0).timeouts->per_request, 20s);
  EXPECT_EQ(node.listeners.at(0).outlier_detection->base_ejection, 30s);
  EXPECT_EQ(node.backends.at(0).virtual_service, "authors.shop.local");
  EXPECT_THAT(mesh.node("books-2")->discovery->attributes, ElementsAre(Pair("stage", "prod")));
}

// The guide's create-virtual-gateway.json: names come from the command line.
constexpr char kSeedInput[] = R"({
    "spec": {
      "listeners": [
        {
          "portMapping": {
            "port": 9080,
            "protocol": "http"
          }
        }
      ]
    }
})";

TEST(Read, TheGuidesCommandLineInputTakesItsNamesFromOutside) {
  ReadOptions options;
  options.names.mesh = "meshName";
  options.names.virtual_gateway = "virtualGatewayName";
  const Mesh mesh = good(kSeedInput, options);
  EXPECT_EQ(mesh.name, "meshName");
  EXPECT_EQ(mesh.gateways.at(0).name, "virtualGatewayName");
  EXPECT_EQ(mesh.gateways[0].listeners.at(0).port_mapping.port, 9080);
  EXPECT_THAT(errors_of(kSeedInput),
              ElementsAre(": must name its resource, as in virtualGatewayName; has only a spec"));
}

constexpr char kSeedOutput[] = R"({
    "virtualGateway": {
        "meshName": "meshName",
        "metadata": {
            "arn": "arn:aws:appmesh:us-west-2:123456789012:mesh/meshName/virtualGateway/virtualGatewayName",
            "createdAt": "2022-04-06T10:42:42.015000-05:00",
            "lastUpdatedAt": "2022-04-06T10:42:42.015000-05:00",
            "meshOwner": "123456789012",
            "resourceOwner": "123456789012",
            "uid": "a1b2c3d4-5678-90ab-cdef-11111EXAMPLE",
            "version": 1
        },
        "spec": {
            "listeners": [ { "portMapping": { "port": 9080, "protocol": "http" } } ]
        },
        "status": { "status": "ACTIVE" },
        "virtualGatewayName": "virtualGatewayName"
    }
})";

TEST(Read, TheGuidesCommandLineOutput) {
  const Mesh mesh = good(kSeedOutput);
  EXPECT_EQ(mesh.name, "meshName");
  EXPECT_EQ(mesh.gateways.at(0).name, "virtualGatewayName");
  std::string deleted = kSeedOutput;
  deleted.replace(deleted.find("ACTIVE"), 6, "DELETED");
  EXPECT_THAT(errors_of(deleted), ElementsAre("/virtualGateway/status/status: must be a resource "
                                              "that exists, is DELETED"));
}

TEST(Read, CommandLineInputOfEveryKind) {
  const Mesh mesh = good(R"([
    {"meshName": "shop", "spec": {"egressFilter": {"type": "DROP_ALL"}}, "clientToken": "t"},
    {"meshName": "shop", "virtualGatewayName": "edge", "meshOwner": "123456789012",
     "tags": [{"key": "a", "value": ""}],
     "spec": {"listeners": [{"portMapping": {"port": 1, "protocol": "grpc"}}]}},
    {"meshName": "shop", "virtualGatewayName": "edge", "gatewayRouteName": "g",
     "spec": {"grpcRoute": {"match": {"serviceName": "a.B"}, "action": {"target":
       {"virtualService": {"virtualServiceName": "s"}}}}}},
    {"meshName": "shop", "virtualServiceName": "s",
     "spec": {"provider": {"virtualNode": {"virtualNodeName": "n"}}}},
    {"meshName": "shop", "virtualNodeName": "n", "spec": {}},
    {"meshName": "shop", "virtualRouterName": "v", "spec": {}},
    {"meshName": "shop", "virtualRouterName": "v", "routeName": "r", "spec": {"tcpRoute":
      {"action": {"weightedTargets": [{"virtualNode": "n", "weight": 1}]}}}}
  ])");
  EXPECT_EQ(mesh.gateway_route("edge", "g")->match.grpc_service, "a.B");
  EXPECT_EQ(mesh.service("s")->provider->name, "n");
  EXPECT_EQ(mesh.route("v", "r")->kind, RouteKind::Tcp);
}

TEST(Read, AnObjectOfSeveralWithItsEra) {
  const Mesh mesh = good(R"(
era: last
mesh: shop
virtualGateways:
  - virtualGatewayName: edge
    spec: { listeners: [ { portMapping: { port: 80, protocol: http } },
                         { portMapping: { port: 81, protocol: http2 } } ] }
gatewayRoutes:
  - gatewayRouteName: a
    spec: { http2Route: { match: { port: 81 },
            action: { target: { virtualService: { virtualServiceName: s } } } } }
)");
  EXPECT_EQ(mesh.era, Era::Last);
  EXPECT_EQ(mesh.name, "shop");
  EXPECT_EQ(mesh.gateways.at(0).listeners.size(), 2u);
  EXPECT_EQ(mesh.gateway_routes.at(0).gateway, "edge");  // The only one there is.
  EXPECT_EQ(good("era: seed-a\nmesh:\n" + gateway()).era, Era::SeedA);
  EXPECT_THAT(errors_of("era: last\nmesh:\n" + gateway(), in_era(Era::SeedB)),
              ElementsAre("/era: must be seed-b, the era of the rest, is last"));
}

TEST(Read, SeveralDocumentsMakeOneMesh) {
  const Mesh mesh = good("---\n" + gateway() + "---\n" + http_route("{prefix: /}"));
  EXPECT_EQ(mesh.name, "mesh");
  EXPECT_EQ(mesh.gateway_routes.size(), 1u);
  EXPECT_THAT(errors_of(R"([{"virtualNodeName": "a", "meshName": "x", "spec": {}},
                            {"virtualNodeName": "b", "meshName": "y", "spec": {}}])"),
              ElementsAre("/1/meshName: must be x, the mesh of the rest, is y"));
}

TEST(Read, RecordedCasesMayDoWhatTheApiDoesNot) {
  const std::string text = R"({"topology": "gateway",
    "virtualGateway": {"virtualGatewayName": "gw", "spec": {"listeners":
      [{"portMapping": {"port": 9080, "protocol": "http"}}]}},
    "gatewayRoutes": [{"gatewayRouteName": "g", "spec": {"httpRoute": {"match": {"prefix": "/api"},
      "action": {"target": {"virtualService": {"virtualServiceName": "s"}},
                 "rewrite": {"prefix": {"value": "/v2"}}}}}}],
    "virtualServices": [{"virtualServiceName": "s", "spec": {"provider": {"virtualRouter":
      {"virtualRouterName": "v"}}}}],
    "virtualRouters": [{"virtualRouterName": "v", "routes": [{"routeName": "r", "spec":
      {"httpRoute": {"match": {"prefix": "/"}, "action": {"weightedTargets":
        [{"virtualNode": "n", "weight": 1}]}}}}]}],
    "virtualNodes": [{"virtualNodeName": "n", "spec": {"listeners":
      [{"portMapping": {"port": 8080, "protocol": "http"}}],
      "serviceDiscovery": {"static": [{"upstream": "u1"}, {"upstream": "u2"}]}}}]})";
  ReadOptions options;
  options.recorded_cases = true;
  const Mesh mesh = good(text, options);
  EXPECT_THAT(mesh.node("n")->discovery->upstreams, ElementsAre("u1", "u2"));
  EXPECT_EQ(mesh.route("v", "r")->targets.at(0).node, "n");
  EXPECT_EQ(mesh.gateway_routes.at(0).gateway, "gw");
  EXPECT_EQ(errors_of(text).size(), 5u);
}

TEST(Read, WhatIsNoResourceIsAnError) {
  const struct {
    const char* text;
    const char* error;
  } cases[] = {
      {"5", ": must be a resource or a list of resources, is 5"},
      {"~", ": must be a resource or a list of resources, is null"},
      {"- [[x]]", "/0/0/0: must be a resource or a list of resources, is the string \"x\""},
      {"- {}",
       "/0: must be a resource: a mesh, virtualGateway, gatewayRoute, virtualService, "
       "virtualNode, virtualRouter or route"},
      {"- {virtualGatway: edge, x: 1}",
       "/0: must be a resource: a mesh, virtualGateway, gatewayRoute, virtualService, virtualNode, "
       "virtualRouter or route; did you mean virtualGateway for virtualGatway?"},
      {"- {virtualNode: ~}", "/0/virtualNode: must be a string, is null"},
      {"- {virtualNode: 5}", "/0/virtualNode: must be a string, is 5 (put it in quotes)"},
      {"- {virtualNode: a b}",
       "/0/virtualNode: must be 1 to 255 letters, digits, \"-\" and \"_\", is \"a b\""},
      {"- {virtualNode: ''}", "/0/virtualNode: must not be empty"},
      {"- {virtualNode: n, spec: []}", "/0/spec: must be an object, is a list"},
      {"- {virtualNode: n, spec: ~}", "/0/spec: must be an object, is null"},
      {"- {virtualNode: n, speck: {}}", "/0/speck: is not known here; did you mean spec?"},
      {"- {virtualGateway: edge}", "/0/spec: is required"},
      {"- {virtualGatewayName: edge, arn: x}",
       "/0/spec: is required: an entry of a list command's output has none"},
      {"virtualNodes: {}", "/virtualNodes: must be a list, is an object"},
      {"{virtualNodes: [], extra: 1}", "/extra: is not known here"},
      {"{era: first, mesh: []}",
       "/era: must be one of seed-a, seed-b, last, is the string \"first\""},
      {"[{mesh: a}, {mesh: a}]", "/1: must be the only mesh, one was defined at m.yaml:1:2"},
      {"{virtualNodeName: n, spec: {}, meshOwner: '1'}",
       "/meshOwner: must be 12 characters long, is 1"},
  };
  for (const auto& c : cases) {
    const auto errors = errors_of(c.text);
    ASSERT_FALSE(errors.empty()) << c.text;
    EXPECT_EQ(errors.front(), c.error) << c.text;
  }
}

/// All values of a tree, each as the steps that lead to it.
void collect(const document::Value& value, std::vector<std::size_t>& steps,
             std::vector<std::vector<std::size_t>>& all) {
  all.push_back(steps);
  const std::size_t count = value.is_list()     ? value.list().size()
                            : value.is_object() ? value.object().size()
                                                : 0;
  for (std::size_t i = 0; i < count; ++i) {
    steps.push_back(i);
    collect(value.is_list() ? value.list()[i] : value.object()[i].value, steps, all);
    steps.pop_back();
  }
}

/// The errors of the big mesh with one of its values replaced.
std::size_t errors_with(const document::Document& mesh, const std::vector<std::size_t>& steps,
                        const document::Value& replacement) {
  document::Document changed = mesh;
  document::Value* at = &changed.root;
  for (const std::size_t i : steps) {
    at = at->is_list() ? &at->list()[i] : &at->object()[i].value;
  }
  *at = replacement;
  const auto loaded = load(std::span(&changed, 1));
  return loaded ? 0 : loaded.error().size();
}

TEST(Read, NoValueCanBeNullAndNoneCanBeOfAWrongType) {
  const auto mesh = document::parse(kAllKinds, "m.yaml");
  ASSERT_TRUE(mesh);
  std::vector<std::size_t> steps;
  std::vector<std::vector<std::size_t>> all;
  collect(mesh->root, steps, all);
  const document::Mark at{1, 1};
  using document::Value;
  for (const auto& path : all) {
    EXPECT_GT(errors_with(*mesh, path, Value::null(at)), 0u);
    EXPECT_GT(errors_with(*mesh, path, Value(1.5, at)), 0u);
    // Some of these are allowed somewhere, such as an empty tag; all must come back.
    errors_with(*mesh, path, Value(std::int64_t{-1}, at));
    errors_with(*mesh, path, Value(INT64_MAX, at));
    errors_with(*mesh, path, Value(INT64_MIN, at));
    errors_with(*mesh, path, Value(std::string(), at));
    errors_with(*mesh, path, Value(Value::List{Value::null(at)}, at));
    errors_with(*mesh, path, Value(Value::Object{}, at));
  }
}

TEST(Read, AllErrorsComeAtOnceInTheOrderOfTheText) {
  const std::string text = R"(- virtualGateway: edge
  spec:
    listeners:
      - portMapping: { port: 0, protocol: tcp }
    loging: {}
- gatewayRoute: r
  virtualGateway: other
  spec:
    httpRoute:
      match: { prefix: chapter }
      action: { target: { virtualService: {} } }
)";
  const auto mesh = load_text(text);
  ASSERT_FALSE(mesh);
  std::vector<std::string> errors;
  for (const world::Error& error : mesh.error()) errors.push_back(error.text());
  EXPECT_THAT(
      errors,
      ElementsAre(
          "m.yaml:4:30: /0/spec/listeners/0/portMapping/port: must be between 1 and 65535, "
          "is 0",
          "m.yaml:4:43: /0/spec/listeners/0/portMapping/protocol: must be one of http, "
          "http2, grpc, is the string \"tcp\"",
          "m.yaml:5:5: /0/spec/loging: is not known here; did you mean logging?",
          "m.yaml:6:3: /1: must be of a virtualGateway that exists, is of other",
          "m.yaml:10:24: /1/spec/httpRoute/match/prefix: must begin with /, is \"chapter\"",
          "m.yaml:11:43: "
          "/1/spec/httpRoute/action/target/virtualService/virtualServiceName: is required"));
}

}  // namespace
}  // namespace mesh
