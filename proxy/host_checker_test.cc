#include "proxy/host_checker.h"

#include <memory>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "sim/test_peer.h"
#include "wire/grpc_health.h"
#include "wire/http2/session.h"

namespace proxy {
namespace {

using namespace std::chrono_literals;
using Kind = HealthCheckPlan::Kind;

/// A checker and an endpoint 1 ms away, which writes down what it hears.
class HostCheckerTest : public testing::Test, public HostCheckEvents {
 protected:
  HostCheckerTest() {
    cluster_.name = "items";
    HealthCheckPlan check;
    check.interval = 100ms;
    check.timeout = 50ms;
    check.no_traffic_interval = 1s;
    check.healthy_threshold = check.unhealthy_threshold = 2;
    check.path = "/ping";
    cluster_.health_check = check;
    traffic_.connections_total = 1;
  }
  HealthCheckPlan& check() { return *cluster_.health_check; }
  /// `answer` is written whenever something is heard.
  void begin(std::string answer = {}) {
    server_.setup = [answer](sim::TestPeer& peer) {
      peer.then = [&peer, answer](std::string_view event) {
        if (event == "data" && !answer.empty()) peer.transport->write(answer);
      };
    };
    checker_.emplace(edge_, cork_, cluster_, endpoint_, traffic_, counts_, *this);
    checker_->start();
  }
  void until(world::Duration time) { simulation_.run_until(world::TimePoint(time)); }
  const std::string& heard(std::size_t connection) const {
    return server_.accepted.at(connection)->log;
  }

  void on_checked(HostChecker&, CheckResult result, CheckState::Transition) override {
    story_ += story_.empty() ? "" : " ";
    story_ += result == CheckResult::Success          ? "good@"
              : result == CheckResult::NetworkFailure ? "nothing@"
                                                      : "bad@";
    story_ += sim::text_of(simulation_.now().time_since_epoch());
  }

