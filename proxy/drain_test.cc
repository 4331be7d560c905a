#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "proxy/gateway.h"
#include "sim/simulation.h"
#include "sim/test_peer.h"

namespace proxy {
namespace {

using namespace std::chrono_literals;
using sim::TestPeer;

constexpr const char* kGet = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";

/// A gateway of one hop that has no route: every answer is its own 404. Links take no time.
class DrainTest : public testing::Test {
 protected:
  DrainTest() {
    hop_.name = "ingress";
    hop_.port = 80;
    hop_.timers.tls_inspector = {};
    hop_.timers.drain = 500ms;
  }

  void start() {
    auto plan = std::make_shared<GatewayPlan>();
    plan->ingress = {hop_};
    plan->drain_time = 4s;
    gateway_ = std::make_unique<Gateway>(edge_, plan);
    ASSERT_TRUE(gateway_->start());
  }

  std::unique_ptr<TestPeer> connect() {
    auto peer = std::make_unique<TestPeer>(simulation_);
    peer->transport = client_.connect({edge_.address(), 80}, *peer);
    simulation_.run_for({});
    return peer;
  }
  /// The answer to a request on that connection.
  std::string ask(TestPeer& peer) {
    peer.bytes.clear();
    peer.transport->write(kGet);
    simulation_.run_for({});
    return peer.bytes;
  }
  static bool closes(const std::string& answer) {
    return answer.find("connection: close\r\n") != std::string::npos;
  }

