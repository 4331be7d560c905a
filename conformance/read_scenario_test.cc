#include "conformance/read_scenario.h"

#include <gmock/gmock.h>

#include "conformance/test_scenario.h"

namespace conformance {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr const char* kStep = "steps: [ { request: GET http://edge/chapter/1 } ]\n";

TEST(Scenario, WhatIsNotSaidIsFilledIn) {
  const Scenario scenario = must_read(with_edge(kStep));
  EXPECT_EQ(scenario.era, mesh::Era::SeedB);
  EXPECT_EQ(scenario.seed, 0U);
  ASSERT_EQ(scenario.world.gateways.size(), 1U);
  EXPECT_EQ(scenario.world.gateways[0].instances, 1U);
  ASSERT_EQ(scenario.world.services.size(), 1U);
  EXPECT_EQ(scenario.world.services[0].node, "books");
  EXPECT_EQ(scenario.world.services[0].endpoints, 1U);
  ASSERT_EQ(scenario.world.clients.size(), 1U);
  EXPECT_EQ(scenario.world.clients[0].name, "client");
  EXPECT_EQ(scenario.world.default_link.latency, 1ms);
  const mesh::VirtualNode* node = scenario.mesh.node("books");
  ASSERT_NE(node, nullptr);
  EXPECT_EQ(node->discovery->hostname, "books.shop.local");
}

TEST(Scenario, APortThatIsNotSaidIsTheGatewaysElse80) {
  const Scenario scenario = must_read(with_edge(R"(
world: { nlb: { front: { dns: shop.example.com, targets: gateway/edge } } }
steps:
  - request: GET http://edge/chapter/1
  - request: GET http://edge-1/chapter/1
  - request: GET http://edge:80/chapter/1
  - request: GET http://shop.example.com/chapter/1
  - request: { get: http://www.example.com/x, to: edge }
  - raw: { to: edge, send: x }
)"));
  ASSERT_EQ(scenario.steps.size(), 6U);
  EXPECT_EQ(scenario.steps[0].request->request.port, 9080);
  EXPECT_EQ(scenario.steps[1].request->request.port, 9080);
  EXPECT_EQ(scenario.steps[2].request->request.port, 80);
  EXPECT_EQ(scenario.steps[3].request->request.port, 80);
  EXPECT_EQ(scenario.steps[4].request->request.host, "edge");
  EXPECT_EQ(scenario.steps[4].request->request.port, 9080);
  EXPECT_EQ(scenario.steps[4].request->request.headers.at(0).value, "www.example.com");
  EXPECT_EQ(scenario.steps[5].raw->port, 9080);
}

TEST(Scenario, HostIsWhatTheUrlSaysUnlessAHeaderDoes) {
  const Scenario scenario = must_read(with_edge(R"(
steps:
  - request: GET http://edge/chapter/1
  - request: { get: http://edge/chapter/1, headers: { x: [ a, b ], Host: shop.example.com } }
)"));
  EXPECT_EQ(scenario.steps[0].request->request.headers, (peers::HeaderLines{{"host", "edge"}}));
  EXPECT_EQ(scenario.steps[1].request->request.headers,
            (peers::HeaderLines{{"x", "a"}, {"x", "b"}, {"Host", "shop.example.com"}}));
}

TEST(Scenario, AllErrorsComeAtOnceInOrder) {
  EXPECT_EQ(errors_in(R"(scenario: A test
clauses: [seven]
mesh:
  - virtualGateway: edge
    spec: { listeners: [ { portMapping: { port: 0, protocol: http } } ] }
stepz: []
steps:
  - request: GET http://edge/
    expect: { statuz: 200 }
)"),
            "2:11: /clauses/0: must be a clause's id such as RT-01, is \"seven\"\n"
            "5:49: /mesh/0/spec/listeners/0/portMapping/port: must be between 1 and 65535, is 0\n"
            "6:1: /stepz: is not known here; did you mean steps?\n"
            "9:15: /steps/0/expect/statuz: is not known here; did you mean status?\n");
}

TEST(Scenario, WhatIsNotSupportedYetSaysSo) {
  for (const char* text : {
           "explore: { seeds: 10 }\n",
           "world: { names: {} }\n",
       }) {
    EXPECT_THAT(errors_in(with_edge(std::string(text) + kStep)), HasSubstr("is not supported yet"))
        << text;
  }
}

TEST(Scenario, WhatACallComesToIsNoWordOfARequest) {
  const char* const step = "{ request: GET http://edge/, expect: { error: X } }";
  EXPECT_THAT(errors_in(with_edge("steps: [ " + std::string(step) + " ]\n")),
              HasSubstr("/steps/0/expect/error: goes with call"));
}

TEST(Scenario, NamesThatStandForNothingAreErrors) {
  struct Case {
    const char* rest;
    const char* error;
  };
  for (const Case& each : {
           Case{"world: { gateways: { egde: {} } }\n", "did you mean edge?"},
           Case{"world: { services: { boks: {} } }\n", "did you mean books?"},
           Case{"world: { nlb: { a: { targets: gateway/x } } }\n", "no virtual gateway x"},
           Case{"world: { links: { client -> nowhere: 1ms } }\n", "there is no nowhere"},
           Case{"world: { clients: { edge-1: {} } }\n", "the name edge-1 is"},
           Case{"always: [ gateway/edge.activ <= 2 ]\n", "activ is not known here"},
           Case{"always: [ gateway/egde.requests <= 2 ]\n", "there is no gateway egde"},
           Case{"always: [ all is well ]\n", "must be \"THING.NUMBER <= N\""},
       }) {
    EXPECT_THAT(errors_in(with_edge(std::string(each.rest) + kStep)), HasSubstr(each.error))
        << each.rest;
  }
  for (const Case& each : {
           Case{"{ request: { from: reader, get: http://edge/ } }", "there is no client reader"},
           Case{"{ expect: { burst: { 200: 1 } } }", "is not known here"},
           Case{"{ expect: { gateway/edge: { request: 1 } } }", "did you mean requests?"},
           Case{"{ request: GET http://edge/, expect: { service: { name: book.shop.local } } }",
                "did you mean books.shop.local?"},
           Case{"{ raw: { on: first, send: x } }", "must name an earlier raw step"},
           Case{"{ request: { get: http://edge/, as: status } }", "no word of expect"},
       }) {
    EXPECT_THAT(errors_in(with_edge("steps: [ " + std::string(each.rest) + " ]\n")),
                HasSubstr(each.error))
        << each.rest;
  }
}

TEST(Scenario, TimesDoNotGoBackwards) {
  EXPECT_THAT(errors_in(with_edge("steps: [ { at: 2s, request: GET http://edge/ }, "
                                  "{ at: 1s, request: GET http://edge/ } ]\n")),
              HasSubstr("must not be before 2s"));
}

TEST(Scenario, AStepDoesOneThing) {
  EXPECT_THAT(errors_in(with_edge("steps: [ { request: GET http://edge/, wait: 1s } ]\n")),
              HasSubstr("at most one of request, requests, raw, wait"));
  EXPECT_THAT(errors_in(with_edge("steps: [ { } ]\n")), HasSubstr("must have one of request"));
  EXPECT_THAT(errors_in(with_edge("steps: [ ]\n")), HasSubstr("at least 1"));
}

TEST(Scenario, TextsThatYamlTakesForNumbersWantQuotes) {
  EXPECT_THAT(
      errors_in(with_edge("steps: [ { request: { get: http://edge/, headers: { x: 7 } } } ]\n")),
      HasSubstr("must be a string, is 7; write it in quotes"));
}

TEST(Scenario, ACharacterOfRawBytesIsOneByte) {
  const Scenario scenario = must_read(with_edge(R"(
steps:
  - raw: { to: edge, send: [ "a\xE9\0", { repeat: "\xFF", times: 3 }, { pause: 1s }, { hex: "00 e9" } ] }
)"));
  const auto& pieces = scenario.steps.at(0).raw->pieces;
  ASSERT_EQ(pieces.size(), 3U);
  EXPECT_EQ(pieces[0].bytes, std::string("a\xe9\0", 3));
  EXPECT_EQ(pieces[1].bytes, "\xff");
  EXPECT_EQ(pieces[1].times, 3U);
  EXPECT_EQ(pieces[2].bytes, std::string("\0\xe9", 2));
  EXPECT_EQ(pieces[2].pause, 1s);
  EXPECT_THAT(errors_in(with_edge("steps: [ { raw: { to: edge, send: \"\\u2713\" } } ]\n")),
              HasSubstr("no characters beyond U+00FF"));
}

TEST(Scenario, AMeshThatMustBeRefusedIsNotRun) {
  const Scenario scenario = must_read(R"(
scenario: A test
mesh: [ { virtualGateway: edge, spec: { listeners: [] } } ]
steps: [ { expect: { refused: [ { pointer: /mesh/0/spec/listeners } ] } } ]
)");
  ASSERT_TRUE(scenario.refused);
  EXPECT_TRUE(scenario.steps.empty());
  ASSERT_EQ(scenario.mesh_errors.size(), 1U);
  EXPECT_EQ(scenario.mesh_errors[0].path, "/mesh/0/spec/listeners");
}

TEST(Scenario, AMeshFileThatIsNotThereIsNamedWhereItIsAskedFor) {
  EXPECT_EQ(errors_in("scenario: A test\nmesh: { file: x.json }\nsteps: [ { wait: 1s } ]\n"),
            "2:15: /mesh/file: x.json: there is no x.json\n");
}

}  // namespace
}  // namespace conformance
