#include "wire/tls/transport.h"

#include <array>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "pki/authority.h"
#include "sim/simulation.h"
#include "sim/test_peer.h"

namespace wire::tls {
namespace {

using namespace std::chrono_literals;
using sim::TestPeer;

constexpr world::CalendarTime kNow{std::chrono::seconds(1'767'225'600)};

constexpr pki::Validity kToday{kNow - 24h, kNow + 24h};

std::vector<SubjectName> name_of(const std::string& host) {
  return {{SubjectName::Kind::Dns, host}};
}

/// One key for all: what OpenSSL keeps with it, as an RSA key's blinding, must not be seen.
std::shared_ptr<const Identity> rsa_identity() {
  pki::Description of;
  of.name = "rsa";
  of.key = pki::Description::Key::Rsa2048;
  of.not_before = kToday.from;
  of.not_after = kToday.until;
  return pki::identity_of(*pki::issue(of, pki::issue_authority("Root", kToday)));
}

std::shared_ptr<const Context> context(Settings settings) {
  return *Context::make(std::move(settings), true);
}

/// A client and a server a millisecond apart, who write what they are told to once secured.
struct TlsWorld : world::AcceptEvents {
  TlsWorld() {
    server_settings_.identities = {
        pki::identity_of(*pki::issue_leaf("svc", name_of("svc.example"), kToday, root_))};
    client_settings_.role = Role::Client;
    client_settings_.most = Version::Tls13;
    client_settings_.trust = pki::trust_in(*root_);
  }

  void connect() {
    listener_.reset();
    listener_ = server_host_.listen({0, 443}, *this).value();
    server_context_ = context(server_settings_);
    again();
  }
  void again() {
    client_ = std::make_unique<TestPeer>(simulation_);
    client_tls_ = TlsTransport::connect(client_host_, context(client_settings_),
                                        {server_host_.address(), 443}, *client_, &sessions_);
    client_tls_->write("hello");
    simulation_.run_for(1s);
  }

  void on_accept(std::unique_ptr<world::Transport> transport) override {
    server_ = std::make_unique<TestPeer>(simulation_);
    server_tls_ = std::make_unique<TlsTransport>(server_host_, server_context_,
                                                 std::move(transport), &server_sessions_);
    server_tls_->set_events(*server_);
    server_->then = [this](std::string_view event) {
      if (event == "data") server_tls_->write("world!");
    };
  }

  sim::Simulation simulation_{{.seed = 7, .default_link = {.latency = 1ms}}};
  sim::Host& client_host_ = simulation_.add_host("client");
  sim::Host& server_host_ = simulation_.add_host("server");
  pki::IssuedPtr root_ = pki::issue_authority("Root", kToday);
  Settings server_settings_ = Settings::of_proxy(Role::Server);
  Settings client_settings_ = Settings::of_proxy(Role::Client);
  SessionStore sessions_;
  SessionStore server_sessions_;
  std::shared_ptr<const Context> server_context_;
  std::unique_ptr<world::Listener> listener_;
  std::unique_ptr<TestPeer> client_;
  std::unique_ptr<TestPeer> server_;
  std::unique_ptr<TlsTransport> client_tls_;
  std::unique_ptr<TlsTransport> server_tls_;
};

struct TlsTest : testing::Test, TlsWorld {};

TEST_F(TlsTest, WhatIsWrittenAtOnceIsReadAfterTheHandshake) {
  connect();
  EXPECT_EQ(client_->log, "connected@4ms data6@6ms");
  EXPECT_EQ(server_->log, "connected@5ms data5@5ms");
  EXPECT_EQ(client_->bytes, "world!");
  EXPECT_EQ(client_tls_->agreed().version, Version::Tls13);
  EXPECT_EQ(client_tls_->agreed().cipher, "TLS_AES_256_GCM_SHA384");
  EXPECT_EQ(client_tls_->agreed().peer, "CN=svc");
}

TEST_F(TlsTest, ACloseIsSaidBeforeTheConnectionEnds) {
  connect();
  client_tls_->close();
  simulation_.run_for(1s);
  EXPECT_EQ(server_->log, "connected@5ms data5@5ms end@1001ms");
  EXPECT_TRUE(server_tls_->closed_by_notify());
}

TEST(Tls, AWorldGivesTheSameBytesEachTime) {
  const auto shared = rsa_identity();
  std::string first;
  for (int i = 0; i < 40; ++i) {
    TlsWorld world;
    world.server_settings_.identities = {shared};
    world.connect();
    world.again();
    EXPECT_TRUE(world.client_tls_->agreed().resumed);
    const std::string hash = world.simulation_.trace().hash().text();
    if (i == 0) first = hash;
    ASSERT_EQ(hash, first) << i;
  }
}

TEST(Tls, ThreadsThatShareAKeyDoNotSeeEachOther) {
  const auto shared = rsa_identity();
  const auto hash = [&shared] {
    TlsWorld world;
    world.server_settings_.identities = {shared};
    world.connect();
    world.again();
    return world.simulation_.trace().hash().text();
  };
  const std::string alone = hash();
  std::vector<std::thread> threads;
  std::array<int, 4> equal{};
  for (int& mine : equal) {
    threads.emplace_back([&] {
      for (int i = 0; i < 25; ++i) mine += hash() == alone ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(equal, (std::array<int, 4>{25, 25, 25, 25}));
}

TEST_F(TlsTest, SessionsAreResumedInEveryVersion) {
  for (const Version version : {Version::Tls12, Version::Tls13}) {
    sessions_.newest.reset();
    client_settings_.most = version;
    connect();
    EXPECT_FALSE(client_tls_->agreed().resumed) << text_of(version);
    ASSERT_NE(sessions_.newest, nullptr);
    EXPECT_TRUE(sessions_.newest->has_ticket());
    EXPECT_EQ(sessions_.newest->lifetime_hint(), version == Version::Tls12 ? 7200u : 172800u);
    again();
    EXPECT_TRUE(client_tls_->agreed().resumed) << text_of(version);
    EXPECT_EQ(client_->bytes, "world!");
    listener_.reset();
  }
}

TEST_F(TlsTest, WithoutTicketsTheServerKeepsTheSession) {
  server_settings_.tickets = false;
  client_settings_.most = Version::Tls12;
  connect();
  ASSERT_NE(sessions_.newest, nullptr);
  EXPECT_FALSE(sessions_.newest->has_ticket());
  again();
  EXPECT_TRUE(client_tls_->agreed().resumed);
}

TEST_F(TlsTest, AnExpiredCertificateIsRefusedByTheWorldsCalendar) {
  server_settings_.identities = {pki::identity_of(
      *pki::issue_leaf("short", name_of("short.example"), {kNow - 24h, kNow + 1h}, root_))};
  connect();
  EXPECT_EQ(client_->bytes, "world!");
  client_host_.step_calendar(2h);
  sessions_.newest.reset();
  again();
  ASSERT_NE(client_tls_->failure(), nullptr);
  EXPECT_EQ(log_text(*client_tls_->failure()),
            "TLS_error:|268435581:SSL_routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:"
            "verify_cert_failed:_X509_verify_cert:_certificate_verification_error_at_depth_0:_"
            "certificate_has_expired:TLS_error_end");
  EXPECT_EQ(client_tls_->failure()->alert_sent, 45);
  EXPECT_EQ(server_tls_->failure()->alert_received, 45);
}

TEST_F(TlsTest, ANameThatIsNotWantedIsRefused) {
  client_settings_.names = {{SubjectName::Kind::Dns, "other.example"}};
  connect();
  EXPECT_EQ(client_tls_->failure()->cause, Failure::Cause::Name);
  EXPECT_EQ(client_tls_->failure()->alert_sent, 46);
}

TEST_F(TlsTest, AClientWithoutACertificateHearsOfItAfterItsHandshake) {
  server_settings_.trust = pki::trust_in(*root_);
  server_settings_.require_certificate = true;
  connect();
  EXPECT_EQ(client_->log.substr(0, 14), "connected@4ms ");
  EXPECT_EQ(client_tls_->failure()->alert_received, 116);
  EXPECT_EQ(server_tls_->failure()->cause, Failure::Cause::NoCertificate);
  client_settings_.most = Version::Tls12;
  again();
  EXPECT_FALSE(client_tls_->secured());
  EXPECT_EQ(client_tls_->failure()->alert_received, 40);
}

TEST_F(TlsTest, AClientsFavouriteOfEqualCiphersIsTaken) {
  client_settings_.most = Version::Tls12;
  client_settings_.ciphers = {{"ECDHE-ECDSA-CHACHA20-POLY1305"}, {"ECDHE-ECDSA-AES128-GCM-SHA256"}};
  connect();
  EXPECT_EQ(client_tls_->agreed().cipher, "ECDHE-ECDSA-CHACHA20-POLY1305");
}

TEST_F(TlsTest, BytesThatAreNoTlsGetAnAlert) {
  connect();
  TestPeer plain(simulation_);
  plain.transport = client_host_.connect({server_host_.address(), 443}, plain);
  plain.transport->write("hello there");
  simulation_.run_for(1s);
  EXPECT_EQ(plain.bytes, std::string("\x15\x03\x01\x00\x02\x02\x46", 7));
  EXPECT_EQ(server_tls_->failure()->reason, "WRONG_VERSION_NUMBER");
  TestPeer http(simulation_);
  http.transport = client_host_.connect({server_host_.address(), 443}, http);
  http.transport->write("GET / HTTP/1.1\r\n\r\n");
  simulation_.run_for(1s);
  EXPECT_EQ(http.bytes, "");
  EXPECT_EQ(server_tls_->failure()->reason, "HTTP_REQUEST");
}

}  // namespace
}  // namespace wire::tls
