#include "conformance/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "mesh/test_mesh.h"

namespace conformance {
namespace {

using testing::HasSubstr;

constexpr std::string_view kShop = R"(
- virtualGateway: edge
  spec: { listeners: [ { portMapping: { port: 9080, protocol: http } } ] }
- gatewayRoute: all
  virtualGateway: edge
  spec: { httpRoute: { match: { prefix: / }, action: { target: { virtualService: { virtualServiceName: web.local } } } } }
- gatewayRoute: chapters
  virtualGateway: edge
  spec:
    priority: 10
    httpRoute: { match: { prefix: /chapter }, action: { target: { virtualService: { virtualServiceName: books.local } } } }
- gatewayRoute: beta
  virtualGateway: edge
  spec:
    priority: 20
    httpRoute:
      match: { prefix: /chapter/1, headers: [ { name: X-Env, match: { exact: beta } } ] }
      action: { target: { virtualService: { virtualServiceName: web.local } } }
- gatewayRoute: hosted
  virtualGateway: edge
  spec:
    httpRoute:
      match: { prefix: /a, hostname: { exact: x.com } }
      action:
        target: { virtualService: { virtualServiceName: web.local } }
        rewrite: { hostname: { defaultTargetHostname: DISABLED }, prefix: { defaultPrefix: DISABLED } }
- virtualService: books.local
  spec: { provider: { virtualRouter: { virtualRouterName: books } } }
- virtualRouter: books
  spec: { listeners: [ { portMapping: { port: 8080, protocol: http } } ] }
- route: main
  virtualRouter: books
  spec:
    httpRoute:
      match: { prefix: / }
      timeout: { perRequest: { value: 30, unit: s }, idle: { value: 5, unit: s } }
      retryPolicy: { maxRetries: 3, perRetryTimeout: { value: 2, unit: s }, httpRetryEvents: [ gateway-error ] }
      action: { weightedTargets: [ { virtualNode: books-v1, weight: 90 }, { virtualNode: books-v2, weight: 10 } ] }
- route: posts
  virtualRouter: books
  spec: { httpRoute: { match: { prefix: /1, method: POST }, action: { weightedTargets: [ { virtualNode: books-v2, weight: 1 } ] } } }
- virtualNode: books-v1
  spec: { listeners: [ { portMapping: { port: 8080, protocol: http } } ], serviceDiscovery: { dns: { hostname: books-v1.local } } }
- virtualNode: books-v2
  spec: { listeners: [ { portMapping: { port: 8080, protocol: http } } ] }
)";

Explanation explained(const std::string& mesh, const std::string& written,
                      std::vector<std::pair<std::string, std::string>> headers = {}) {
  auto request = parse_explain_request(written);
  if (!request) {
    ADD_FAILURE() << request.error().text();
    return {};
  }
  request->headers = std::move(headers);
  auto explanation = explain(mesh::good(mesh), {}, *request);
  if (!explanation) {
    ADD_FAILURE() << explanation.error().text();
    return {};
  }
  return std::move(explanation).value();
}

/// "winner path host > second winner", or the status of the answer in place of a winner's part.
std::string summary(const Explanation& explanation) {
  std::string out;
  for (const HopStory* hop :
       {&explanation.ingress, explanation.egress ? &*explanation.egress : nullptr}) {
    if (hop == nullptr) continue;
    if (!out.empty()) out += " > ";
    if (hop->refusal) {
      out += std::to_string(hop->refusal->status) + " " + hop->refusal->details;
      continue;
    }
    out += hop->winner() != nullptr ? hop->winner()->resource : "nothing";
    if (hop == &explanation.ingress) out += " " + hop->target_after + " " + hop->authority_after;
  }
  return out;
}

/// "fate: reason" of a route of the first hop.
std::string story_of(const HopStory& hop, std::string_view resource) {
  for (const RouteStory& route : hop.routes) {
    if (route.resource == resource) return std::string(text(route.fate)) + ": " + route.reason;
  }
  return "not among them";
}

std::string gateway_route(const std::string& name, const std::string& match,
                          const std::string& more = {}) {
  return "- gatewayRoute: " + name + "\n  virtualGateway: edge\n  spec: {" + more +
         "httpRoute: {match: " + match +
         ", action: {target: {virtualService: {virtualServiceName: s.local}}}}}\n";
}

TEST(Explain, SaysWhatBecomesOfARequest) {
  struct Case {
    const char* request;
    std::vector<std::pair<std::string, std::string>> headers;
    const char* summary;
  };
  const std::vector<Case> cases = {
      {"GET http://edge/", {}, "gatewayRoute all / web.local > virtualNode web"},
      {"http://edge", {}, "gatewayRoute all / web.local > virtualNode web"},
      {"GET http://edge/chapter/1",
       {},
       "gatewayRoute chapters /1 books.local > route main of virtualRouter books"},
      {"GET http://edge/chapter1?q=%2f",
       {},
       "gatewayRoute chapters /1?q=%2f books.local > route main of virtualRouter books"},
      {"POST http://edge/chapter/1",
       {},
       "gatewayRoute chapters /1 books.local > route posts of virtualRouter books"},
      {"GET http://edge/chapter/1",
       {{"x-env", "beta"}},
       "gatewayRoute chapters /1 books.local > route main of virtualRouter books"},
      {"GET http://edge/Chapter/1", {}, "gatewayRoute all /Chapter/1 web.local > virtualNode web"},
      {"GET http://x.com/a/b", {}, "gatewayRoute hosted /a/b x.com > virtualNode web"},
      {"GET http://edge/a/b",
       {{"Host", "X.com"}},
       "gatewayRoute hosted /a/b X.com > virtualNode web"},
      {"GET http://x.com:9080/a", {}, "gatewayRoute hosted /a x.com:9080 > virtualNode web"},
      {"GET http://x.com:80/a", {}, "gatewayRoute all /a web.local > virtualNode web"},
      {"GET http://x.com/b", {}, "404 route_not_found"},
      {"GET http://edge/a#b", {}, "400 path_normalization_failed"},
      {"GET http://edge/", {{"upgrade", "x"}, {"connection", "upgrade"}}, "403 upgrade_failed"},
      {"GET http://edge/", {{"a b", "x"}}, "400 http1.codec_error"},
      {"G(T http://edge/", {}, "400 http1.codec_error"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(summary(explained(std::string(kShop), c.request, c.headers)), c.summary) << c.request;
  }
}

TEST(Explain, WritesForATerminal) {
  EXPECT_EQ(explanation_text(explained(std::string(kShop), "GET http://edge/x/../chapter//1?q=2",
                                       {{"x-env", "beta"}})),
            R"(GET http://edge/x/../chapter//1?q=2
  gateway   virtualGateway edge, port 9080  (m.yaml:2)
  path      /chapter/1?q=2, normalised from /x/../chapter//1?q=2
  host      edge: no route names this host; only those without a host match count

First hop: gatewayRoute chapters wins  (m.yaml:7)
  match     prefix /chapter (as prefix /chapter/), priority 10
  why       first of 3 that match: by priority, then exact or regex path, then longer prefix (CD-07)
  path      /chapter/1?q=2 -> /1?q=2: prefix /chapter/ becomes /, the default
  host      edge -> books.local: the virtual service's name, the default
  timeout   30s, the largest of the virtual service's routes (AM-TMO-02)
  retries   none in this hop (AM-RET-03)
  matches too, and loses:
    gatewayRoute beta  (m.yaml:12)  prefix /chapter/1, header x-env = "beta"
                                    priority 20 is tried after 10: the smaller number comes first; priority 10 outranks prefix length; more criteria do not count
    gatewayRoute all  (m.yaml:4)    prefix /
                                    priority 1000 is tried after 10: the smaller number comes first
  does not match:
    gatewayRoute hosted  (m.yaml:19)  host x.com, prefix /a
                                      host must be x.com, is edge

Second hop: virtualService books.local  (m.yaml:27), provider virtualRouter books
  route     route main of virtualRouter books wins  (m.yaml:31)
  match     prefix /, priority 1000 as none is given
  why       the only route that is considered and matches
  timeout   30s, as the route says; idle 5s
  retries   3 more tries, 2s each, on 502, 503, 504, reset
  target    weight 90 of 100: virtualNode books-v1  (m.yaml:42)  books-v1.local:8080, one address at a time
            cluster cds_egress_mesh_books-v1_http_8080
  target    weight 10 of 100: virtualNode books-v2  (m.yaml:44)  no service discovery, so no endpoint: 503
            cluster cds_egress_mesh_books-v2_http_8080
  does not match:
    route posts of virtualRouter books  (m.yaml:39)  prefix /1, method POST
                                                     method must be "POST", is "GET"
)");
}

TEST(Explain, WritesWhyNothingMatches) {
  EXPECT_EQ(explanation_text(explained(std::string(kShop), "GET http://x.com/b")),
            R"(GET http://x.com/b
  gateway   virtualGateway edge, port 9080  (m.yaml:2)
  path      /b
  host      x.com: has a virtual host of its own: only its routes count (AM-GWR-09)

First hop: no route
  answer    404, flags NR, route_not_found: no gateway route matches: the gateway answers itself (AM-GWR-14)
  matches but for the host, and is not considered:
    gatewayRoute all  (m.yaml:4)  prefix /
                                  host x.com has a virtual host of its own: routes without a host match are not considered for it (AM-GWR-09)
  does not match:
    gatewayRoute hosted  (m.yaml:19)   host x.com, prefix /a
                                       path must begin with /a, is /b
    gatewayRoute chapters  (m.yaml:7)  prefix /chapter
                                       path must begin with /chapter, is /b; nor is it considered for this host
    gatewayRoute beta  (m.yaml:12)     prefix /chapter/1, header x-env = "beta"
                                       path must begin with /chapter/1, is /b; nor is it considered for this host
)");
}

// UP-14, UP-15: what outranks what.
TEST(Explain, SaysWhyARouteLoses) {
  struct Case {
    std::string winner;
    std::string loser;
    const char* reason;
  };
  const std::vector<Case> cases = {
      {gateway_route("w", "{prefix: /a}", "priority: 1, "),
       gateway_route("l", "{prefix: /a, headers: [{name: x}]}", "priority: 100, "),
       "loses: priority 100 is tried after 1: the smaller number comes first; more criteria do not "
       "count"},
      {gateway_route("w", "{prefix: /}", "priority: 0, "), gateway_route("l", "{prefix: /a/}"),
       "loses: priority 1000 is tried after 0: the smaller number comes first; priority 0 outranks "
       "prefix length"},
      {gateway_route("w", "{prefix: /}", "priority: 5, "),
       gateway_route("l", "{path: {exact: /a/b}}"),
       "loses: priority 1000 is tried after 5: the smaller number comes first; priority 5 outranks "
       "an exact path"},
      {gateway_route("w", "{path: {exact: /a/b}}"), gateway_route("l", "{prefix: /a/}"),
       "loses: same priority, and a prefix is tried after exact and regex paths"},
      {gateway_route("w", "{prefix: /a/}"), gateway_route("l", "{prefix: /}"),
       "loses: same priority, and the longer prefix is tried first: /a/ before /"},
      {gateway_route("w", "{prefix: /a/}"), gateway_route("l", "{prefix: /, headers: [{name: x}]}"),
       "loses: same priority, and the longer prefix is tried first: /a/ before /; more criteria do "
       "not count"},
      {gateway_route("w", "{path: {regex: '/a/.'}}"), gateway_route("l", "{path: {exact: /a/b}}"),
       "loses: stands behind it in the order of definition"},
  };
  for (const Case& c : cases) {
    for (const std::string& routes : {c.winner + c.loser, c.loser + c.winner}) {
      if (routes == c.loser + c.winner && c.winner.find("regex") != std::string::npos) continue;
      const Explanation explanation =
          explained(mesh::gateway() + routes, "GET http://edge/a/b", {{"x", "1"}});
      ASSERT_NE(explanation.ingress.winner(), nullptr);
      EXPECT_EQ(explanation.ingress.winner()->resource, "gatewayRoute w");
      EXPECT_EQ(story_of(explanation.ingress, "gatewayRoute l"), c.reason);
    }
  }
}

// UP-10, UP-11, UP-12, and what else is overlooked.
TEST(Explain, SaysWhatARouteFailsOn) {
  struct Case {
    const char* match;
    const char* request;
    const char* story;
  };
  const std::vector<Case> cases = {
      {"{prefix: /a, hostname: {exact: y.com}}", "http://x.com/a",
       "other-host: host must be y.com, is x.com"},
      {"{prefix: /a, hostname: {exact: y.com}}", "http://y.com:80/a",
       "other-host: host must be y.com, is y.com:80 (the port is compared too: only none or :9080 "
       "matches)"},
      {"{prefix: /a, hostname: {suffix: .y.com}}", "http://y.com/a",
       "other-host: host must end with .y.com, is y.com (a suffix needs a label before it)"},
      {"{prefix: /a, hostname: {suffix: .y.com}}", "http://b-y.com/a",
       "other-host: host must end with .y.com, is b-y.com"},
      {"{prefix: /a/}", "http://e/a",
       "fails: path must begin with /a/, is /a (the slash at the end counts)"},
      {"{path: {exact: /a}}", "http://e/a/",
       "fails: path must be /a, is /a/ (the slash at the end counts)"},
      {"{path: {exact: /a}}", "http://e/A", "fails: path must be /a, is /A (case counts)"},
      {"{path: {regex: '/a[0-9]'}}", "http://e/a12",
       "fails: path must match regex /a[0-9] as a whole, is /a12"},
      {"{prefix: /, method: POST}", "GET http://e/", "fails: method must be \"POST\", is \"GET\""},
      {"{prefix: /, headers: [{name: X, match: {exact: '2'}}]}", "http://e/",
       "fails: header x must be \"2\", is \"1\""},
      {"{prefix: /, headers: [{name: y}]}", "http://e/",
       "fails: header y must be there, is absent"},
      {"{prefix: /, headers: [{name: y, match: {exact: '2'}, invert: true}]}", "http://e/",
       "fails: header y must be there and not be \"2\", is absent"},
      {"{prefix: /, headers: [{name: x, match: {range: {start: 2, end: 5}}}]}", "http://e/",
       "fails: header x must be a number from 2 to below 5, is \"1\""},
      {"{prefix: /, queryParameters: [{name: q, match: {exact: '1'}}]}", "http://e/?q=2",
       "fails: query parameter q must be \"1\", is another"},
      {"{prefix: /, queryParameters: [{name: q}]}", "http://e/",
       "fails: query parameter q must be there, is absent"},
  };
  for (const Case& c : cases) {
    const Explanation explanation =
        explained(mesh::gateway() + gateway_route("r", c.match), c.request, {{"x", "1"}});
    EXPECT_EQ(story_of(explanation.ingress, "gatewayRoute r"), c.story);
    EXPECT_EQ(summary(explanation), "404 route_not_found");
  }
}

TEST(Explain, ALongerSuffixHidesAShorterOne) {
  const Explanation explanation = explained(
      mesh::gateway() + gateway_route("short", "{prefix: /, hostname: {suffix: .y.com}}") +
          gateway_route("long", "{prefix: /a, hostname: {suffix: .x.y.com}}"),
      "http://w.x.y.com/b");
  EXPECT_EQ(story_of(explanation.ingress, "gatewayRoute short"),
            "not-reached: host w.x.y.com goes to the virtual host of *.x.y.com: routes for less "
            "specific hosts are not considered for it (AM-GWR-09)");
  EXPECT_EQ(summary(explanation), "404 route_not_found");
}

TEST(Explain, APortInTheUrlNamesTheListener) {
  const std::string mesh =
      "- virtualGateway: edge\n  spec: {listeners: [{portMapping: {port: 9080, protocol: http}}, "
      "{portMapping: {port: 9081, protocol: http}}]}\n" +
      gateway_route("one", "{prefix: /, port: 9080}") +
      gateway_route("two", "{prefix: /, port: 9081}");
  mesh::Mesh read = mesh::good(mesh, mesh::in_era(mesh::Era::Last));
  const auto explanation = explain(read, {}, *parse_explain_request("http://edge:9081/"));
  ASSERT_TRUE(explanation);
  EXPECT_EQ(explanation->ingress.port, 9081);
  EXPECT_EQ(summary(*explanation), "gatewayRoute two / s.local > virtualNode s");
  EXPECT_EQ(story_of(explanation->ingress, "gatewayRoute one"),
            "other-port: takes requests of port 9080 only");
}

TEST(Explain, TheSecondHopMayHaveNoAnswer) {
  const std::string service =
      "- virtualService: s.local\n  spec: {provider: {virtualRouter: {virtualRouterName: v}}}\n"
      "- virtualNode: n\n- virtualRouter: v\n"
      "  spec: {listeners: [{portMapping: {port: 80, protocol: http}}]}\n";
  const auto route = [](const std::string& match, const std::string& weight) {
    return "- route: r\n  virtualRouter: v\n  spec: {httpRoute: {match: " + match +
           ", action: {weightedTargets: [{virtualNode: n, weight: " + weight + "}]}}}\n";
  };
  const std::string base = mesh::gateway() + gateway_route("a", "{prefix: /}") + service;
  struct Case {
    std::string route;
    std::uint16_t status;
    const char* reason;
  };
  const std::vector<Case> cases = {
      {"", 404, "virtualRouter v has no routes: the second hop answers itself (AM-GWR-15)"},
      {route("{prefix: /b}", "1"), 404,
       "no route of its router matches: the second hop answers itself (AM-GWR-15)"},
      {route("{prefix: /}", "0"), 503, "all weights of the route are 0"},
  };
  for (const Case& c : cases) {
    const Explanation explanation = explained(base + c.route, "http://edge/a");
    ASSERT_TRUE(explanation.egress && explanation.egress->refusal) << c.reason;
    EXPECT_EQ(explanation.egress->refusal->status, c.status);
    EXPECT_EQ(explanation.egress->refusal->reason, c.reason);
  }
}

TEST(Explain, AServiceThatAScenarioCompletedIsNotDefined) {
  EXPECT_FALSE(explained(std::string(kShop), "http://edge/").service_defined);
  EXPECT_TRUE(explained(std::string(kShop), "http://edge/chapter").service_defined);
}

TEST(Explain, WritesEverythingAsJson) {
  const auto json = explanation_json(explained(std::string(kShop), "http://edge/chapter/1"));
  EXPECT_EQ(json["hops"][0]["winner"], "gatewayRoute chapters");
  EXPECT_EQ(json["hops"][0]["sent"]["target"], "/1");
  EXPECT_EQ(json["hops"][0]["routes"].size(), 4U);
  EXPECT_EQ(json["hops"][0]["routes"][0]["place"]["line"], 7);
  EXPECT_EQ(json["hops"][1]["targets"][0]["weight"], 90);
  EXPECT_EQ(json["hops"][1]["targets"][1]["endpoints"],
            "no service discovery, so no endpoint: 503");
  EXPECT_EQ(json["virtualService"]["provider"], "virtualRouter books");
}

TEST(Explain, RefusesWhatCannotBeExplained) {
  EXPECT_FALSE(parse_explain_request("GET edge/a"));
  EXPECT_FALSE(parse_explain_request("GET http://edge/a\r\nX: y"));
  EXPECT_FALSE(parse_explain_request(""));
  const mesh::Mesh none = mesh::good("- virtualNode: n\n");
  const auto no_gateway = explain(none, {}, *parse_explain_request("http://edge/"));
  ASSERT_FALSE(no_gateway);
  EXPECT_EQ(no_gateway.error().text(), "there is no virtual gateway in mesh mesh");
  const std::string second =
      "- virtualGateway: inner\n  spec: {listeners: [{portMapping: {port: "
      "9080, protocol: http}}]}\n";
  const mesh::Mesh two = mesh::good(mesh::gateway() + second);
  const auto which = explain(two, {}, *parse_explain_request("http://x.com/"));
  ASSERT_FALSE(which);
  EXPECT_EQ(which.error().text(), "a virtual gateway must be chosen, there are edge, inner");
  EXPECT_EQ(explain(two, {}, *parse_explain_request("http://inner/"))->gateway, "inner");
  EXPECT_EQ(explain(two, "edge", *parse_explain_request("http://inner/"))->gateway, "edge");
  ExplainRequest split{"GET", "http://edge/", {{"x", "a\r\nb: c"}}};
  EXPECT_FALSE(explain(two, "edge", split));
}

}  // namespace
}  // namespace conformance
