#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "conformance/recorded/client_script.h"
#include "conformance/recorded/h2_frames.h"
#include "world/world.h"

namespace conformance::recorded {

/// The one HTTP/2 client of a record: works through the stimulus and judges the connection.
///
/// It minds no window and no limit of the peer: it sends what the record says.
/// Source: the vocabulary of the observations, sections 2.3 and 2.4.
class Http2ScriptedClient final : private world::TransportEvents {
 public:
  /// Requires: `stimulus` lives as long as the client.
  Http2ScriptedClient(world::World& world, const world::Endpoint& gateway,
                      const nlohmann::json& stimulus, RunUntil run_until);

  /// Runs the steps one by one, then waits as the vocabulary says, and closes.
  void run();

  /// The record's `observed.client`, without placeholders.
  nlohmann::json observed() const;
  std::string connection_state() const;

 private:
  void on_connected() override { connected_ = true; }
  void on_data(std::string_view bytes) override;
  void on_end() override { end(); }
  void on_error(std::error_code error) override;

  void end();
  void take(const h2::Frame& frame);
  void send(std::string_view bytes);
  void flush();
  void run(const std::function<bool()>& done, world::Duration time);
  void send_of(const nlohmann::json& step);
  void wait_of(const nlohmann::json& step);
  void wait(const std::function<bool()>& done, world::Duration timeout);
  bool saw(h2::Type type) const;
  bool stream_over(std::uint32_t stream) const;

  world::World& world_;
  const nlohmann::json& stimulus_;
  RunUntil run_until_;
  nlohmann::json settings_;
  h2::Reader reader_;
  std::unique_ptr<world::Transport> transport_;
  std::vector<h2::Frame> frames_;
  std::size_t data_bytes_ = 0;
  bool connected_ = false;
  std::string to_send_;
  bool waiting_ = false;
  bool can_send_ = true;
  bool ended_ = false;
  world::TimePoint ended_at_{};
  world::TimePoint last_step_at_{};
};

}  // namespace conformance::recorded
