#pragma once

#include <functional>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "world/world.h"

namespace conformance::recorded {

/// Lets a world go on until `done` holds or the time comes. True: `done` holds.
using RunUntil = std::function<bool(const std::function<bool()>& done, world::TimePoint deadline)>;

/// Where `count` complete responses end in `bytes`, from `from`; npos if they are not all there.
///
/// 1xx other than 101 do not count unless `count_1xx`; with `head` responses have no body; one
/// without length lasts until the connection ends. Source: the vocabulary, section 2.3.
std::size_t responses_end(std::string_view bytes, std::size_t from, std::size_t count, bool head,
                          bool count_1xx, bool ended);

/// The one HTTP/1 client of a record: works through the stimulus and judges the connection.
///
/// Source: the vocabulary of the observations, sections 2.3 and 2.4.
class ScriptedClient final : private world::TransportEvents {
 public:
  ScriptedClient(world::World& world, const world::Endpoint& gateway, RunUntil run_until);

  /// Runs the steps one by one, then waits as the vocabulary says, and closes.
  void run(const nlohmann::json& steps, const std::string& gateway_port);

  const std::string& received() const { return received_; }
  const std::string& connection_state() const { return state_; }

 private:
  enum class Ended : std::uint8_t { No, Fin, Reset };

  void on_connected() override { connected_ = true; }
  void on_data(std::string_view bytes) override { (reading_ ? received_ : unread_) += bytes; }
  void on_end() override;
  void on_error(std::error_code error) override;

  void step(const nlohmann::json& step, const std::string& gateway_port);
  void send(std::string_view bytes);
  void read_until(const std::function<bool()>& done, world::Duration timeout);
  void await(const std::function<bool()>& done, world::Duration timeout);
  void judge_end();
  void judge_rest();

  world::World& world_;
  RunUntil run_until_;
  std::unique_ptr<world::Transport> transport_;
  std::string received_;
  std::string unread_;  // what came while no step was reading
  std::size_t consumed_ = 0;
  bool reading_ = false;
  bool connected_ = false;
  bool can_send_ = true;
  Ended ended_ = Ended::No;
  std::string state_;
};

}  // namespace conformance::recorded
