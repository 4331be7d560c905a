#include "mesh/validate.h"

#include <gmock/gmock.h>

#include "mesh/test_mesh.h"

namespace mesh {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string two_listeners() {
  return "- virtualGateway: edge\n  spec: {listeners: [{portMapping: {port: 80, protocol: http}}, "
         "{portMapping: {port: 81, protocol: http}}]}\n";
}

std::string router(int listeners) {
  std::string list;
  for (int i = 0; i < listeners; ++i) {
    list += "{portMapping: {port: " + std::to_string(8080 + i) + ", protocol: http}}, ";
  }
  return "- virtualRouter: v\n  spec: {listeners: [" + list + "]}\n";
}

const char* const kRouterService =
    "- virtualService: s\n  spec: {provider: {virtualRouter: {virtualRouterName: v}}}\n";

TEST(Validate, WithSeveralListenersARouteNamesItsPort) {  // AM-VAL-24
  const ReadOptions last = in_era(Era::Last);
  EXPECT_THAT(errors_of(two_listeners() + http_route("{prefix: /, port: 81}"), last), IsEmpty());
  EXPECT_THAT(errors_of(two_listeners() + http_route("{prefix: /}"), last),
              ElementsAre("/1/spec/httpRoute/match/port: Gateway route must define a match port: "
                          "virtualGateway edge has 2 listeners"));
  EXPECT_THAT(errors_of(gateway() + http_route("{prefix: /}"), last), IsEmpty());
  const auto route = [](const std::string& match) {
    return "- virtualNode: n\n- route: r\n  virtualRouter: v\n  spec: {tcpRoute: {match: " + match +
           ", action: {weightedTargets: [{virtualNode: n, weight: 1}]}}}\n";
  };
  EXPECT_THAT(errors_of(router(2) + route("{port: 8081}"), last), IsEmpty());
  EXPECT_THAT(errors_of(router(2) + route("{}"), last),
              ElementsAre("/2/spec/tcpRoute/match/port: Route must define a match port: "
                          "virtualRouter v has 2 listeners"));
}

TEST(Validate, APortThatCannotBeReadIsNotMissing) {
  EXPECT_THAT(errors_of(two_listeners() + http_route("{prefix: /, port: 0}"), in_era(Era::Last)),
              ElementsAre("/1/spec/httpRoute/match/port: must be between 1 and 65535, is 0"));
}

TEST(Validate, WithSeveralListenersOfTheProviderATargetNamesItsPort) {  // AM-VAL-25
  const ReadOptions last = in_era(Era::Last);
  const std::string route = gateway() + http_route("{prefix: /}") + kRouterService;
  EXPECT_THAT(errors_of(route + router(1), last), IsEmpty());
  EXPECT_THAT(errors_of(route + router(2), last),
              ElementsAre("/1/spec/httpRoute/action/target/port: is required: the provider v of s "
                          "has 2 listeners"));
  EXPECT_THAT(errors_of("- virtualNode: n\n  spec: {listeners: [{portMapping: {port: 1, protocol: "
                        "http}}, {portMapping: {port: 2, protocol: http}}]}\n- virtualRouter: v\n"
                        "- route: r\n  virtualRouter: v\n  spec: {tcpRoute: {action: "
                        "{weightedTargets: [{virtualNode: n, weight: 1}]}}}\n",
                        last),
              ElementsAre("/2/spec/tcpRoute/action/weightedTargets/0/port: is required: "
                          "virtualNode n has 2 listeners"));
}

TEST(Validate, PortsOfTheProxyItselfAreTaken) {  // AM-VAL-28
  const auto at_port = [](int port) {
    return "- virtualGateway: edge\n  spec: {listeners: [{portMapping: {port: " +
           std::to_string(port) + ", protocol: http}}]}\n";
  };
  for (const int port : {9901, 15001}) {
    EXPECT_THAT(errors_of(at_port(port)),
                ElementsAre("/0/spec/listeners/0/portMapping/port: must not be " +
                            std::to_string(port) + ", which the proxy uses itself"));
  }
  EXPECT_THAT(errors_of(at_port(9902)), IsEmpty());
  EXPECT_THAT(errors_of(at_port(80)), IsEmpty());  // AM-VAL-27
  ReadOptions lenient;
  lenient.validate.proxy_ports.clear();
  EXPECT_THAT(errors_of(at_port(9901), lenient), IsEmpty());
}

TEST(Validate, TheTargetServiceMayHaveToExist) {  // AM-VAL-32
  const std::string text = gateway() + http_route("{prefix: /}");
  EXPECT_THAT(errors_of(text), IsEmpty());
  ReadOptions strict;
  strict.validate.allow_undefined_services = false;
  EXPECT_THAT(errors_of(text, strict),
              ElementsAre("/1/spec/httpRoute/action/target/virtualService/virtualServiceName: must "
                          "be a virtual service that exists, is s"));
  EXPECT_THAT(errors_of("- virtualNode: n\n  spec: {backends: [{virtualService: "
                        "{virtualServiceName: s}}]}\n",
                        strict),
              ElementsAre("/0/spec/backends/0/virtualService/virtualServiceName: must be a virtual "
                          "service that exists, is s"));
}

TEST(Validate, ParentsProvidersAndNodesExist) {  // AM-API-09
  EXPECT_THAT(errors_of(http_route("{prefix: /}")),
              ElementsAre("/0: must be of a virtualGateway that exists, is of edge"));
  EXPECT_THAT(errors_of(kRouterService),
              ElementsAre("/0/spec/provider/virtualRouter/virtualRouterName: must be a "
                          "virtualRouter that exists, is v"));
  EXPECT_THAT(errors_of("- virtualService: s\n  spec: {provider: {virtualNode: {virtualNodeName: "
                        "n}}}\n"),
              ElementsAre("/0/spec/provider/virtualNode/virtualNodeName: must be a virtualNode "
                          "that exists, is n"));
  EXPECT_THAT(errors_of("- virtualRouter: v\n- route: r\n  virtualRouter: v\n  spec: {tcpRoute: "
                        "{action: {weightedTargets: [{virtualNode: n, weight: 1}]}}}\n"),
              ElementsAre("/1/spec/tcpRoute/action/weightedTargets/0/virtualNode: must be a "
                          "virtual node that exists, is n"));
}

TEST(Validate, ARouteWithoutParentNeedsExactlyOneCandidate) {
  const std::string route =
      "- gatewayRoute: r\n  spec: {httpRoute: {match: {prefix: /}, action: {target: "
      "{virtualService: {virtualServiceName: s}}}}}\n";
  EXPECT_THAT(errors_of(gateway() + route), IsEmpty());
  std::string other = gateway();
  other.replace(other.find("edge"), 4, "west");
  EXPECT_THAT(errors_of(gateway() + other + route),
              ElementsAre("/2: must name its virtualGateway"));
}

TEST(Validate, NamesAreUniqueWithinTheirParent) {
  EXPECT_THAT(errors_of("- virtualNode: a\n- virtualService: a\n- virtualNode: a\n"),
              ElementsAre("/2: must have a name of its own: virtualNode a was defined at "
                          "m.yaml:1:3"));
  const std::string twice = gateway() + http_route("{prefix: /}") + http_route("{prefix: /b}");
  EXPECT_THAT(errors_of(twice), ElementsAre("/2: must have a name of its own: gatewayRoute r of "
                                            "edge was defined at m.yaml:3:3"));
}

TEST(Validate, QuotasHoldOnlyWhenAsked) {  // AM-QUO-02
  std::string text = gateway();
  for (int i = 0; i < 11; ++i) {
    std::string route = http_route("{prefix: /}");
    route.replace(route.find(": r"), 3, ": r" + std::to_string(i));
    text += route;
  }
  EXPECT_THAT(errors_of(text), IsEmpty());
  ReadOptions options;
  options.validate.quotas = true;
  EXPECT_THAT(errors_of(text, options),
              ElementsAre("/11: is beyond the quota of 10 gateway routes of a virtual gateway"));
}

}  // namespace
}  // namespace mesh