  sim::Simulation simulation_;
  sim::Host& edge_ = simulation_.add_host("edge");
  sim::Host& service_ = simulation_.add_host("service");
  sim::TestServer server_{simulation_, service_};
  Cork cork_;
  Cluster cluster_;
  world::Endpoint endpoint_{service_.address(), 80};
  PoolCounts traffic_;
  HealthCounts counts_;
  std::optional<HostChecker> checker_;
  std::string story_;
};

constexpr const char* kGood = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

TEST_F(HostCheckerTest, AnHttpProbeIsThreeLines) {
  begin(kGood);
  until(10ms);
  EXPECT_EQ(server_.accepted.at(0)->bytes,
            "GET /ping HTTP/1.1\r\nhost: items\r\nuser-agent: Envoy/HC\r\n\r\n");
  EXPECT_EQ(story_, "good@4ms");  // a round trip for the connection, one for the probe
  EXPECT_TRUE(checker_->healthy());
}

TEST_F(HostCheckerTest, AnHttpProbeSaysTheHostThatWasGiven) {
  check().host = "ping.example";
  begin(kGood);
  until(10ms);
  EXPECT_NE(server_.accepted.at(0)->bytes.find("\r\nhost: ping.example\r\n"), std::string::npos);
}

TEST_F(HostCheckerTest, ProbesFollowTheEndOfTheFormerOnTheSameConnection) {
  begin(kGood);
  until(300ms);
  EXPECT_EQ(story_, "good@4ms good@106ms good@208ms");
  EXPECT_EQ(server_.accepted.size(), 1U);
}

TEST_F(HostCheckerTest, WithoutReuseEachProbeHasItsConnection) {
  check().reuse_connection = false;
  begin(kGood);
  until(300ms);
  EXPECT_EQ(story_, "good@4ms good@108ms good@212ms");
  EXPECT_EQ(server_.accepted.size(), 3U);
}

TEST_F(HostCheckerTest, BeforeTrafficAnotherIntervalHolds) {
  traffic_.connections_total = 0;
  begin(kGood);
  until(1100ms);
  EXPECT_EQ(story_, "good@4ms good@1006ms");
}

TEST_F(HostCheckerTest, ATimeoutEndsTheConnectionAndTheNextProbeMakesOne) {
  begin();
  until(210ms);
  EXPECT_EQ(story_, "nothing@50ms nothing@200ms");
  EXPECT_EQ(server_.log, "3ms 153ms");
  EXPECT_EQ(heard(0), "data57@3ms end@51ms");
}

TEST_F(HostCheckerTest, EdgeIntervalsHoldWhileAChangeIsNear) {
  check().unhealthy_edge_interval = 10ms;
  check().unhealthy_interval = 300ms;
  check().healthy_edge_interval = 20ms;
  int asked = 0;
  server_.setup = [&asked](sim::TestPeer& peer) {
    peer.then = [&](std::string_view event) {
      if (event != "data") return;
      ++asked;
      if (asked != 2 && asked != 3) peer.transport->write(kGood);
    };
  };
  checker_.emplace(edge_, cork_, cluster_, endpoint_, traffic_, counts_, *this);
  checker_->start();
  until(700ms);
  // Asked at 104 ms; 10 ms after the first failure; 300 ms after the second one, which is a change;
  // 20 ms after the first success.
  EXPECT_EQ(story_, "good@4ms nothing@154ms nothing@214ms good@518ms good@540ms good@642ms");
}

TEST_F(HostCheckerTest, ARefusedConnectionIsANetworkFailureAtOnce) {
  server_.listener.reset();
  begin();
  until(150ms);
  EXPECT_EQ(story_, "nothing@2ms nothing@104ms");
  EXPECT_EQ(counts_.network_failures, 2U);
}

TEST_F(HostCheckerTest, AnotherStatusIsADefiniteFailure) {
  begin("HTTP/1.1 204 No Content\r\n\r\n");
  until(10ms);
  EXPECT_EQ(story_, "bad@4ms");
  EXPECT_EQ(counts_.failures, 1U);
  EXPECT_EQ(counts_.network_failures, 0U);
}

TEST_F(HostCheckerTest, NothingIsSentAfterItWasStopped) {
  begin();
  until(20ms);
  checker_->stop();
  until(5s);
  EXPECT_EQ(story_, "");
  EXPECT_EQ(heard(0), "data57@3ms end@21ms");
  EXPECT_EQ(server_.accepted.size(), 1U);
}

TEST_F(HostCheckerTest, ATcpProbeConnectsAndClosesWithoutAByte) {
  check().kind = Kind::Tcp;
  begin();
  until(110ms);
  EXPECT_EQ(story_, "good@2ms good@104ms");
  EXPECT_EQ(heard(0), "end@3ms");
  EXPECT_EQ(server_.accepted.size(), 2U);
}

TEST_F(HostCheckerTest, ATcpProbeOverTlsFailsWithoutItsSecret) {
  check().kind = Kind::Tcp;
  cluster_.tls.emplace().trust = {SecretName::Kind::File, "/certs/ca.pem", {}, {}};
  begin();
  until(50ms);
  EXPECT_EQ(story_, "nothing@2ms");
}

TEST_F(HostCheckerTest, ATcpProbeThatIsResetAfterwardsHasSucceeded) {
  check().kind = Kind::Tcp;
  server_.setup = [](sim::TestPeer& peer) { peer.transport->reset(); };
  checker_.emplace(edge_, cork_, cluster_, endpoint_, traffic_, counts_, *this);
  checker_->start();
  until(50ms);
  EXPECT_EQ(story_, "good@2ms");
}

/// The pseudo headers of the first HEADERS frame, by their place in HPACK's static table: 1 is
/// :authority, 2 GET, 3 POST, 4 :path, 6 http. Source: RFC 7541 appendix A.
std::string pseudo_order(std::string_view bytes) {
  const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(bytes[at]); };
  std::size_t at = 24;  // after the preface
  while (byte(at + 3) != 1) at += 9U + (static_cast<unsigned>(byte(at + 1)) << 8 | byte(at + 2));
  std::string order;
  at += 9;
  for (int i = 0; i < 4; ++i) {
    const bool indexed = (byte(at) & 0x80) != 0;
    order += std::to_string(byte(at) & 0x0f);
    at += indexed ? 1U : 2U + (byte(at + 1) & 0x7fU);
  }
  return order;
}

TEST_F(HostCheckerTest, PseudoHeadersComeInTheRealProxysOrder) {
  check().kind = Kind::Http2;
  begin();
  until(10ms);
  EXPECT_EQ(pseudo_order(server_.accepted.at(0)->bytes), "2146");
  check().kind = Kind::Grpc;
  begin();
  until(20ms);
  EXPECT_EQ(pseudo_order(server_.accepted.at(1)->bytes), "3416");
}

// --- HTTP/2 and gRPC -------------------------------------------------------------------------

/// Reads probes as HTTP/2 and answers them.
class ProbeReader final : public world::TransportEvents,
                          public wire::http2::SessionEvents,
                          public wire::http2::Stream {
 public:
  ProbeReader(std::unique_ptr<world::Transport> transport, bool answers)
      : transport_(std::move(transport)),
        session_(wire::http2::Session::Role::Server, {}, *this),
        answers_(answers) {
    transport_->set_events(*this);
    on_output();
  }

  wire::RequestHead request;
  std::string body;
  std::string end;

 private:
  void on_data(std::string_view bytes) override {
    session_.feed(bytes);
    on_output();
  }
  void on_end() override { end = "connection"; }
  void on_error(std::error_code) override {}

  wire::http2::Stream& on_stream() override { return *this; }
  void on_output() override {
    std::string out;
    session_.take_output(out);
    if (!out.empty()) transport_->write(out);
  }
  void on_goaway(std::int32_t, wire::http2::ErrorCode) override {}

  wire::RequestHead& request_head() override { return request; }
  void on_head(bool ends) override {
    if (ends) answer();
  }
  void on_data(std::string_view bytes, bool ends) override {
    body += bytes;
    if (ends) answer();
  }
  void on_trailers(wire::HeaderMap&) override {}
  void on_closed(const wire::http2::StreamEnd& closed) override {
    if (closed.reset) end = "stream";
  }
  void answer() {
    if (!answers_) return;
    wire::HeaderMap headers;
    if (body.empty()) {
      session_.send_response(*this, 200, headers, true);
      return;
    }
    headers.add("content-type", "application/grpc");
    session_.send_response(*this, 200, headers, false);
    std::string message;
    wire::grpc::append_message(message, "\x08\x01");  // SERVING
    send_data(message, false);
    wire::HeaderMap trailers;
    trailers.add("grpc-status", "0");
    send_trailers(trailers);
  }

  std::unique_ptr<world::Transport> transport_;
  wire::http2::Session session_;
  bool answers_;
};

class FrameCheckerTest : public HostCheckerTest, public world::AcceptEvents {
 protected:
  void begin(Kind kind, bool answers) {
    answers_ = answers;
    check().kind = kind;
    server_.listener.reset();
    listener_ = service_.listen({0, 80}, *this).value();
    checker_.emplace(edge_, cork_, cluster_, endpoint_, traffic_, counts_, *this);
    checker_->start();
  }
  void on_accept(std::unique_ptr<world::Transport> transport) override {
    readers_.push_back(std::make_unique<ProbeReader>(std::move(transport), answers_));
  }
  /// All but the pseudo headers.
  std::string headers() const {
    std::string out;
    const wire::HeaderMap& all = readers_.at(0)->request.headers;
    for (std::size_t i = 0; i < all.size(); ++i) {
      out.append(all.name(i)).append(": ").append(all.value(i)).append("|");
    }
    return out;
  }

