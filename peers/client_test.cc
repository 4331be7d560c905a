#include "peers/client.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

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
    lines.push_back(fmt::format("{} {}@{}", outcome.id, what, ms(outcome.ended)));
    bodies.emplace_back(outcome.body);
    flows.push_back(outcome.flow);
    sent.push_back(ms(outcome.sent));
    last_interim = outcome.interim_status;
    if (then) std::exchange(then, nullptr)();
  }
  std::string text() const { return fmt::format("{}", fmt::join(lines, ", ")); }

  std::vector<std::string> lines;
  std::vector<std::string> bodies;
  std::vector<std::uint64_t> flows;
  std::vector<std::int64_t> sent;
  std::uint16_t last_interim = 0;
  std::function<void()> then;
};

/// A client and a service, 1 ms apart.
class ClientTest : public testing::Test {
 protected:
  ClientTest()
      : client_host(simulation.add_host("client")),
        server_host(simulation.add_host("server")),
        service(server_host, {.service = "books", .endpoint = "books-1", .port = 80}) {
    EXPECT_TRUE(service.start());
  }

  void answer(Answer answer) { service.set_behaviour(Behaviour::always(std::move(answer))); }
  void answer_raw(std::vector<RawStep> steps, Answer::Then then = Answer::Then::Keep) {
    Answer one;
    one.raw = std::move(steps);
    one.then = then;
    answer(one);
  }
  Client& make(ConnectionPolicy policy) {
    client =
        std::make_unique<Client>(client_host, ClientOptions{.policy = policy, .observer = &story});
    return *client;
  }
  RequestSpec get(std::string target = "/") {
    RequestSpec spec;
    spec.host = "server";
    spec.target = std::move(target);
    return spec;
  }
  RequestSpec get_here() {
    RequestSpec spec = get();
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
  Service service;
  Story story;
  std::unique_ptr<Client> client;
};

TEST_F(ClientTest, ResolvesConnectsAndAsks) {
  answer(ok());
  make(ConnectionPolicy::One).send(get());
  simulation.run();
  // 1 ms for the name, 2 ms for the handshake, 2 ms for the exchange.
  EXPECT_EQ(story.text(), "1 200@5");
  EXPECT_EQ(story.sent, (std::vector<std::int64_t>{3}));
  EXPECT_EQ(story.bodies.front(), "ok");
}

TEST_F(ClientTest, OneConnectionCarriesOneRequestAfterAnother) {
  answer(ok());
  Client& one = make(ConnectionPolicy::One);
  for (int i = 0; i < 3; ++i) one.send(get_here());
  simulation.run();
  EXPECT_EQ(story.text(), "1 200@4, 2 200@6, 3 200@8");
  EXPECT_EQ(one.counts().opened, 1U);
}

TEST_F(ClientTest, PipelinedRequestsAreSentAtOnce) {
  answer(ok());
  Client& one = make(ConnectionPolicy::Pipeline);
  for (int i = 0; i < 3; ++i) one.send(get_here());
  simulation.run();
  EXPECT_EQ(story.text(), "1 200@4, 2 200@4, 3 200@4");
  EXPECT_EQ(one.counts().opened, 1U);
}

TEST_F(ClientTest, ManyConnectionsAreUsedAgainWhenTheyAreIdle) {
  answer(ok());
  Client& many = make(ConnectionPolicy::Many);
  for (int i = 0; i < 3; ++i) many.send(get_here());
  simulation.run();
  EXPECT_EQ(many.counts().opened, 3U);
  for (int i = 0; i < 4; ++i) many.send(get_here());
  simulation.run();
  EXPECT_EQ(many.counts().opened, 4U);
  EXPECT_EQ(story.text(), "1 200@4, 2 200@4, 3 200@4, 4 200@6, 5 200@6, 6 200@6, 7 200@8");
  many.close_idle();
  simulation.run();
  EXPECT_EQ(many.counts().connections, 0U);
  EXPECT_EQ(service.counts().connections, 0U);
}

TEST_F(ClientTest, NewConnectionsAreClosedAfterTheAnswer) {
  answer(ok());
  Client& fresh = make(ConnectionPolicy::New);
  fresh.send(get_here());
  fresh.send(get_here());
  simulation.run();
  EXPECT_EQ(story.text(), "1 200@4, 2 200@4");
  EXPECT_EQ(fresh.counts().opened, 2U);
  EXPECT_EQ(fresh.counts().connections, 0U);
}

TEST_F(ClientTest, ConnectionCloseEndsTheConnection) {
  Answer last = ok();
  last.headers = {{"Connection", "close"}};
  answer(last);
  Client& one = make(ConnectionPolicy::One);
  one.send(get_here());
  one.send(get_here());
  simulation.run();
  EXPECT_EQ(one.counts().opened, 2U);
  EXPECT_EQ(story.text(), "1 200@4, 2 200@8");
}

TEST_F(ClientTest, SaysWhyARequestFailed) {
  struct Case {
    std::vector<RawStep> steps;
    Answer::Then then;
    const char* story;
  };
  const Case cases[] = {
      {{}, Answer::Then::Reset, "connection reset before an answer@4"},
      {{RawStep::act(RawStep::Kind::Close)}, Answer::Then::Keep, "closed before an answer@4"},
      {{RawStep::send("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nab")},
       Answer::Then::Close,
       "closed in the middle of an answer@4"},
      {{RawStep::send("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nab"), RawStep::wait(5ms)},
       Answer::Then::Reset,
       "connection reset in the middle of an answer@9"},
      {{RawStep::send("SSH-2.0-x\r\n\r\n")}, Answer::Then::Keep, "not an HTTP answer@4"},
      {{RawStep::send("HTTP/1.1 200 OK\r\n\r\nall"), RawStep::wait(3ms)},
       Answer::Then::Close,
       "200@7"},
  };
  for (const Case& one : cases) {
    Answer told;
    told.raw = one.steps;
    told.never = one.steps.empty();
    told.then = one.then;
    answer(told);
    story.lines.clear();
    const std::int64_t start = ms(simulation.now());
    make(ConnectionPolicy::One).send(get_here());
    simulation.run();
    ASSERT_EQ(story.lines.size(), 1U) << one.story;
    const std::string line = story.lines.front();
    const std::size_t at = line.rfind('@') + 1;
    EXPECT_EQ(line.substr(2, at - 2) + std::to_string(std::stoll(line.substr(at)) - start),
              one.story);
  }
}

TEST_F(ClientTest, SaysWhyThereWasNoConnection) {
  Client& one = make(ConnectionPolicy::Many);
  RequestSpec spec = get();
  spec.port = 81;
  one.send(spec);
  spec.host = "nowhere";
  one.send(spec);
  spec.host = "10.9.9.9";
  one.send(spec);
  simulation.run();
  EXPECT_EQ(story.text(),
            "3 no route to host@0, 2 name does not resolve: nowhere@1, 1 connection refused@3");
  EXPECT_EQ(one.counts().failed, 3U);
  EXPECT_EQ(one.counts().waiting(), 0U);
}

TEST_F(ClientTest, TriesTheNextAddressWhenOneRefuses) {
  answer(ok());
  sim::Host& other = simulation.add_host("other");
  simulation.names().set("both", {.addresses = {other.address(), server_host.address()}});
  RequestSpec spec = get();
  spec.host = "both";
  make(ConnectionPolicy::One).send(spec);
  simulation.run();
  EXPECT_EQ(story.text(), "1 200@7");  // 1 ms name, 2 ms refused, 2 ms handshake, 2 ms exchange
}

TEST_F(ClientTest, GivesUpAfterItsTime) {
  answer(Answer::hang());
  Client& one = make(ConnectionPolicy::One);
  RequestSpec spec = get_here();
  spec.timeout = 50ms;
  one.send(spec);
  one.send(spec);
  simulation.run();
  EXPECT_EQ(story.text(), "1 timed out waiting@50, 2 timed out waiting@50");
  EXPECT_EQ(one.counts().connections, 0U);
}

TEST_F(ClientTest, PipelinedRequestsBehindTheLastAnswerFail) {
  Answer last = ok();
  last.headers = {{"connection", "close"}};
  answer(last);
  Client& one = make(ConnectionPolicy::Pipeline);
  one.send(get_here());
  one.send(get_here());
  simulation.run();
  EXPECT_EQ(story.text(), "1 200@4, 2 closed before an answer@4");
}

TEST_F(ClientTest, AnObserverMayAskAgainAndGiveUp) {
  answer(ok());
  Client& one = make(ConnectionPolicy::One);
  one.send(get_here());
  const std::uint64_t second = one.send(get_here());
  story.then = [&] {
    one.send(get_here());
    EXPECT_TRUE(one.give_up(second));
    EXPECT_FALSE(one.give_up(second));
  };
  simulation.run();
  // The second was already sent: giving it up costs the connection, and the third opens another.
  EXPECT_EQ(story.text(), "1 200@4, 2 given up@4, 3 200@8");
}

TEST_F(ClientTest, HoldsTheBodyBackUntilItIsAskedFor) {
  Answer echo;
  echo.trigger = Answer::Trigger::Continue;
  answer(echo);
  RequestSpec spec = get_here();
  spec.method = "POST";
  spec.body = "later";
  spec.await_continue = true;
  make(ConnectionPolicy::One).send(spec);
  simulation.run();
  EXPECT_EQ(story.text(), "1 200@6");
  EXPECT_EQ(story.last_interim, 100);
  EXPECT_NE(story.bodies.front().find("\"body\":\"later\""), std::string::npos);
}

TEST_F(ClientTest, TheAnswerToHeadHasNoBody) {
  answer(ok());
  Client& one = make(ConnectionPolicy::One);
  RequestSpec spec = get_here();
  spec.method = "HEAD";
  one.send(spec);
  one.send(get_here());
  simulation.run();
  EXPECT_EQ(story.text(), "1 200@4, 2 200@6");
  EXPECT_EQ(story.bodies, (std::vector<std::string>{"", "ok"}));
  EXPECT_EQ(one.counts().opened, 1U);
}

TEST_F(ClientTest, AConnectionThatClosesWhileItIsIdleIsForgotten) {
  answer(ok());
  Client& one = make(ConnectionPolicy::One);
  one.send(get_here());
  simulation.run();
  service.drop_connections(false);
  simulation.run();
  EXPECT_EQ(one.counts().connections, 0U);
  one.send(get_here());
  simulation.run();
  EXPECT_EQ(story.text(), "1 200@4, 2 200@10");  // asked at 6 ms, when both FINs had arrived
}

TEST_F(ClientTest, LeavesItsEventsInTheTrace) {
  struct Sink final : world::TraceSink {
    void on_event(const world::TraceEvent& event) override {
      if (event.kind < world::TraceKind::RequestSent ||
          event.kind > world::TraceKind::RequestFailed)
        return;
      text +=
          fmt::format("{} {} {} {}; ", ms(event.at), world::name_of(event.kind), event.a, event.b);
    }
    std::string text;
  } sink;
  simulation.trace().add_sink(sink);
  answer(ok());
  make(ConnectionPolicy::One).send(get_here());
  simulation.run();
  EXPECT_EQ(sink.text,
            "2 request-sent 1 0; 3 request-seen 1 0; 3 response-sent 1 200; "
            "4 response-received 1 200; ");
  simulation.trace().remove_sink(sink);
}

TEST_F(ClientTest, MayBeDestroyedWithRequestsUnderWay) {
  answer(Answer::hang());
  for (const world::Duration lived : {0ms, 1ms, 2ms, 3ms}) {
    Client& one = make(ConnectionPolicy::Many);
    one.send(get());
    one.send(get_here());
    simulation.run_for(lived);
    client.reset();
    simulation.run();
  }
  EXPECT_EQ(story.text(), "");
  EXPECT_EQ(service.counts().connections, 0U);
}

}  // namespace
}  // namespace peers
