#include "proxy/upstream.h"

#include <memory>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "proxy/secrets.h"
#include "sim/test_peer.h"

namespace proxy {
namespace {

using namespace std::chrono_literals;

/// A request that writes down what becomes of it: "sent@2ms done@4ms".
class Request final : public UpstreamRequest {
 public:
  explicit Request(sim::Simulation& simulation) : simulation_(simulation) {
    head_.method = "GET";
    head_.target = "/";
    head_.headers.add(wire::HeaderName::Host, "a");
  }
  std::string story;
  std::string transport;  ///< What was said of a failed connect.

 private:
  void on_upstream_ready(UpstreamStream& stream) override {
    stream.send_head(head_, {.ends = true});
    note("sent");
  }
  void on_upstream_reset(ResetReason reason, std::string_view said) override {
    transport = said;
    note(std::string(reset_text(reason)));
  }
  void on_response_head(wire::ResponseHead&) override {}
  void on_response_body(std::string_view, bool) override {}
  void on_response_trailers(wire::HeaderMap&) override {}
  void on_response_complete() override { note("done"); }
  void on_upstream_drained() override {}

  void note(const std::string& what) {
    if (!story.empty()) story += ' ';
    story += what + "@" + sim::text_of(simulation_.now().time_since_epoch());
  }

  sim::Simulation& simulation_;
  wire::RequestHead head_;
};

constexpr const char* kGood = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

class UpstreamTest : public testing::Test {
 protected:
  UpstreamTest() {
    cluster_.name = "items";
    cluster_.host_name = "items.local";
    cluster_.port = 80;
    cluster_.discovery = Cluster::Discovery::LogicalDns;
    name(server_host_);
    answer_with(kGood);
  }
  void answer_with(const std::string& bytes) {
    for (sim::TestServer* server : {&server_, &other_}) {
      server->setup = [bytes](sim::TestPeer& peer) {
        peer.then = [&peer, bytes](std::string_view event) {
          if (event == "data" && !bytes.empty()) peer.transport->write(bytes);
        };
      };
    }
  }
  void name(const sim::Host& host) {
    simulation_.names().set_address("items.local", host.address());
  }
  /// Found at 1 ms.
  void begin(Secrets* secrets = nullptr) {
    upstream_ = std::make_unique<Upstream>(edge_, cork_, cluster_, secrets);
    upstream_->start(world::bind<&UpstreamTest::on_ready>(this));
    until(1ms);
  }
  std::unique_ptr<Request> send() {
    const Cork::Event event(cork_);
    auto request = std::make_unique<Request>(simulation_);
    upstream_->request(*request, {}, 1);
    return request;
  }
  void until(world::Duration time) { simulation_.run_until(world::TimePoint(time)); }
  void on_ready() { ready_at_ = sim::text_of(simulation_.now().time_since_epoch()); }

  sim::Simulation simulation_;
  sim::Host& edge_ = simulation_.add_host("edge");
  sim::Host& server_host_ = simulation_.add_host("one");
  sim::Host& other_host_ = simulation_.add_host("other");
  sim::TestServer server_{simulation_, server_host_};
  sim::TestServer other_{simulation_, other_host_};
  Cork cork_;
  Cluster cluster_;
  std::string ready_at_;
  std::unique_ptr<Upstream> upstream_;
};

/// Nothing is needed, and nothing there.
struct NoSecrets final : Secrets {
  std::shared_ptr<const wire::tls::Identity> identity(const SecretName&) override { return {}; }
  std::shared_ptr<const wire::tls::TrustBundle> trust(const SecretName&) override { return {}; }
  std::uint64_t version() const override { return 1; }
};

TEST_F(UpstreamTest, ARefusedConnectionIsNoFailureOfTls) {
  NoSecrets secrets;
  cluster_.port = 81;
  cluster_.tls.emplace().settings = wire::tls::Settings::of_proxy(wire::tls::Role::Client);
  begin(&secrets);
  const auto request = send();
  until(1s);
  EXPECT_EQ(request->story, "remote connection failure@3ms");
  EXPECT_EQ(request->transport, "delayed connect error: Connection refused");
}

TEST_F(UpstreamTest, AConnectionWithoutRequestsEndsAtItsTimeout) {
  cluster_.idle_timeout = 100ms;
  begin();
  const auto request = send();
  until(1s);
  EXPECT_EQ(request->story, "sent@3ms done@5ms");
  EXPECT_EQ(server_.accepted[0]->log, "data27@4ms end@106ms");  // closed at 105 ms
  EXPECT_EQ(upstream_->counts().connections, 0U);
}

TEST_F(UpstreamTest, ARequestBeginsTheTimeWithoutRequestsAnew) {
  cluster_.idle_timeout = 100ms;
  begin();
  const auto first = send();
  until(65ms);
  const auto second = send();
  until(1s);
  EXPECT_EQ(second->story, "sent@65ms done@67ms");
  EXPECT_EQ(server_.accepted[0]->log, "data27@4ms data27@66ms end@168ms");
}

TEST_F(UpstreamTest, AConnectionEndsAfterTheMostRequests) {
  cluster_.max_requests_per_connection = 2;
  begin();
  const auto first = send();
  until(10ms);
  const auto second = send();
  until(20ms);
  const auto third = send();
  until(30ms);
  EXPECT_EQ(server_.accepted[0]->log, "data27@4ms data27@11ms end@13ms");
  EXPECT_EQ(server_.accepted.size(), 2U);
  EXPECT_EQ(third->story, "sent@22ms done@24ms");
  EXPECT_EQ(upstream_->counts().connections_used_up, 1U);
}

TEST_F(UpstreamTest, AnEndpointThatMovesKeepsItsConnections) {
  begin();
  const auto first = send();
  until(10ms);
  name(other_host_);
  until(5001ms);
  const auto second = send();  // asks again; on the old connection
  until(6s);
  EXPECT_EQ(server_.accepted[0]->log, "data27@4ms data27@5002ms");
  server_.accepted[0]->transport->finish();
  until(6100ms);
  const auto third = send();
  until(7s);
  EXPECT_EQ(server_.accepted.size(), 1U);
  EXPECT_EQ(other_.log, "6103ms");
  EXPECT_EQ(*third->upstream_address(), "10.0.0.3:80");
}

TEST_F(UpstreamTest, ANameThatIsLostMovesNothing) {
  begin();
  simulation_.names().set("items.local", {.addresses = {}});
  until(6s);
  const auto first = send();
  until(7s);
  const auto second = send();
  until(8s);
  EXPECT_EQ(second->story, "sent@7s done@7002ms");
}

class CheckedUpstreamTest : public UpstreamTest {
 protected:
  CheckedUpstreamTest() {
    cluster_.discovery = Cluster::Discovery::StrictDns;
    HealthCheckPlan check;
    check.interval = check.no_traffic_interval = 1s;
    check.timeout = 500ms;
    check.path = "/ping";
    check.port = 90;
    cluster_.health_check = check;
    name_both();
    for (sim::TestServer* server : {&probed_, &other_probed_}) {
      server->setup = [](sim::TestPeer& peer) {
        peer.then = [&peer](std::string_view event) {
          if (event == "data") peer.transport->write(kGood);
        };
      };
    }
  }
  void name_both() {
    simulation_.names().set("items.local",
                            {.addresses = {server_host_.address(), other_host_.address()}});
  }

