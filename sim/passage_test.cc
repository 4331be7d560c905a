#include "sim/passage.h"

#include <gtest/gtest.h>

#include "sim/test_peer.h"

namespace sim {
namespace {

using namespace std::chrono_literals;
using world::PassVerdict;

/// A box that does what it is told, and writes down what passes.
struct Box final : world::PassageEvents {
  world::Onward on_open(const world::Opening& opening) override {
    log += "syn ";
    opened = opening;
    return onward;
  }
  world::Passing on_segment(std::uint64_t, bool from_client, world::SegmentKind kind) override {
    constexpr const char* kNames[] = {"synack", "ack", "data", "fin", "rst"};
    log += std::string(from_client ? ">" : "<") + kNames[static_cast<int>(kind)] + " ";
    world::Passing out = passing;
    if (kind == world::SegmentKind::Data) passing.prefix.clear();
    if (kind != world::SegmentKind::Data) out.prefix.clear();
    return out;
  }

  std::string log;
  world::Opening opened;
  world::Onward onward{PassVerdict::Forward, {}, {}};
  world::Passing passing{PassVerdict::Forward, {}};
};

/// client - box - server, 1 ms between neighbours.
struct Passages : testing::Test, TestPair {
  Passages() : node(simulation.add_host("box")) {
    passage = node.pass_on(box);
    box.onward.target = remote();
    box.onward.source = {node.address(), 5000};
  }
  void enter(std::uint16_t port = 0) {
    client.transport = client_host.connect_from(port, {node.address(), 443}, client);
  }

