#include "peers/raw_connection.h"

#include <gtest/gtest.h>

#include "sim/simulation.h"

namespace peers {
namespace {

using namespace std::chrono_literals;

/// Sends back what it gets, and ends when the other end does.
class Echo final : public world::AcceptEvents, public world::TransportEvents {
 public:
  explicit Echo(world::World& world) : listener_(std::move(world.listen({0, 7}, *this)).value()) {}
  void on_accept(std::unique_ptr<world::Transport> transport) override {
    transport_ = std::move(transport);
    transport_->set_events(*this);
  }
  void on_data(std::string_view bytes) override {
    bytes_ += bytes.size();
    transport_->write(bytes);
  }
  void on_end() override { transport_->finish(); }
  void on_error(std::error_code) override { was_reset_ = true; }

  std::unique_ptr<world::Transport> transport_;
  std::size_t bytes_ = 0;
  bool was_reset_ = false;

 private:
  std::unique_ptr<world::Listener> listener_;
};

struct Story final : RawObserver {
  void on_connected(RawConnection&) override { text += "connected "; }
  void on_bytes(RawConnection&, std::string_view bytes) override {
    text.append("bytes:").append(bytes).append(" ");
  }
  void on_ended(RawConnection&) override { text += "ended "; }
  std::string text;
};

class RawConnectionTest : public testing::Test {
 protected:
  RawConnectionTest()
      : client(simulation.add_host("client")),
        server(simulation.add_host("server")),
        echo(server) {}
  sim::Simulation simulation;
  sim::Host& client;
  sim::Host& server;
  Echo echo;
  Story story;
};

TEST_F(RawConnectionTest, KeepsTheTimesOfWhatHappens) {
  RawConnection raw(client, "server", 7, &story);
  raw.send("hi");
  raw.finish();
  simulation.run();
  EXPECT_EQ(story.text, "connected bytes:hi ended ");
  EXPECT_EQ(raw.received(), "hi");
  EXPECT_EQ(raw.connected_at().time_since_epoch(), 1ms + 2ms);  // name, then SYN and its answer
  EXPECT_EQ(raw.first_byte_at().time_since_epoch(), 5ms);
  EXPECT_EQ(raw.ended_at().time_since_epoch(), 5ms);
  EXPECT_EQ(raw.ending(), RawConnection::Ending::Fin);
}

TEST_F(RawConnectionTest, SendsManyBytesNoFasterThanTheyAreTaken) {
  RawConnection raw(client, {server.address(), 7}, nullptr);
  const std::string block(10'000, 'x');
  raw.send_repeated(block, 1'000);
  raw.finish();
  simulation.run();
  EXPECT_EQ(echo.bytes_, 10'000'000U);
  EXPECT_EQ(raw.received().size(), 10'000'000U);
  EXPECT_EQ(raw.ending(), RawConnection::Ending::Fin);
}

TEST_F(RawConnectionTest, SaysHowItFailed) {
  RawConnection refused(client, {server.address(), 8}, &story);
  RawConnection unresolved(client, "nowhere", 7, &story);
  simulation.run();
  EXPECT_EQ(refused.ending(), RawConnection::Ending::Refused);
  EXPECT_EQ(refused.ended_at().time_since_epoch(), 2ms);
  EXPECT_EQ(unresolved.ending(), RawConnection::Ending::Unresolved);
  EXPECT_EQ(story.text, "ended ended ");
}

TEST_F(RawConnectionTest, ResetsTheOtherEnd) {
  RawConnection raw(client, {server.address(), 7}, &story);
  simulation.run();
  raw.reset();
  simulation.run();
  EXPECT_TRUE(echo.was_reset_);
  EXPECT_EQ(raw.state(), RawConnection::State::Ended);
}

TEST_F(RawConnectionTest, SeesAReset) {
  RawConnection raw(client, {server.address(), 7}, &story);
  simulation.run();
  echo.transport_->reset();
  simulation.run();
  EXPECT_EQ(raw.ending(), RawConnection::Ending::Reset);
  EXPECT_EQ(raw.ended_at() - raw.connected_at(), 2ms);
}

}  // namespace
}  // namespace peers