  sim::TestServer probed_{simulation_, server_host_, 90};
  sim::TestServer other_probed_{simulation_, other_host_, 90};
};

TEST_F(CheckedUpstreamTest, IsReadyWhenEveryEndpointHasItsFirstResult) {
  other_probed_.setup = [](sim::TestPeer&) {};
  begin();
  until(2s);
  EXPECT_EQ(ready_at_, "501ms");
  EXPECT_TRUE(upstream_->hosts()[0].usable);
  EXPECT_FALSE(upstream_->hosts()[1].usable);
}

TEST_F(CheckedUpstreamTest, AnEndpointThatIsNotNamedAnyMoreStaysUntilItsCheckFails) {
  begin();
  until(5500ms);
  name(server_host_);
  const auto first = send();  // asks again
  until(6s);
  EXPECT_EQ(upstream_->hosts().size(), 2U);
  EXPECT_TRUE(upstream_->hosts()[1].usable);
  other_probed_.listener.reset();
  other_probed_.accepted[0]->transport->reset();
  until(8s);
  ASSERT_EQ(upstream_->hosts().size(), 1U);
  EXPECT_EQ(upstream_->hosts()[0].endpoint.address, server_host_.address());
  const std::uint64_t attempts = upstream_->health().attempts;
  until(9s);
  EXPECT_EQ(upstream_->health().attempts, attempts + 1);  // of the one that is left
}

TEST_F(CheckedUpstreamTest, TheSameAnswerAgainHastensNoChange) {
  begin();
  until(5400ms);
  for (sim::TestPeer* peer : {probed_.accepted[0].get(), other_probed_.accepted[0].get()}) {
    peer->then = [peer](std::string_view event) {
      if (event == "data") peer->transport->write("HTTP/1.1 500 X\r\ncontent-length: 0\r\n\r\n");
    };
  }
  until(7s);  // both fail within a second: the second is merged
  const auto usable = [this] {
    return int{upstream_->hosts()[0].usable} + int{upstream_->hosts()[1].usable};
  };
  EXPECT_EQ(usable(), 1);
  const auto changes = upstream_->health().changes;
  const auto request = send();  // asks again
  until(7005ms);
  EXPECT_EQ(usable(), 1);
  EXPECT_EQ(upstream_->health().changes, changes);
  until(7100ms);
  EXPECT_EQ(usable(), 0);
}

class QueueTest : public UpstreamTest {
 protected:
  QueueTest() {
    cluster_.limits.max_connections = 1;
    answer_with({});
  }
};

TEST_F(QueueTest, WhoeverWaitsGetsANewConnectionWhenAnAnswerIsFollowedByFin) {
  begin();
  const auto first = send();
  const auto second = send();
  until(10ms);
  server_.accepted[0]->transport->write(kGood);
  server_.accepted[0]->transport->finish();
  until(20ms);
  EXPECT_EQ(first->story, "sent@3ms done@11ms");
  EXPECT_EQ(second->story, "sent@13ms");
}

TEST_F(QueueTest, WhoeverWaitsGetsTheConnectionThatAnswered) {
  begin();
  const auto first = send();
  const auto second = send();
  until(10ms);
  server_.accepted[0]->transport->write(kGood);
  until(20ms);
  EXPECT_EQ(first->story, "sent@3ms done@11ms");
  EXPECT_EQ(second->story, "sent@11ms");
}

}  // namespace
}  // namespace proxy
