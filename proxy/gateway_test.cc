#include "proxy/gateway.h"

#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "sim/simulation.h"

namespace proxy {
namespace {

using namespace std::chrono_literals;

std::string at(world::TimePoint time) {
  return std::to_string(
             std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch())
                 .count()) +
         "ms";
}

/// One end that remembers what it heard.
class End : public world::TransportEvents {
 public:
  explicit End(world::World& world) : world_(world) {}

  void take(std::unique_ptr<world::Transport> transport) {
    transport_ = std::move(transport);
    transport_->set_events(*this);
  }
  void on_data(std::string_view bytes) override {
    heard_ += bytes;
    heard_at_ = at(world_.now());
    if (answer_ != nullptr) answer_(*this);
  }
  void on_end() override { ended_ = "end at " + at(world_.now()); }
  void on_error(std::error_code error) override {
    ended_ = error.message() + " at " + at(world_.now());
  }

  world::World& world_;
  std::unique_ptr<world::Transport> transport_;
  std::string heard_;
  std::string heard_at_;
  std::string ended_;
  void (*answer_)(End&) = nullptr;
};

/// A client, a gateway and one service, with links of 1 ms.
///
/// The gateway takes /chapter/ to chapters.local and everything of /slow/ with a timeout of 100 ms.
class GatewayTest : public testing::Test, public world::AcceptEvents {
 protected:
  GatewayTest()
      : client_host_(simulation_.add_host("client")),
        edge_(simulation_.add_host("edge")),
        service_host_(simulation_.add_host("chapters")),
        client_(client_host_) {
    auto listener = service_host_.listen({0, 8080}, *this);
    EXPECT_TRUE(listener);
    if (listener) listener_ = std::move(*listener);
  }

  void start(GatewayPlan plan) {
    plan_ = std::make_shared<GatewayPlan>(std::move(plan));
    gateway_ = std::make_unique<Gateway>(edge_, plan_);
    ASSERT_TRUE(gateway_->start());
  }

  static GatewayPlan two_hops() {
    GatewayPlan plan;
    HopPlan ingress;
    ingress.name = "ingress";
    ingress.port = 9080;
    Cluster self;
    self.name = "self_redirect";
    self.discovery = Cluster::Discovery::Self;
    self.port = 15001;
    self.connect_timeout = 250ms;
    ingress.clusters = {self};
    VirtualHost any;
    any.domains = {"*"};
    any.routes = {route("/chapter/", "/", "chapters.local"), route("/slow/", "/", "slow.local")};
    ingress.routes.hosts = {any};
    plan.ingress = {ingress};

    HopPlan egress;
    egress.role = HopPlan::Role::Egress;
    egress.name = "egress";
    egress.port = 15001;
    Cluster node;
    node.name = "chapters";
    node.host_name = "chapters";
    node.port = 8080;
    node.connect_timeout = 1s;
    egress.clusters = {node};
    for (const char* name : {"chapters.local", "slow.local"}) {
      VirtualHost host;
      host.name = name;
      host.domains = {name};
      host.routes = {route("/", {}, {})};
      if (host.name == "slow.local") host.routes[0].timeout = 100ms;
      RetryPolicy retry;
      retry.max_retries = 2;
      retry.on_connect_failure = true;
      retry.statuses = {503};
      host.routes[0].retry = retry;
      egress.routes.hosts.push_back(host);
    }
    plan.egress = egress;
    return plan;
  }

  static Route route(const char* prefix, std::optional<std::string> rewrite,
                     std::optional<std::string> host) {
    Route route;
    route.name = prefix;
    route.path.text = prefix;
    route.prefix_rewrite = std::move(rewrite);
    route.host_rewrite = std::move(host);
    route.clusters = {{0, 1}};
    return route;
  }

  void send(std::string_view bytes) {
    if (client_.transport_ == nullptr) {
      client_.take(client_host_.connect({edge_.address(), 9080}, client_));
    }
    client_.transport_->write(bytes);
  }

  void on_accept(std::unique_ptr<world::Transport> transport) override {
    services_.push_back(std::make_unique<End>(service_host_));
    services_.back()->answer_ = answer_;
    services_.back()->take(std::move(transport));
  }

  /// The status line of the client's answer, or nothing.
  std::string status() const { return client_.heard_.substr(0, client_.heard_.find('\r')); }
  bool heard(std::string_view text) const { return client_.heard_.find(text) != std::string::npos; }

