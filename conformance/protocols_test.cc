#include <gmock/gmock.h>

#include "conformance/engine.h"
#include "conformance/test_scenario.h"

namespace conformance {
namespace {

using testing::HasSubstr;

/// A gateway whose listener speaks `protocol`, and a route to books.shop.local.
std::string with_listener(const std::string& protocol, const std::string& rest) {
  const std::string route = protocol == "grpc" ? "grpcRoute: { match: { serviceName: shop.Books }"
                            : protocol == "http2" ? "http2Route: { match: { prefix: / }"
                                                  : "httpRoute: { match: { prefix: / }";
  return "scenario: A test\nmesh:\n  - virtualGateway: edge\n    spec: { listeners: [ { "
         "portMapping: "
         "{ port: 9080, protocol: " +
         protocol + " } } ] }\n  - gatewayRoute: all\n    virtualGateway: edge\n    spec: { " +
         route +
         ", action: { target: { virtualService: { virtualServiceName: books.shop.local } } } } "
         "}\n" +
         rest;
}

std::string broken_in(const RunResult& result) {
  std::string all;
  for (const Check& check : result.checks) {
    if (!check.passed) all += check.name + ": " + check.expected + ", is " + check.actual + "\n";
  }
  return all;
}

TEST(Protocols, ClientsSpeakWhatTheListenerTakes) {
  const char* const step = "steps: [ { request: GET http://edge/x } ]\n";
  const auto protocol = [&](const std::string& of) {
    return must_read(with_listener(of, step)).steps[0].request->request.protocol;
  };
  EXPECT_EQ(protocol("http"), peers::Protocol::Http1);
  EXPECT_EQ(protocol("http2"), peers::Protocol::Http2);
  EXPECT_EQ(protocol("grpc"), peers::Protocol::Http2);
  const Scenario through_balancer = must_read(with_listener("http2", R"(
world: { nlb: { front: { dns: shop.example.com, targets: gateway/edge } } }
steps:
  - request: GET http://shop.example.com/x
  - request: { get: http://shop.example.com/x, protocol: http1 }
)"));
  EXPECT_EQ(through_balancer.steps[0].request->request.protocol, peers::Protocol::Http2);
  EXPECT_EQ(through_balancer.steps[1].request->request.protocol, peers::Protocol::Http1);
}

TEST(Protocols, OverlappingRequestsOfOneConnectionAreToldApart) {
  const RunResult result = run(must_read(with_listener("http2", R"(
world: { services: { books: { respond: [ { body: slow, after: 1s }, { body: quick } ] } } }
steps:
  - at: 0s
    request: { get: http://edge/first, as: first }
  - at: 100ms
    request: { get: http://edge/second, as: second }
  - at: 2s
    expect:
      first: { body: slow, service: { path: /first, count: 1 } }
      second: { body: quick, service: { path: /second, count: 1 } }
      client/client: { opened: 1 }
)")));
  EXPECT_EQ(broken_in(result), "");
}

TEST(Protocols, CallsAndFramesAreReported) {
  const RunResult call = run(must_read(with_listener("grpc", R"(
world: { services: { books: { respond: { grpc: { messages: [ pong ], status: ABORTED, message: so } } } } }
steps:
  - grpc: { call: http://edge/shop.Books/Get, messages: [ ping ] }
    expect: { grpcStatus: 10, grpcMessage: so, messages: [ { text: { startsWith: po }, at: 9ms } ] }
)")));
  EXPECT_EQ(broken_in(call), "");
  ASSERT_EQ(call.requests.size(), 1U);
  ASSERT_TRUE(call.requests[0].grpc);
  EXPECT_EQ(call.requests[0].grpc->status, 10U);
  EXPECT_EQ(call.requests[0].seen.at(0).messages, std::vector<std::string>{"ping"});

  const RunResult socket = run(must_read(with_listener("http", R"(
world: { services: { books: { respond: { websocket: echo } } } }
steps:
  - websocket: { open: ws://edge/chat, send: [ hi, { await: 1 }, { close: 1000 } ] }
    expect: { frames: [ hi, { close: 1000 } ] }
)")));
  EXPECT_EQ(broken_in(socket), "");
  ASSERT_EQ(socket.requests.at(0).frames.size(), 2U);
  EXPECT_EQ(socket.requests[0].frames[1].kind, "close");
  EXPECT_EQ(socket.requests[0].frames[1].code, 1000);
}

TEST(Protocols, AFailedCheckSaysWhatCame) {
  const RunResult result = run(must_read(with_listener("grpc", R"(
world: { services: { books: { respond: { grpc: { messages: [ one, { hex: "00 ff" } ] } } } } }
steps:
  - grpc: { call: http://edge/shop.Books/Get, messages: [ x ] }
    expect: { messages: [ one ], grpcStatus: INTERNAL }
)")));
  EXPECT_EQ(broken_in(result),
            "steps/0/grpcStatus: INTERNAL, is 0 OK\nsteps/0/messages: 1, is 2: one, {hex: 00ff}\n");
}

TEST(Protocols, WhatAProtocolLacksIsAnError) {
  EXPECT_THAT(errors_in(with_listener("http", R"(
world: { services: { books: { respond: { trailers: { a: b }, reset: CANCEL } } } }
steps:
  - request: { get: http://edge/x, trailers: { a: b } }
)")),
              testing::AllOf(HasSubstr("trailers: needs protocol: http2"),
                             HasSubstr("trailers: needs a service that speaks HTTP/2"),
                             HasSubstr("must be true or false: the service speaks HTTP/1")));
  EXPECT_THAT(errors_in(with_listener("http2", R"(
world: { services: { books: { respond: { websocket: echo } } } }
steps:
  - grpc: { call: http://edge/shop.Books/Get, messages: [ { json: { a: 1 } } ] }
  - request: GET http://edge/x
    expect: { frames: [], grpcStatus: 99 }
)")),
              testing::AllOf(HasSubstr("websocket: needs a service that speaks HTTP/1"),
                             HasSubstr("json: needs the file's protos"),
                             HasSubstr("frames: is not known here")));
}

}  // namespace
}  // namespace conformance
