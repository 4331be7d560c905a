#include <fmt/format.h>
#include <gtest/gtest.h>

#include "peers/client.h"
#include "peers/grpc.h"
#include "peers/service.h"
#include "sim/simulation.h"

namespace peers {
namespace {

using namespace std::chrono_literals;

std::int64_t ms(world::TimePoint at) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(at.time_since_epoch()).count();
}

/// Writes down each outcome as "number status@milliseconds" or "number failure@milliseconds".
struct Story final : ClientObserver {
  void on_outcome(const RequestOutcome& outcome) override {
    const std::string what =
        outcome.ok() ? std::to_string(outcome.status) : std::string(outcome.failure);
    text +=
        fmt::format("{}{} {}@{}", text.empty() ? "" : ", ", outcome.id, what, ms(outcome.ended));
    body = outcome.body;
    head = outcome.head;
    interim = outcome.interim_status;
    trailers.clear();
    for (const HeaderLine& line : outcome.trailers) {
      trailers += fmt::format("{}={} ", line.name, line.value);
    }
    data.clear();
    for (const DataMark& mark : outcome.data)
      data += fmt::format("{}@{} ", mark.bytes, ms(mark.at));
    grpc = grpc_outcome(outcome);
    if (then) std::exchange(then, nullptr)();
  }
  std::string text, body, head, trailers, data;
  std::uint16_t interim = 0;
  GrpcOutcome grpc;
  std::function<void()> then;
};

struct SeenStory final : ServiceObserver {
  void on_request(const SeenRequest& request) override {
    text += fmt::format("{}.{}:{} {}({}) ", request.connection, request.stream, request.head.method,
                        request.head.target, request.body);
    for (const HeaderLine& line : request.trailers) {
      text += fmt::format("{}={} ", line.name, line.value);
    }
    messages = grpc_messages(request.body);
  }
  void on_connection(std::uint64_t connection, ConnectionEvent event) override {
    const char* const names[] = {"accepted", "end", "reset", "bad", "closed"};
    connections += fmt::format("{}:{} ", connection, names[static_cast<int>(event)]);
  }
  std::string text, connections;
  std::vector<std::string> messages;
};

/// A client and a service that speak HTTP/2, 1 ms apart.
class Http2Test : public testing::Test {
 protected:
  Http2Test()
      : client_host(simulation.add_host("client")),
        server_host(simulation.add_host("server")),
        service(server_host, {.service = "books",
                              .endpoint = "books-1",
                              .port = 80,
                              .protocol = Protocol::Http2,
                              .observer = &seen}) {
    EXPECT_TRUE(service.start());
    make(ConnectionPolicy::One);
  }

  void answer(Answer answer) { service.set_behaviour(Behaviour::always(std::move(answer))); }
  Client& make(ConnectionPolicy policy) {
    client =
        std::make_unique<Client>(client_host, ClientOptions{.policy = policy, .observer = &story});
    return *client;
  }
  /// No name is asked: the connection is there after 2 ms.
  RequestSpec get(std::string target = "/") {
    RequestSpec spec;
    spec.host = "server";
    spec.target = std::move(target);
    spec.protocol = Protocol::Http2;
    spec.address = world::Endpoint{server_host.address(), 80};
    return spec;
  }
  static Answer ok() {
    Answer one;
    one.body = "ok";
    return one;
  }