  sim::Simulation simulation_;
  sim::Host& client_host_;
  sim::Host& edge_;
  sim::Host& service_host_;
  std::unique_ptr<world::Listener> listener_;
  std::shared_ptr<GatewayPlan> plan_;
  void (*answer_)(End&) = [](End& end) {
    end.transport_->write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
  };
  std::vector<std::unique_ptr<End>> services_;
  std::unique_ptr<Gateway> gateway_;
  End client_;
};

constexpr const char* kGet = "GET /chapter/1 HTTP/1.1\r\nHost: a.example\r\n\r\n";

TEST_F(GatewayTest, ARequestPassesBothHopsAndComesBack) {
  start(two_hops());
  send(kGet);
  simulation_.run_for(1s);
  ASSERT_EQ(services_.size(), 1U);
  EXPECT_EQ(services_[0]->heard_.substr(0, 41), "GET /1 HTTP/1.1\r\nhost: chapters.local\r\nx-");
  // Connect to the gateway 2 ms, request 1 ms; connect to the service 2 ms, request 1 ms; back 2
  // ms.
  EXPECT_EQ(services_[0]->heard_at_, "6ms");
  EXPECT_EQ(client_.heard_at_, "8ms");
  EXPECT_EQ(status(), "HTTP/1.1 200 OK");
}

TEST_F(GatewayTest, ASecondRequestUsesTheSameConnections) {
  start(two_hops());
  send(kGet);
  simulation_.run_for(1s);
  send(kGet);
  simulation_.run_for(1s);
  EXPECT_EQ(services_.size(), 1U);
  EXPECT_EQ(client_.heard_at_, "1004ms");
  EXPECT_EQ(gateway_->counts().active_connections, 1U);
}

TEST_F(GatewayTest, WhatNoRouteTakesReachesNoService) {
  start(two_hops());
  send("GET /none HTTP/1.1\r\nHost: a.example\r\n\r\n");
  simulation_.run_for(1s);
  EXPECT_TRUE(services_.empty());
  EXPECT_EQ(client_.heard_,
            "HTTP/1.1 404 Not Found\r\ndate: Thu, 01 Jan 2026 00:00:00 GMT\r\nserver: envoy\r\n"
            "content-length: 0\r\n\r\n");
}

TEST_F(GatewayTest, ARequestWithoutASchemeHasNoRoute) {
  start(two_hops());
  send("GET /chapter/1 HTTP/1.1\r\nHost: a.example\r\nx-forwarded-proto:\r\n\r\n");
  simulation_.run_for(1s);
  EXPECT_EQ(status(), "HTTP/1.1 404 Not Found");
  EXPECT_TRUE(services_.empty());
}

TEST_F(GatewayTest, AnAnswerOfNotModifiedSaysNothingOfABody) {
  answer_ = [](End& end) { end.transport_->write("HTTP/1.1 304 Not Modified\r\n\r\n"); };
  start(two_hops());
  send(kGet);
  simulation_.run_for(1s);
  EXPECT_EQ(client_.heard_,
            "HTTP/1.1 304 Not Modified\r\nx-envoy-upstream-service-time: 4\r\n"
            "date: Thu, 01 Jan 2026 00:00:00 GMT\r\nserver: envoy\r\n\r\n");
}

TEST_F(GatewayTest, ARetryAfterAnAnswerWithoutBodyUsesTheSameConnection) {
  answer_ = [](End& end) {
    end.transport_->write("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n");
  };
  start(two_hops());
  send(kGet);
  simulation_.run_for(1s);
  EXPECT_EQ(status(), "HTTP/1.1 503 Service Unavailable");
  EXPECT_EQ(services_.size(), 1U);
}

TEST_F(GatewayTest, AnAnswerCutOffEndsTheConnectionASecondLaterOnEachHop) {
  answer_ = [](End& end) {
    end.transport_->write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc");
    end.transport_->close();
  };
  start(two_hops());
  send(kGet);
  simulation_.run_for(5s);
  EXPECT_EQ(status(), "HTTP/1.1 200 OK");
  EXPECT_EQ(client_.ended_, "end at 2008ms");
}

TEST_F(GatewayTest, BytesAfterTheLastAnswerResetTheConnectionWhenItEnds) {
  start(two_hops());
  send("GET /none HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n");
  simulation_.run_for(100ms);
  send(kGet);
  simulation_.run_for(5s);
  EXPECT_EQ(status(), "HTTP/1.1 404 Not Found");
  EXPECT_EQ(client_.ended_, "connection reset by peer at 1004ms");
}

TEST_F(GatewayTest, WhatIsWrongAfterAnAnswerIsNotAnsweredAgain) {
  start(two_hops());
  send("POST /none HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
  simulation_.run_for(5s);
  EXPECT_EQ(status(), "HTTP/1.1 404 Not Found");
  EXPECT_FALSE(heard("400 Bad Request"));
}

TEST_F(GatewayTest, AnUpgradeIsAnsweredByTheUpgradeOrLosesItsAnswer) {
  answer_ = [](End& end) { end.transport_->write("HTTP/1.1 101 X\r\nUpgrade: websocket\r\n\r\n"); };
  start(two_hops());
  send(
      "GET /chapter/1 HTTP/1.1\r\nHost: a.example\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
      "\r\n");
  simulation_.run_for(5s);
  EXPECT_EQ(client_.heard_,
            "HTTP/1.1 101 Switching Protocols\r\ndate: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
            "server: envoy\r\nconnection: close\r\n\r\n");
}

TEST_F(GatewayTest, APartOfAHeadIsLoggedUnlessItsEndComesWithIt) {
  for (const bool pause : {true, false}) {
    GatewayPlan plan = two_hops();
    const std::string path = pause ? "/paused" : "/at-once";
    plan.ingress[0].access_log =
        AccessLogPlan{path, AccessLogPlan::Kind::Text, "%RESPONSE_CODE% %RESPONSE_FLAGS%\n", {}};
    plan.ingress[0].port = pause ? 9080 : 9081;
    plan.egress->port = pause ? 15001 : 15002;
    auto shared = std::make_shared<GatewayPlan>(plan);
    Gateway gateway(edge_, shared);
    ASSERT_TRUE(gateway.start());
    End client(client_host_);
    client.take(client_host_.connect({edge_.address(), plan.ingress[0].port}, client));
    client.transport_->write("GET /chapter/1 HT");
    if (pause) simulation_.run_for(100ms);
    client.transport_->finish();
    simulation_.run_for(1s);
    const auto& files = edge_.files();
    const auto log = files.find(path);
    EXPECT_EQ(log == files.end() ? "" : log->second, pause ? "0 DC\n" : "");
    EXPECT_EQ(client.ended_.substr(0, 3), pause ? "end" : "con");
  }
}

TEST_F(GatewayTest, AnInterimAnswerIsTheEndOfRetries) {
  answer_ = [](End& end) {
    end.transport_->write(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 X\r\ncontent-length: 0\r\n\r\n");
  };
  start(two_hops());
  send(kGet);
  simulation_.run_for(5s);
  EXPECT_EQ(status(), "HTTP/1.1 503 Service Unavailable");
  EXPECT_EQ(services_[0]->heard_.find("GET ", 1), std::string::npos);
}

TEST_F(GatewayTest, MalformedBytesAreAnsweredAndTheConnectionEndsASecondLater) {
  start(two_hops());
  send("get / HTTP/1.1\r\n\r\n");
  simulation_.run_for(5s);
  EXPECT_EQ(status(), "HTTP/1.1 400 Bad Request");
  EXPECT_EQ(client_.heard_at_, "4ms");
  EXPECT_EQ(client_.ended_, "end at 1004ms");
}

TEST_F(GatewayTest, WaitingForTheClientToGoItSeesItsFinAndNoReset) {
  start(two_hops());
  send("get / HTTP/1.1\r\n\r\n");
  simulation_.run_for(100ms);
  EXPECT_EQ(gateway_->counts().downstream_connections, 1U);
  client_.transport_->close();
  simulation_.run_for(100ms);
  EXPECT_EQ(gateway_->counts().downstream_connections, 0U);
  client_.transport_.reset();
  send("get / HTTP/1.1\r\n\r\n");
  simulation_.run_for(100ms);
  client_.transport_->reset();
  simulation_.run_for(800ms);
  EXPECT_EQ(gateway_->counts().downstream_connections, 1U);
  simulation_.run_for(200ms);
  EXPECT_EQ(gateway_->counts().downstream_connections, 0U);
}

TEST_F(GatewayTest, AServiceThatRefusesIsTriedThreeTimes) {
  listener_.reset();
  start(two_hops());
  send(kGet);
  simulation_.run_for(1s);
  EXPECT_EQ(status(), "HTTP/1.1 503 Service Unavailable");
  EXPECT_TRUE(heard("retried and the latest reset reason: remote connection failure"));
}

TEST_F(GatewayTest, AnAnswerThatNeverComesIsCutOffAtTheRoutesTimeout) {
  answer_ = nullptr;
  start(two_hops());
  send("GET /slow/1 HTTP/1.1\r\nHost: a.example\r\n\r\n");
  simulation_.run_for(1s);
  EXPECT_EQ(status(), "HTTP/1.1 504 Gateway Timeout");
  EXPECT_TRUE(heard("upstream request timeout"));
  EXPECT_EQ(client_.heard_at_, "104ms");  // read at 3 ms, 100 ms, and 1 ms back
  EXPECT_EQ(services_[0]->ended_, "end at 104ms");
}

TEST_F(GatewayTest, AClientThatLeavesTakesItsRequestAlong) {
  answer_ = nullptr;
  start(two_hops());
  send(kGet);
  simulation_.run_for(50ms);
  client_.transport_->reset();
  simulation_.run_for(50ms);
  EXPECT_EQ(services_[0]->ended_, "end at 52ms");
  EXPECT_EQ(gateway_->counts().active_requests, 0U);
}

TEST_F(GatewayTest, AnAnswerWithoutLengthIsWholeWhetherItEndsByFinOrByReset) {
  answer_ = [](End& end) { end.transport_->write("HTTP/1.1 200 OK\r\n\r\nabc"); };
  start(two_hops());
  send(kGet);
  simulation_.run_for(50ms);
  services_[0]->transport_->reset();
  simulation_.run_for(50ms);
  EXPECT_TRUE(heard("3\r\nabc\r\n0\r\n\r\n"));
  EXPECT_EQ(client_.ended_, "");
}

TEST_F(GatewayTest, PipelinedRequestsAreAnsweredInOrderOneAtATime) {
  start(two_hops());
  send(std::string(kGet) + "GET /none HTTP/1.1\r\nHost: a.example\r\n\r\n");
  simulation_.run_for(1s);
  const std::size_t first = client_.heard_.find("200 OK");
  const std::size_t second = client_.heard_.find("404 Not Found");
  ASSERT_NE(first, std::string::npos);
  ASSERT_NE(second, std::string::npos);
  EXPECT_LT(first, second);
}

TEST_F(GatewayTest, ABodyOfAMegabyteArrivesWholeWithoutBeingHeldInMemory) {
  answer_ = [](End& end) {
    const std::size_t head = end.heard_.find("\r\n\r\n");
    if (head == std::string::npos || end.heard_.size() < head + 4 + 1'000'000) return;
    end.transport_->write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
  };
  start(two_hops());
  send("POST /chapter/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" +
       std::string(1'000'000, 'x'));
  simulation_.run_for(10s);
  EXPECT_EQ(status(), "HTTP/1.1 200 OK");
}

TEST_F(GatewayTest, EachHopWritesItsAccessLogLineTheInnerOneFirst) {
  GatewayPlan plan = two_hops();
  plan.ingress[0].access_log = AccessLogPlan{
      "/dev/stdout", AccessLogPlan::Kind::Text, "%RESPONSE_CODE% %UPSTREAM_HOST%\n", {}};
  plan.egress->access_log = plan.ingress[0].access_log;
  start(std::move(plan));
  send(kGet);
  simulation_.run_for(1s);
  EXPECT_EQ(edge_.files().find("/dev/stdout")->second, "200 10.0.0.3:8080\n200 127.0.0.1:15001\n");
}

TEST_F(GatewayTest, ABadLogFormatKeepsTheGatewayFromStarting) {
  GatewayPlan plan = two_hops();
  plan.ingress[0].access_log = AccessLogPlan{"/l", AccessLogPlan::Kind::Text, "%NONSENSE%", {}};
  Gateway gateway(edge_, std::make_shared<GatewayPlan>(plan));
  const auto started = gateway.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().message, "%NONSENSE% is not an operator of the access log");
}

TEST_F(GatewayTest, ThePoolQueuesAndRefusesAsItsLimitsSay) {
  answer_ = nullptr;
  GatewayPlan plan = two_hops();
  plan.ingress[0].clusters[0].limits.max_connections = 1;
  plan.ingress[0].clusters[0].limits.max_pending_requests = 1;
  start(std::move(plan));
  std::vector<std::unique_ptr<End>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(std::make_unique<End>(client_host_));
    clients.back()->take(client_host_.connect({edge_.address(), 9080}, *clients.back()));
    clients.back()->transport_->write(kGet);
    simulation_.run_for(10ms);
  }
  EXPECT_EQ(gateway_->counts().active_connections, 1U);
  EXPECT_EQ(gateway_->counts().pending_requests, 1U);
  EXPECT_EQ(gateway_->counts().overflow_total, 1U);
  EXPECT_EQ(clients[0]->heard_, "");
  EXPECT_EQ(clients[1]->heard_, "");
  EXPECT_NE(clients[2]->heard_.find("reset reason: overflow"), std::string::npos);
  EXPECT_NE(clients[2]->heard_.find("x-envoy-overloaded: true"), std::string::npos);
}

}  // namespace
}  // namespace proxy
