#include <gtest/gtest.h>

#include "peers/client.h"
#include "peers/service.h"
#include "pki/authority.h"
#include "sim/simulation.h"

namespace peers {
namespace {

using namespace std::chrono_literals;
using wire::tls::Context;
using wire::tls::Role;
using wire::tls::Settings;
using wire::tls::SubjectName;

constexpr world::CalendarTime kStart{std::chrono::seconds(1'767'225'600)};

constexpr pki::Validity kToday{kStart - 24h, kStart + 24h};

struct Heard : ClientObserver {
  void on_outcome(const RequestOutcome& outcome) override {
    status = outcome.status;
    failure = outcome.failure;
    tls = outcome.tls;
    ended = outcome.ended;
  }
  int status = -1;
  std::string failure;
  TlsSeenPtr tls;
  world::TimePoint ended{};
};

class PeersTlsTest : public testing::Test {
 protected:
  void serve(Protocol protocol, bool takes_plain = false) {
    Settings settings;
    settings.identities = {pki::identity_of(*leaf_)};
    settings.takes_plain = takes_plain;
    if (protocol == Protocol::Http2) settings.alpn = {"h2"};
    auto context = *Context::make(settings, true);
    ServiceOptions options;
    options.service = "svc";
    options.port = 443;
    options.protocol = protocol;
    options.tls = [context] { return context; };
    service_.emplace(server_host_, std::move(options));
    ASSERT_TRUE(service_->start());
  }
  void ask(const std::string& url, Protocol protocol, const std::string& name) {
    ClientOptions options;
    options.observer = &heard_;
    options.tls = [this, name](const RequestSpec& spec) {
      Settings settings;
      settings.role = Role::Client;
      settings.trust = pki::trust_in(*root_);
      settings.names = {{SubjectName::Kind::Dns, name}};
      if (spec.protocol == Protocol::Http2) settings.alpn = {"h2"};
      return *Context::make(settings, true);
    };
    client_.emplace(client_host_, options);
    RequestSpec spec = *parse_url("GET", url, true);
    spec.protocol = protocol;
    client_->send(spec);
    simulation_.run_for(1s);
  }

  sim::Simulation simulation_{{.seed = 1, .default_link = {.latency = 1ms}}};
  sim::Host& client_host_ = simulation_.add_host("client");
  sim::Host& server_host_ = simulation_.add_host("svc.example");
  pki::IssuedPtr root_ = pki::issue_authority("Root", kToday);
  pki::IssuedPtr leaf_ =
      pki::issue_leaf("svc", {{SubjectName::Kind::Dns, "svc.example"}}, kToday, root_);
  std::optional<Service> service_;
  Heard heard_;
  std::optional<Client> client_;
};

TEST_F(PeersTlsTest, AClientAsksOverTls) {
  serve(Protocol::Http1);
  ask("https://svc.example/x", Protocol::Http1, "svc.example");
  EXPECT_EQ(heard_.status, 200);
  ASSERT_NE(heard_.tls, nullptr);
  EXPECT_EQ(heard_.tls->agreed->peer, "CN=svc");
  EXPECT_EQ(heard_.ended.time_since_epoch(), 7ms);  // one more to ask for the name
}

TEST_F(PeersTlsTest, Http2IsAgreedOnByAlpn) {
  serve(Protocol::Http2);
  ask("https://svc.example/x", Protocol::Http2, "svc.example");
  EXPECT_EQ(heard_.status, 200);
  EXPECT_EQ(heard_.tls->agreed->alpn, "h2");
}

TEST_F(PeersTlsTest, AWrongNameEndsTheRequest) {
  serve(Protocol::Http1);
  ask("https://svc.example/x", Protocol::Http1, "other.example");
  EXPECT_EQ(heard_.failure, "TLS failed");
  EXPECT_EQ(heard_.tls->failure->alert_sent, 46);
}

TEST_F(PeersTlsTest, AServiceMayTakeBoth) {
  serve(Protocol::Http1, true);
  ask("http://svc.example:443/x", Protocol::Http1, "");
  EXPECT_EQ(heard_.status, 200);
  EXPECT_EQ(heard_.tls, nullptr);
  ask("https://svc.example/x", Protocol::Http1, "svc.example");
  EXPECT_EQ(heard_.status, 200);
}

}  // namespace
}  // namespace peers