  bool answers_ = true;
  std::unique_ptr<world::Listener> listener_;
  std::vector<std::unique_ptr<ProbeReader>> readers_;
};

TEST_F(FrameCheckerTest, AnHttp2ProbeIsAGet) {
  begin(Kind::Http2, true);
  until(10ms);
  EXPECT_EQ(readers_.at(0)->request.method, "GET");
  EXPECT_EQ(readers_.at(0)->request.target, "/ping");
  EXPECT_EQ(headers(), "host: items|user-agent: Envoy/HC|");
  EXPECT_EQ(story_, "good@4ms");
}

TEST_F(FrameCheckerTest, AGrpcProbeAsksForTheHealthOfAll) {
  begin(Kind::Grpc, true);
  until(10ms);
  EXPECT_EQ(readers_.at(0)->request.method, "POST");
  EXPECT_EQ(readers_.at(0)->request.target, "/grpc.health.v1.Health/Check");
  EXPECT_EQ(headers(),
            "host: items|te: trailers|content-type: application/grpc|user-agent: Envoy/HC|"
            "grpc-timeout: 50m|");
  EXPECT_EQ(readers_.at(0)->body, std::string(5, '\0'));
  EXPECT_EQ(story_, "good@4ms");
}

TEST_F(FrameCheckerTest, AGrpcProbeNamesTheServiceThatWasGiven) {
  check().service = "books";
  begin(Kind::Grpc, true);
  until(10ms);
  EXPECT_EQ(readers_.at(0)->body, std::string("\0\0\0\0\x07\x0a\x05", 7) + "books");
}

TEST_F(FrameCheckerTest, AnHttp2TimeoutEndsTheConnection) {
  begin(Kind::Http2, false);
  until(160ms);
  EXPECT_EQ(story_, "nothing@50ms");
  EXPECT_EQ(readers_.at(0)->end, "connection");
  EXPECT_EQ(readers_.size(), 2U);
}

TEST_F(FrameCheckerTest, AGrpcTimeoutEndsTheStreamAlone) {
  begin(Kind::Grpc, false);
  until(120ms);
  EXPECT_EQ(story_, "nothing@50ms");
  EXPECT_EQ(readers_.at(0)->end, "stream");
  EXPECT_EQ(readers_.size(), 1U);
}

TEST_F(FrameCheckerTest, ACheckerMayGoWithAProbeUnderWay) {
  begin(Kind::Grpc, false);
  until(20ms);
  checker_.reset();
  until(1s);
  EXPECT_EQ(story_, "");
  EXPECT_EQ(readers_.at(0)->end, "connection");
}

}  // namespace
}  // namespace proxy