  sim::Simulation simulation;
  sim::Host& client_host;
  sim::Host& server_host;
  SeenStory seen;
  Service service;
  Story story;
  std::unique_ptr<Client> client;
};

TEST_F(Http2Test, AnswersLookLikeThoseOfHttp1) {
  Answer one = ok();
  one.headers = {{"X-One", "1"}};
  answer(one);
  client->send(get("/a?b"));
  simulation.run();
  EXPECT_EQ(story.text, "1 200@4");  // 2 ms to connect, 2 ms there and back
  EXPECT_EQ(story.head, "HTTP/2 200\r\nx-one: 1\r\ncontent-length: 2\r\n\r\n");
  EXPECT_EQ(story.body, "ok");
  EXPECT_EQ(seen.text, "1.1:GET /a?b() ");
}

TEST_F(Http2Test, EchoesWhatItSaw) {
  RequestSpec spec = get();
  spec.method = "POST";
  spec.body = "hi";
  spec.trailers = {{"x-end", "1"}};
  client->send(spec);
  simulation.run();
  EXPECT_EQ(story.body, R"({"service":"books","endpoint":"books-1","method":"POST","path":"/",)"
                        R"("host":"server","headers":[["host","server"]],"body":"hi",)"
                        R"("trailers":[["x-end","1"]]})");
}

TEST_F(Http2Test, RequestsShareOneConnection) {
  Answer slow = ok();
  slow.after = 10ms;
  answer(slow);
  for (int i = 0; i < 3; ++i) client->send(get());
  simulation.run();
  EXPECT_EQ(story.text, "1 200@14, 2 200@14, 3 200@14");
  EXPECT_EQ(seen.text, "1.1:GET /() 1.3:GET /() 1.5:GET /() ");
  EXPECT_EQ(client->counts().opened, 1U);
  client->send(get());  // and so does a later one
  simulation.run();
  EXPECT_EQ(client->counts().opened, 1U);
  EXPECT_EQ(client->counts().connections, 1U);
}

TEST_F(Http2Test, OneConnectionForEachRequestIfAsked) {
  make(ConnectionPolicy::New);
  for (int i = 0; i < 2; ++i) client->send(get());
  simulation.run();
  EXPECT_EQ(story.text, "1 200@4, 2 200@4");
  EXPECT_EQ(client->counts().opened, 2U);
  EXPECT_EQ(client->counts().connections, 0U);
  EXPECT_EQ(seen.connections, "1:accepted 2:accepted 1:end 1:closed 2:end 2:closed ");
}

TEST_F(Http2Test, BodiesGoInPiecesAndPauses) {
  RequestSpec spec = get();
  spec.method = "POST";
  spec.pieces = {{0ms, "ab"}, {5ms, "cd"}};
  Answer one;
  one.mirror = true;
  one.trailers = {{"x-sum", "4"}};
  answer(one);
  client->send(spec);
  simulation.run();
  EXPECT_EQ(story.text, "1 200@9");
  EXPECT_EQ(story.body, "abcd");
  EXPECT_EQ(story.data, "2@4 4@9 ");
  EXPECT_EQ(story.trailers, "x-sum=4 ");
}

TEST_F(Http2Test, AnswersGoInPiecesAndPauses) {
  Answer one;
  one.pieces = {{3ms, "a"}, {3ms, "b"}};
  answer(one);
  client->send(get());
  simulation.run();
  EXPECT_EQ(story.data, "1@7 2@10 ");
  EXPECT_EQ(story.text, "1 200@10");
}

TEST_F(Http2Test, AwaitsContinue) {
  RequestSpec spec = get();
  spec.method = "POST";
  spec.body = "hi";
  spec.await_continue = true;
  Answer one = ok();
  one.trigger = Answer::Trigger::Continue;
  answer(one);
  client->send(spec);
  simulation.run();
  EXPECT_EQ(story.text, "1 200@6");
  EXPECT_EQ(story.interim, 100);
  EXPECT_EQ(seen.text, "1.1:POST /(hi) ");
}

TEST_F(Http2Test, ResetsSayTheirCode) {
  Answer one;
  one.never = true;
  one.reset_stream = wire::http2::ErrorCode::RefusedStream;
  answer(one);
  client->send(get());
  simulation.run();
  EXPECT_EQ(story.text, "1 stream reset: REFUSED_STREAM@4");
  one = ok();
  one.reset_stream = wire::http2::ErrorCode::Cancel;
  answer(one);
  client->send(get());
  simulation.run();
  EXPECT_EQ(story.text, "1 stream reset: REFUSED_STREAM@4, 2 stream reset: CANCEL@7");
  EXPECT_EQ(story.head.substr(0, 10), "HTTP/2 200");
  EXPECT_EQ(story.body, "ok");
  EXPECT_EQ(client->counts().connections, 1U);
}

TEST_F(Http2Test, ACancelledRequestLeavesTheOthers) {
  Answer slow = ok();
  slow.after = 10ms;
  answer(slow);
  RequestSpec spec = get();
  spec.cancel_after = 5ms;
  client->send(spec);
  client->send(get());
  simulation.run();
  EXPECT_EQ(story.text, "1 cancelled@5, 2 200@14");
  EXPECT_EQ(service.counts().answers, 1U);
}

TEST_F(Http2Test, AfterGoawayTheNextRequestOpensAnother) {
  Answer one = ok();
  one.goaway = true;
  answer(one);
  client->send(get());
  simulation.run();
  EXPECT_EQ(story.text, "1 200@4");
  EXPECT_EQ(client->counts().connections, 0U);
  client->send(get());
  simulation.run();
  EXPECT_EQ(client->counts().opened, 2U);
  EXPECT_EQ(client->counts().answered, 2U);
}

TEST_F(Http2Test, AClosedConnectionFailsAllItsRequests) {
  service.set_behaviour(Behaviour::always(Answer::abort()));
  client->send(get());
  client->send(get());
  simulation.run();
  EXPECT_EQ(story.text,
            "1 connection reset before an answer@4, 2 connection reset before an answer@4");
  EXPECT_EQ(client->counts().waiting(), 0U);
}

TEST_F(Http2Test, NobodyListening) {
  service.stop();
  client->send(get());
  simulation.run();
  EXPECT_EQ(story.text, "1 connection refused@2");
}

TEST_F(Http2Test, AnotherRequestMayBeSentWhileAnOutcomeIsTold) {
  answer(ok());
  story.then = [this] { client->send(get()); };
  client->send(get());
  simulation.run();
  EXPECT_EQ(story.text, "1 200@4, 2 200@6");
}

TEST_F(Http2Test, UnaryCall) {
  GrpcReply reply;
  reply.messages = {{0ms, "pong"}};
  reply.trailers = {{"x-cost", "3"}};
  answer(grpc_answer({}, reply));
  client->send(grpc_call(get(), "/shop.Books/Get", {{0ms, "ping"}}));
  simulation.run();
  EXPECT_EQ(story.text, "1 200@4");
  ASSERT_EQ(story.grpc.messages.size(), 1U);
  EXPECT_EQ(story.grpc.messages[0].bytes, "pong");
  EXPECT_EQ(story.grpc.status, 0U);
  EXPECT_EQ(story.trailers, "x-cost=3 grpc-status=0 ");
  EXPECT_EQ(seen.messages, std::vector<std::string>{"ping"});
}

TEST_F(Http2Test, StreamsInBothDirections) {
  GrpcReply reply;
  reply.echo = true;
  reply.status = 11;
  reply.message = "at the end\n";
  answer(grpc_answer({}, reply));
  client->send(grpc_call(get(), "/shop.Books/Chat", {{0ms, "a"}, {5ms, "b"}, {5ms, "c"}}));
  simulation.run();
  std::string told;
  for (const auto& message : story.grpc.messages) {
    told += fmt::format("{}@{} ", message.bytes, ms(message.at));
  }
  EXPECT_EQ(told, "a@4 b@9 c@14 ");
  EXPECT_EQ(story.grpc.status, 11U);
  EXPECT_EQ(story.grpc.message, "at the end\n");
}

TEST_F(Http2Test, AnErrorMayComeInTheHeadersAlone) {
  GrpcReply reply;
  reply.status = 12;
  reply.trailers_only = true;
  answer(grpc_answer({}, reply));
  client->send(grpc_call(get(), "/shop.Books/None", {}));
  simulation.run();
  EXPECT_EQ(story.head, "HTTP/2 200\r\ncontent-type: application/grpc\r\ngrpc-status: 12\r\n\r\n");
  EXPECT_EQ(story.grpc.status, 12U);
  EXPECT_TRUE(story.grpc.messages.empty());
}

}  // namespace
}  // namespace peers