  Host& node;
  Box box;
  std::unique_ptr<world::Passage> passage;
};

TEST_F(Passages, OneConnectionFromEndToEnd) {
  enter();
  client.transport->write("hello");
  run_to(100ms);
  TestPeer& accepted = *server.accepted.at(0);
  EXPECT_EQ(client.log, "connected@4ms drained@4ms");  // two milliseconds each way
  EXPECT_EQ(server.log, "6ms");
  EXPECT_EQ(accepted.log, "data5@6ms");
  EXPECT_EQ(box.log, "syn <synack >ack >data ");
  EXPECT_EQ(client.transport->remote(), (world::Endpoint{node.address(), 443}));
  EXPECT_EQ(client.transport->flow(), accepted.transport->flow());
  EXPECT_EQ(accepted.transport->remote(), (world::Endpoint{node.address(), 5000}));
  EXPECT_EQ(accepted.transport->local(), remote());
  EXPECT_EQ(box.opened.destination, client.transport->remote());
  EXPECT_EQ(box.opened.source, client.transport->local());
  accepted.transport->finish();
  client.transport->finish();
  run_to(200ms);
  EXPECT_EQ(client.log, "connected@4ms drained@4ms end@102ms");
  client.transport.reset();
  accepted.transport.reset();
  simulation.run();
  EXPECT_EQ(simulation.network().open_connections(), 0U);
}

TEST_F(Passages, ARefusalAndAResetPassThrough) {
  box.onward.target.port = 81;
  enter();
  simulation.run();
  EXPECT_EQ(client.log, "connection refused@4ms");
  EXPECT_EQ(box.log, "syn <rst ");
}

TEST_F(Passages, WhatIsDroppedIsSentAgainAndMayGoElsewhere) {
  Host& other = simulation.add_host("other");
  TestServer second(simulation, other);
  box.onward.verdict = PassVerdict::Drop;
  enter();
  run_to(2s);
  EXPECT_EQ(box.log, "syn syn ");  // at 1 ms and a second later
  const std::uint32_t sequence = box.opened.sequence;
  box.onward = {PassVerdict::Forward, {other.address(), 80}, {node.address(), 5000}};
  run_to(4s);
  EXPECT_EQ(client.log, "connected@3004ms");
  EXPECT_EQ(second.accepted.size(), 1U);
  EXPECT_EQ(box.opened.sequence, sequence);
}

TEST_F(Passages, ASynThatIsLostBehindTheBoxComesByAgain) {
  simulation.network().set_link(node, server_host, {.latency = 1ms, .blackhole = true});
  enter();
  run_to(2s);
  EXPECT_EQ(box.log, "syn syn ");
  simulation.network().set_link(node, server_host, {.latency = 1ms});
  run_to(4s);
  EXPECT_EQ(client.log, "connected@3004ms");
}

TEST_F(Passages, NobodyAnswersUntilTheClientGivesUp) {
  simulation.network().set_link(node, server_host, {.latency = 1ms, .blackhole = true});
  enter();
  simulation.run();
  EXPECT_EQ(client.log, "connection timed out@127s");
}

TEST_F(Passages, TheBoxResetsTheSenderAlone) {
  enter();
  run_to(10ms);
  box.passing.verdict = PassVerdict::Reset;
  client.transport->write("late");
  run_to(20ms);
  EXPECT_EQ(client.log, "connected@4ms reset@12ms");
  TestPeer& accepted = *server.accepted.at(0);
  EXPECT_EQ(accepted.log, "");
  accepted.transport->write("later still");
  run_to(30ms);
  EXPECT_EQ(accepted.log, "reset@22ms");
}

TEST_F(Passages, TheBoxResetsBothEnds) {
  enter();
  run_to(10ms);
  passage->reset(client.transport->flow());
  passage->reset(77);  // there is none
  run_to(20ms);
  EXPECT_EQ(client.log, "connected@4ms reset@11ms");
  EXPECT_EQ(server.accepted.at(0)->log, "reset@11ms");
}

TEST_F(Passages, TheBoxMayPutBytesFirst) {
  box.passing.prefix = "header:";
  enter();
  client.transport->write("hello");
  run_to(10ms);
  client.transport->write(" world");
  run_to(20ms);
  EXPECT_EQ(server.accepted.at(0)->bytes, "header:hello world");
}

TEST_F(Passages, ABoxThatGoesIsABlackHole) {
  enter();
  run_to(10ms);
  passage.reset();
  client.transport->write("lost");
  simulation.run();
  EXPECT_EQ(client.log.substr(0, 35), "connected@4ms connection timed out@");
  EXPECT_EQ(server.accepted.at(0)->log, "");
}

TEST_F(Passages, TwoConnectionsThatLookAlikeToTheTargetClash) {
  Host& node2 = simulation.add_host("box2");
  Box box2;
  const auto passage2 = node2.pass_on(box2);
  box.onward.source = {client_host.address(), 40000};
  box2.onward = box.onward;
  enter(40000);
  run_to(10ms);
  TestPeer twin(simulation);
  twin.transport = client_host.connect_from(40000, {node2.address(), 443}, twin);
  run_to(500ms);
  EXPECT_EQ(twin.log, "");
  client.transport->reset();  // the first is over before the SYN is sent again
  run_to(2s);
  EXPECT_EQ(twin.log, "connected@1014ms");
  TestPeer direct(simulation);
  direct.transport = client_host.connect_from(40000, remote(), direct);
  run_to(3s);
  EXPECT_EQ(direct.log, "");
}

struct KeepAliveTest : testing::Test, TestPair {};

TEST_F(KeepAliveTest, APortThatOneChoosesIsTakenOnce) {
  client.transport = client_host.connect_from(40000, remote(), client);
  EXPECT_EQ(client.transport->local().port, 40000);
  TestPeer second(simulation);
  second.transport = client_host.connect_from(40000, remote(), second);
  run_to(1s);
  EXPECT_EQ(second.log, "no local port is free@0ms");
}

TEST_F(KeepAliveTest, ASilentPeerIsAskedWhetherItIsThere) {
  client_host.set_keep_alive({.idle = 300s, .interval = 75s, .probes = 2});
  connect();
  run_to(1000s);
  EXPECT_EQ(client.log, "connected@2ms");
  set_links({.latency = 1ms, .blackhole = true});
  run_to(2000s);
  // Asked at 300.002 s, 600.004 s, 900.006 s, each answered 2 ms later; then at 1200.008 s and
  // 1275.008 s, and given up 75 s after that.
  EXPECT_EQ(client.log, "connected@2ms connection timed out@1350008ms");
}

}  // namespace
}  // namespace sim