  sim::Simulation simulation_{{.default_link = {}}};
  sim::Host& client_ = simulation_.add_host("client");
  sim::Host& edge_ = simulation_.add_host("edge");
  HopPlan hop_;
  std::unique_ptr<Gateway> gateway_;
};

TEST_F(DrainTest, AtOnceNobodyGetsInAndOldConnectionsGoOn) {
  start();
  const auto old = connect();
  EXPECT_FALSE(closes(ask(*old)));
  gateway_->drain(DrainMode::Immediate);
  EXPECT_EQ(connect()->log, "connection refused@0ms");
  EXPECT_FALSE(closes(ask(*old)));
  simulation_.run_for(2s);  // half of the drain time
  EXPECT_TRUE(closes(ask(*old)));
  EXPECT_EQ(gateway_->ready_text(), "LIVE");
  old->log.clear();
  simulation_.run_for(5s);
  EXPECT_EQ(old->log, "end@3500ms");  // the connection's own drain, and the delayed close
}

TEST_F(DrainTest, GracefullyTheListenerClosesLast) {
  start();
  gateway_->drain(DrainMode::Graceful);
  simulation_.run_for(3999ms);
  EXPECT_EQ(connect()->log, "connected@3999ms");
  simulation_.run_for(1ms);
  EXPECT_EQ(connect()->log, "connection refused@4s");
}

TEST_F(DrainTest, ItMayKeepTheListenerOpen) {
  start();
  gateway_->drain(DrainMode::GracefulKeepOpen);
  simulation_.run_for(10s);
  EXPECT_TRUE(closes(ask(*connect())));
}

TEST_F(DrainTest, EverMoreAnswersClose) {
  start();
  gateway_->drain(DrainMode::GracefulKeepOpen);
  int closing = 0;
  for (const auto wait : {900ms, 600ms, 600ms}) {
    simulation_.run_for(wait);
    int some = 0;
    for (int i = 0; i < 100; ++i) some += closes(ask(*connect())) ? 1 : 0;
    if (wait == 900ms) {
      EXPECT_EQ(some, 0);
    }
    closing += some;
  }
  EXPECT_GT(closing, 130);
  EXPECT_LT(closing, 170);
}

TEST_F(DrainTest, AFailingGatewaySaysSoAndClosesWithEveryAnswer) {
  start();
  EXPECT_EQ(gateway_->ready_text(), "LIVE");
  gateway_->set_failing(true);
  EXPECT_EQ(gateway_->ready_text(), "DRAINING");
  EXPECT_TRUE(closes(ask(*connect())));
  gateway_->set_failing(false);
  EXPECT_EQ(gateway_->ready_text(), "LIVE");
  EXPECT_FALSE(closes(ask(*connect())));
}

TEST_F(DrainTest, AConnectionIsDrainedWhenItIsOld) {
  hop_.timers.max_connection = 1s;
  start();
  const auto peer = connect();
  EXPECT_FALSE(closes(ask(*peer)));
  simulation_.run_for(1200ms);
  EXPECT_TRUE(closes(ask(*peer)));
  peer->log.clear();
  simulation_.run_for(5s);
  EXPECT_EQ(peer->log, "end@2500ms");
}

TEST_F(DrainTest, ASilentConnectionIsClosedAtOnce) {
  hop_.timers.connection_idle = 300ms;
  start();
  const auto peer = connect();
  simulation_.run_for(5s);
  EXPECT_EQ(peer->log, "connected@0ms end@300ms");
}

TEST_F(DrainTest, AHeadThatIsNotWholeIsAnsweredByTheFirstTimeThatIsOver) {
  struct Case {
    Duration HopTimers::*timer;
    const char* body;
  };
  for (const auto& [timer, body] : {Case{&HopTimers::request_headers, "request header timeout"},
                                    Case{&HopTimers::request, "request timeout"},
                                    Case{&HopTimers::stream_idle, "stream timeout"},
                                    Case{&HopTimers::max_stream, "downstream duration timeout"}}) {
    gateway_.reset();
    hop_.timers = {};
    hop_.timers.*timer = 300ms;
    start();
    const auto peer = connect();
    peer->log.clear();
    const auto begun = simulation_.now();
    peer->transport->write("GET / HT");
    simulation_.run_for(100ms);
    peer->transport->write("TP/1.1\r\n");
    simulation_.run_for(199ms);
    EXPECT_EQ(peer->bytes, "");
    simulation_.run_for(1ms);
    EXPECT_EQ(peer->bytes.substr(0, 12), "HTTP/1.1 408");
    EXPECT_EQ(peer->bytes.substr(peer->bytes.find("\r\n\r\n") + 4), body);
    simulation_.run_for(2s);
    EXPECT_EQ(peer->log.substr(peer->log.find(' ') + 1),
              "end@" + sim::text_of(begun.time_since_epoch() + 1300ms));
  }
}

TEST_F(DrainTest, AProxyHeaderNamesTheClient) {
  hop_.proxy_protocol = HopPlan::ProxyProtocol::Required;
  hop_.access_log = AccessLogPlan{"/log",
                                  AccessLogPlan::Kind::Text,
                                  "%DOWNSTREAM_REMOTE_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% "
                                  "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%\n",
                                  {}};
  start();
  const auto peer = connect();
  peer->transport->write("PROXY TCP6 2001:db8::1 2001:db8::2 4321 9080\r");
  simulation_.run_for(1s);
  peer->transport->write(std::string("\n") + kGet);
  simulation_.run_for({});
  EXPECT_EQ(peer->bytes.substr(0, 12), "HTTP/1.1 404");
  EXPECT_EQ(edge_.files().at("/log"), "[2001:db8::1]:4321 [2001:db8::2]:9080 10.0.0.1\n");
  EXPECT_EQ(gateway_->listeners()[0].counts.proxy_v1_found, 1U);
}

TEST_F(DrainTest, WithoutAProxyHeaderNothingIsAnswered) {
  hop_.proxy_protocol = HopPlan::ProxyProtocol::Required;
  hop_.timers.proxy_header = 700ms;
  start();
  const auto plain = connect();
  ask(*plain);
  EXPECT_EQ(plain->log, "connected@0ms reset@0ms");
  const auto unfinished = connect();
  unfinished->transport->write("PROXY TCP4");
  const auto silent = connect();
  simulation_.run_for(1s);
  EXPECT_EQ(unfinished->log, "connected@0ms reset@700ms");
  EXPECT_EQ(silent->log, "connected@0ms end@700ms");
  const ListenerCounts counts = gateway_->listeners()[0].counts;
  EXPECT_EQ(counts.proxy_absent_refused, 1U);
  EXPECT_EQ(counts.proxy_header_errors, 1U);
  EXPECT_EQ(counts.filter_timeouts, 2U);
  EXPECT_EQ(counts.connections_total, 0U);
}

}  // namespace
}  // namespace proxy
