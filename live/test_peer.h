#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "live/world.h"
#include "world/timer.h"

namespace live {

/// A user of one end of a connection, for tests: writes down what it is told.
struct TestPeer final : world::TransportEvents {
  /// "connected data end": data that comes in pieces is noted once.
  std::string log;
  std::string bytes;
  std::unique_ptr<world::Transport> transport;
  /// Done after the note was taken.
  std::function<void(std::string_view event)> then = [](std::string_view) {};
  bool in_call = false;  ///< The test is calling the transport: nothing may be told now.

  void on_connected() override { note("connected"); }
  void on_data(std::string_view data) override {
    bytes += data;
    note("data");
  }
  void on_end() override { note("end"); }
  void on_error(std::error_code error) override {
    const std::string message = error.message();
    note(message.ends_with("peer") ? "reset" : message.substr(message.rfind(' ') + 1));
  }
  void on_drained() override { note("drained"); }
  bool heard(std::string_view event) const { return log.find(event) != std::string::npos; }

 private:
  void note(std::string_view event) {
    EXPECT_FALSE(in_call) << event << " was told from within a call";
    if (event != "data" || !log.ends_with("data")) {
      if (!log.empty()) log += ' ';
      log += event;
    }
    const auto act = then;  // the peer may be destroyed by it
    act(event);
  }
};

/// Listens and keeps what was accepted, for tests.
struct TestServer final : world::AcceptEvents {
  TestServer(World& world, const world::Endpoint& local) {
    auto result = world.listen(local, *this);
    if (result) listener = std::move(*result);
  }

  std::vector<std::unique_ptr<TestPeer>> accepted;
  std::function<void(TestPeer&)> setup = [](TestPeer&) {};
  std::unique_ptr<world::Listener> listener;

  void on_accept(std::unique_ptr<world::Transport> transport) override {
    accepted.push_back(std::make_unique<TestPeer>());
    TestPeer& peer = *accepted.back();
    peer.transport = std::move(transport);
    peer.transport->set_events(peer);
    setup(peer);
  }
};

/// A world, and turns of it until something holds. A test that waits in vain fails.
struct TestWorld {
  Runtime runtime;
  World world{runtime, {.name = "test", .seed = 1, .listen_address = 0}};

  template <class Condition>
  bool until(Condition holds) {
    using namespace std::chrono_literals;
    bool in_vain = false;
    world::EventLoop& loop = runtime.loop();
    struct Watch {
      bool& rang;
      void ring() { rang = true; }
    } watch{in_vain};
    world::Timer timer(loop, 0, world::bind<&Watch::ring>(&watch));
    timer.start_after(20s);
    while (!holds() && !in_vain) runtime.turn();
    EXPECT_FALSE(in_vain) << "waited in vain";
    return !in_vain;
  }
  /// Turns until everything that was under way has come: what is sent on `through` has arrived.
  void settle() {
    bool done = false;
    for (int turns = 0; turns < 3; ++turns) {
      done = false;
      runtime.loop().post([&done] { done = true; });
      until([&] { return done; });
    }
  }
};

}  // namespace live
