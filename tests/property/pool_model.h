#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/property/pool_script.h"

namespace property {

/// The written rules of a cluster's pools as a plain program, for comparison. It shares nothing
/// with the gateway's own code, has no network and is as slow as it likes.
///
/// Source: ENV-POOL-03 to -28.
class PoolModel {
 public:
  PoolModel(const PoolSetting& setting, std::uint32_t first_turn);

  /// Does one stimulus and all that follows from it before the next one.
  void step(const PoolStep& step);

  /// What is seen from outside since the last call, in no order.
  std::vector<std::string> take_events();
  /// Gauges and counters.
  std::string counts() const;
  const std::vector<std::string>& log() const { return log_; }

  std::vector<std::uint32_t> active_requests() const;
  std::vector<std::uint32_t> queued_requests() const;
  /// Of those that are up.
  std::vector<std::pair<std::uint32_t, std::uint32_t>> connections() const;
  std::uint32_t streams(std::uint32_t host, std::uint32_t connection) const;
  bool quiet() const;

 private:
  struct Request {
    enum class State : std::uint8_t { Queued, Active, Over };
    State state = State::Queued;
    bool http2_client = false;
    std::uint32_t host = 0;
    std::uint32_t connection = 0;
    std::int64_t deadline = -1;
  };
  struct Connection {
    std::uint32_t host = 0;
    std::uint32_t serial = 0;  // among those of its host that came up
    enum class State : std::uint8_t { Coming, Up, Gone };
    State state = State::Coming;
    std::int64_t up_at = -1;  // -1: never
    std::int64_t give_up_at = -1;
    std::int64_t idle_end = -1;
    std::vector<std::uint32_t> streams;
    std::vector<std::uint32_t> opened;  // all that it has ever carried
    std::uint32_t most_streams = 1;
    bool settings_seen = false;
    bool leaving = false;  // takes no new requests
    bool goaway = false;
  };
  struct Host {
    enum class Mode : std::uint8_t { Usual, Refusing, Silent, Late };
    Mode mode = Mode::Usual;
    std::deque<std::uint32_t> queue;
    std::vector<std::uint32_t> ready;  // connections with room; the last one came to it last
    std::uint32_t came_up = 0;
  };

  void arrive(std::uint32_t request, bool http2_client);
  void try_connect(std::uint32_t host);
  void up(std::uint32_t connection);
  void attempt_failed(std::uint32_t connection, const std::string& reason);
  std::uint32_t room(const Connection& connection) const;
  void serve_queue(std::uint32_t connection);
  void note_room(std::uint32_t connection);
  void attach(std::uint32_t request, std::uint32_t connection);
  void part(std::uint32_t request);
  void stream_over(std::uint32_t connection);
  void gone(std::uint32_t connection);
  void leave(std::uint32_t request);
  void lost(std::uint32_t connection);
  void answer(const PoolStep& step);
  void goaway(Connection& connection, std::uint32_t index, std::uint32_t looked_at);
  void settle();
  void pass_until(std::int64_t time);
  void due(std::int64_t time);

  void tell(const std::string& what);
  void reply(std::uint32_t request, int status, const std::string& text, const std::string& flags,
             const std::string& details);
  void refuse(std::uint32_t request, const std::string& reason, const std::string& flag,
              const std::string& transport = {});
  std::uint32_t count(Connection::State state, std::uint32_t host) const;
  std::uint32_t connection_count() const;
  Connection* find(std::uint32_t host, std::uint32_t serial, std::uint32_t& index);

  const PoolSetting setting_;
  std::int64_t now_ = kStepMillis;
  std::uint32_t turn_;
  std::vector<Host> hosts_;
  std::map<std::uint32_t, Request> requests_;
  std::vector<Connection> connections_;
  std::vector<std::string> events_;
  std::vector<std::string> log_;

  std::uint32_t pending_ = 0;
  std::uint32_t active_ = 0;
  std::uint32_t cx_total_ = 0;
  std::uint32_t cx_overflow_ = 0;
  std::uint32_t cx_connect_fail_ = 0;
  std::uint32_t cx_connect_timeout_ = 0;
  std::uint32_t cx_max_requests_ = 0;
  std::uint32_t cx_close_notify_ = 0;
  std::uint32_t rq_total_ = 0;
  std::uint32_t pending_total_ = 0;
  std::uint32_t pending_overflow_ = 0;
  std::uint32_t active_overflow_ = 0;
  std::uint32_t pending_failure_ = 0;
  std::uint32_t rq_timeout_ = 0;
  std::uint32_t rq_cancelled_ = 0;
  std::uint32_t rq_completed_ = 0;
};

}  // namespace property
