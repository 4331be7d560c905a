#include "tests/property/pool_model.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace property {

using Kind = PoolStep::Kind;

PoolModel::PoolModel(const PoolSetting& setting, std::uint32_t first_turn)
    : setting_(setting), turn_(first_turn), hosts_(setting.hosts) {}

// --- What is seen ----------------------------------------------------------------------------

void PoolModel::tell(const std::string& what) {
  events_.push_back(fmt::format("{}ms {}", now_, what));
}

std::vector<std::string> PoolModel::take_events() {
  return std::exchange(events_, {});
}

std::uint32_t PoolModel::connection_count() const {
  return static_cast<std::uint32_t>(std::count_if(
      connections_.begin(), connections_.end(),
      [](const Connection& connection) { return connection.state != Connection::State::Gone; }));
}

std::uint32_t PoolModel::count(Connection::State state, std::uint32_t host) const {
  return static_cast<std::uint32_t>(
      std::count_if(connections_.begin(), connections_.end(), [&](const Connection& connection) {
        return connection.state == state && connection.host == host;
      }));
}

/// Source: ENV-POOL-21. A gauge is written when its number changes: a limit of 0 is not seen as
/// reached before.
std::string PoolModel::counts() const {
  const std::uint32_t cx = connection_count();
  return fmt::format(
      "cx {} pending {} active {} open {}{}{} | cx_total {} cx_overflow {} connect_fail {} "
      "connect_timeout {} max_requests {} close_notify {} rq_total {} pending_total {} "
      "pending_overflow {} active_overflow {} pending_failure_eject {} timeout {} cancelled {} "
      "completed {}",
      cx, pending_, active_, cx_total_ > 0 && cx >= setting_.max_connections ? 'c' : '-',
      pending_total_ > 0 && pending_ >= setting_.max_pending ? 'p' : '-',
      rq_total_ > 0 && active_ >= setting_.max_requests ? 'r' : '-', cx_total_, cx_overflow_,
      cx_connect_fail_, cx_connect_timeout_, cx_max_requests_, cx_close_notify_, rq_total_,
      pending_total_, pending_overflow_, active_overflow_, pending_failure_, rq_timeout_,
      rq_cancelled_, rq_completed_);
}

void PoolModel::reply(std::uint32_t request, int status, const std::string& text,
                      const std::string& flags, const std::string& details) {
  tell(fmt::format("r{} {} {}", request, status, text));
  log_.push_back(fmt::format("/r{} {} {} {}", request, status, flags, details));
  requests_[request].state = Request::State::Over;
  ++rq_completed_;
}

/// Source: ENV-POOL-03, -16.
void PoolModel::refuse(std::uint32_t request, const std::string& reason, const std::string& flag,
                       const std::string& transport) {
  std::string details = reason;
  std::replace(details.begin(), details.end(), ' ', '_');
  if (!transport.empty()) details += "|" + transport;
  reply(request, 503, reason + (reason == "overflow" ? " overloaded" : ""), flag,
        "upstream_reset_before_response_started{" + details + "}");
}

std::vector<std::uint32_t> PoolModel::active_requests() const {
  std::vector<std::uint32_t> out;
  for (const auto& [number, request] : requests_) {
    if (request.state == Request::State::Active) out.push_back(number);
  }
  return out;
}

std::vector<std::uint32_t> PoolModel::queued_requests() const {
  std::vector<std::uint32_t> out;
  for (const auto& [number, request] : requests_) {
    if (request.state == Request::State::Queued) out.push_back(number);
  }
  return out;
}

std::vector<std::pair<std::uint32_t, std::uint32_t>> PoolModel::connections() const {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> out;
  for (const Connection& connection : connections_) {
    if (connection.state == Connection::State::Up) {
      out.emplace_back(connection.host, connection.serial);
    }
  }
  return out;
}

std::uint32_t PoolModel::streams(std::uint32_t host, std::uint32_t serial) const {
  for (const Connection& connection : connections_) {
    if (connection.state == Connection::State::Up && connection.host == host &&
        connection.serial == serial) {
      return static_cast<std::uint32_t>(connection.opened.size());
    }
  }
  return 0;
}

bool PoolModel::quiet() const {
  return pending_ == 0 && active_ == 0;
}

PoolModel::Connection* PoolModel::find(std::uint32_t host, std::uint32_t serial,
                                       std::uint32_t& index) {
  for (index = 0; index < connections_.size(); ++index) {
    Connection& connection = connections_[index];
    if (connection.state == Connection::State::Up && connection.host == host &&
        connection.serial == serial) {
      return &connection;
    }
  }
  return nullptr;
}

// --- The machine of ENV-POOL-05 ----------------------------------------------------------------

void PoolModel::arrive(std::uint32_t number, bool http2_client) {
  const std::uint32_t h = turn_++ % setting_.hosts;
  Request& request = requests_[number];
  request.http2_client = http2_client;
  request.host = h;
  if (setting_.route_timeout > 0) request.deadline = now_ + setting_.route_timeout;
  Host& host = hosts_[h];
  if (!host.ready.empty()) {
    attach(number, host.ready.back());
  } else if (pending_ >= setting_.max_pending) {
    ++pending_overflow_;
    refuse(number, "overflow", "UO");
  } else {
    ++pending_;
    ++pending_total_;
    host.queue.push_back(number);
    try_connect(h);
  }
}

void PoolModel::try_connect(std::uint32_t h) {
  Host& host = hosts_[h];
  // An HTTP/2 connection that is coming will do for all who wait (ENV-POOL-22).
  const std::size_t each = setting_.http2 ? 1024 : 1;
  for (int i = 0; i < 3; ++i) {
    const std::uint32_t coming = count(Connection::State::Coming, h);
    if (host.queue.size() <= coming * each) return;
    if (connection_count() >= setting_.max_connections) {
      ++cx_overflow_;
      if (coming + count(Connection::State::Up, h) > 0) return;
    }
    ++cx_total_;
    Connection connection;
    connection.host = h;
    if (host.mode != Host::Mode::Silent) {
      connection.up_at = host.mode == Host::Mode::Late ? now_ + kLateMillis : now_;
    }
    if (setting_.connect_timeout > 0) connection.give_up_at = now_ + setting_.connect_timeout;
    connections_.push_back(connection);
  }
}

std::uint32_t PoolModel::room(const Connection& connection) const {
  if (connection.state != Connection::State::Up || connection.leaving) return 0;
  const auto open = static_cast<std::uint32_t>(connection.streams.size());
  return connection.most_streams > open ? connection.most_streams - open : 0;
}

void PoolModel::up(std::uint32_t c) {
  Connection& connection = connections_[c];
  connection.state = Connection::State::Up;
  connection.give_up_at = -1;
  connection.serial = hosts_[connection.host].came_up++;
  if (setting_.http2) connection.most_streams = 1024;  // until its SETTINGS are read
  tell(fmt::format("h{} c{} open", connection.host, connection.serial));
  serve_queue(c);
}

/// The connection is ready for whoever waits. Source: ENV-POOL-05, -11, -23.
void PoolModel::serve_queue(std::uint32_t c) {
  const std::uint32_t h = connections_[c].host;
  while (!hosts_[h].queue.empty() && room(connections_[c]) > 0) {
    const std::uint32_t next = hosts_[h].queue.front();
    hosts_[h].queue.pop_front();
    --pending_;
    attach(next, c);
  }
  if (!hosts_[h].queue.empty()) try_connect(h);
  note_room(c);
}

/// Keeps the list of those with room.
void PoolModel::note_room(std::uint32_t c) {
  Connection& connection = connections_[c];
  std::vector<std::uint32_t>& ready = hosts_[connection.host].ready;
  const auto found = std::find(ready.begin(), ready.end(), c);
  if (room(connection) == 0) {
    if (found != ready.end()) ready.erase(found);
  } else if (found == ready.end()) {
    ready.push_back(c);
  }
  if (connection.state != Connection::State::Up || !connection.streams.empty()) {
    connection.idle_end = -1;
  } else if (connection.idle_end < 0 && setting_.idle_timeout > 0) {
    connection.idle_end = now_ + setting_.idle_timeout;
  }
}

/// Source: ENV-POOL-18, -20, -22.
void PoolModel::attach(std::uint32_t number, std::uint32_t c) {
  Connection& connection = connections_[c];
  if (active_ >= setting_.max_requests) {
    ++active_overflow_;
    refuse(number, "overflow", "UO");
    return;
  }
  ++active_;
  ++rq_total_;
  Request& request = requests_[number];
  request.state = Request::State::Active;
  request.connection = c;
  connection.streams.push_back(number);
  connection.opened.push_back(number);
  if (connection.opened.size() == setting_.max_requests_per_connection) {
    ++cx_max_requests_;
    connection.leaving = true;
  }
  tell(fmt::format("h{} c{} r{}", connection.host, connection.serial, number));
  note_room(c);
}

/// An active request has nothing to do with its connection any more.
void PoolModel::part(std::uint32_t number) {
  --active_;
  std::vector<std::uint32_t>& streams = connections_[requests_[number].connection].streams;
  streams.erase(std::find(streams.begin(), streams.end(), number));
}

void PoolModel::gone(std::uint32_t c) {
  Connection& connection = connections_[c];
  if (connection.state == Connection::State::Up) {
    tell(fmt::format("h{} c{} over", connection.host, connection.serial));
  }
  connection.state = Connection::State::Gone;
  note_room(c);
  try_connect(connection.host);
}

/// A stream of an HTTP/2 connection, or the one of an HTTP/1 connection, has ended well.
void PoolModel::stream_over(std::uint32_t c) {
  const Connection& connection = connections_[c];
  if (connection.leaving && connection.streams.empty()) {
    gone(c);
  } else if (room(connection) > 0) {
    serve_queue(c);
  }
}

/// Source: ENV-POOL-17: all who wait for the host fail, other attempts under way go on.
void PoolModel::attempt_failed(std::uint32_t c, const std::string& reason) {
  ++cx_connect_fail_;
  connections_[c].state = Connection::State::Gone;
  std::deque<std::uint32_t> failed = std::exchange(hosts_[connections_[c].host].queue, {});
  for (const std::uint32_t number : failed) {
    --pending_;
    ++pending_failure_;
    refuse(number, reason, "UF",
           reason == "connection timeout" ? "" : "delayed_connect_error:_Connection_refused");
  }
}

/// The connection was ended by the endpoint. Source: ENV-POOL-17, -28.
void PoolModel::lost(std::uint32_t c) {
  const std::vector<std::uint32_t> streams = connections_[c].streams;
  for (const std::uint32_t number : streams) {
    part(number);
    refuse(number, "connection termination", "UC");
    if (setting_.http2) ++pending_failure_;  // [pool-h2-upstream-rst-conn]
  }
  gone(c);
}

/// The request is not wanted any more. Source: ENV-POOL-13, -14, -15, -25.
void PoolModel::leave(std::uint32_t number) {
  Request& request = requests_[number];
  if (request.state == Request::State::Queued) {
    std::deque<std::uint32_t>& queue = hosts_[request.host].queue;
    queue.erase(std::find(queue.begin(), queue.end(), number));
    --pending_;
    ++rq_cancelled_;
  } else {
    part(number);
    const std::uint32_t c = request.connection;
    if (setting_.http2) {
      tell(
          fmt::format("h{} c{} r{} reset 2", connections_[c].host, connections_[c].serial, number));
      stream_over(c);
    } else {
      gone(c);
    }
  }
}

// --- Stimuli ---------------------------------------------------------------------------------

void PoolModel::answer(const PoolStep& step) {
  const auto found = requests_.find(step.a);
  if (found == requests_.end() || found->second.state != Request::State::Active) return;
  if (step.kind != Kind::Answer && setting_.http2) return;
  const std::uint32_t c = found->second.connection;
  part(step.a);
  reply(step.a, 200, fmt::format("ok-r{}", step.a), "-", "via_upstream");
  if (step.kind == Kind::AnswerAndSay) {
    ++cx_close_notify_;
    gone(c);
  } else if (step.kind == Kind::AnswerAndFin) {
    gone(c);
  } else {
    stream_over(c);
  }
}

/// Source: ENV-POOL-28.
void PoolModel::goaway(Connection& connection, std::uint32_t c, std::uint32_t looked_at) {
  if (connection.goaway || !setting_.http2) return;
  connection.goaway = connection.leaving = true;
  ++cx_close_notify_;
  note_room(c);
  for (std::size_t i = looked_at; i < connections_[c].opened.size(); ++i) {
    const std::uint32_t number = connections_[c].opened[i];
    const Request& request = requests_[number];
    if (request.state != Request::State::Active) continue;
    part(number);
    refuse(number, "remote refused stream reset", "UR");
  }
  if (connections_[c].streams.empty()) gone(c);
}

void PoolModel::step(const PoolStep& step) {
  std::int64_t steps = 1;
  std::uint32_t index = 0;
  switch (step.kind) {
    case Kind::Send:
      arrive(step.a, false);
      break;
    case Kind::Burst:
      for (std::uint32_t number = step.a; number <= step.b; ++number) arrive(number, true);
      break;
    case Kind::LeaveByFin:
    case Kind::LeaveByReset: {
      const auto found = requests_.find(step.a);
      if (found == requests_.end() || found->second.state == Request::State::Over) break;
      leave(step.a);
      found->second.state = Request::State::Over;
      log_.push_back(found->second.http2_client
                         ? fmt::format("/r{} 0 DR http2.remote_reset", step.a)
                         : fmt::format("/r{} 0 DC downstream_remote_disconnect", step.a));
      break;
    }
    case Kind::Answer:
    case Kind::AnswerAndSay:
    case Kind::AnswerAndFin:
      answer(step);
      break;
    case Kind::Fin:
    case Kind::Reset:
      if (find(step.a, step.b, index) != nullptr) lost(index);
      break;
    case Kind::ResetStream: {
      const auto found = requests_.find(step.a);
      if (!setting_.http2 || found == requests_.end() ||
          found->second.state != Request::State::Active) {
        break;
      }
      part(step.a);
      refuse(step.a, step.b == 7 ? "remote refused stream reset" : "remote reset", "UR");
      stream_over(found->second.connection);
      break;
    }
    case Kind::GoAway:
      if (Connection* connection = find(step.a, step.b, index)) goaway(*connection, index, step.c);
      break;
    case Kind::MaxStreams:
      if (Connection* connection = find(step.a, step.b, index);
          connection != nullptr && setting_.http2) {
        connection->most_streams = step.c;
        note_room(index);  // who waits is not woken (ENV-POOL-27)
      }
      break;
    case Kind::Refuse:
      hosts_[step.a].mode = Host::Mode::Refusing;
      break;
    case Kind::Silence:
      hosts_[step.a].mode = Host::Mode::Silent;
      break;
    case Kind::Delay:
      hosts_[step.a].mode = Host::Mode::Late;
      break;
    case Kind::Welcome:
      hosts_[step.a].mode = Host::Mode::Usual;
      break;
    case Kind::Wait:
      steps = step.a;
      break;
  }
  settle();
  pass_until(now_ - now_ % kStepMillis + steps * kStepMillis);
}

// --- Time ------------------------------------------------------------------------------------

/// Attempts to connect that come to their end at this instant, in the order they were made; then
/// what new connections say of themselves.
void PoolModel::settle() {
  for (std::uint32_t c = 0; c < connections_.size(); ++c) {
    if (connections_[c].state != Connection::State::Coming || connections_[c].up_at < 0 ||
        connections_[c].up_at > now_) {
      continue;
    }
    if (hosts_[connections_[c].host].mode == Host::Mode::Refusing) {
      attempt_failed(c, "remote connection failure");
    } else {
      up(c);
    }
  }
  for (std::uint32_t c = 0; c < connections_.size(); ++c) {
    Connection& connection = connections_[c];
    if (connection.state != Connection::State::Up || connection.settings_seen) continue;
    connection.settings_seen = true;
    if (setting_.max_streams > 0) {
      connection.most_streams = setting_.max_streams;
      note_room(c);
    }
  }
}

void PoolModel::pass_until(std::int64_t time) {
  for (;;) {
    std::int64_t next = time;
    const auto consider = [&next, this](std::int64_t at) {
      if (at > now_) next = std::min(next, at);
    };
    for (const auto& [number, request] : requests_) {
      if (request.state != Request::State::Over) consider(request.deadline);
    }
    for (const Connection& connection : connections_) {
      if (connection.state == Connection::State::Gone) continue;
      consider(connection.give_up_at);
      consider(connection.idle_end);
      if (connection.state == Connection::State::Coming) consider(connection.up_at);
    }
    now_ = next;
    if (next == time) return;
    due(next);
  }
}

void PoolModel::due(std::int64_t time) {
  for (auto& [number, request] : requests_) {
    if (request.state == Request::State::Over || request.deadline != time) continue;
    ++rq_timeout_;
    leave(number);
    reply(number, 504, "upstream request timeout", "UT", "response_timeout");
  }
  for (std::uint32_t c = 0; c < connections_.size(); ++c) {
    const Connection& connection = connections_[c];
    if (connection.state == Connection::State::Coming && connection.give_up_at == time) {
      ++cx_connect_timeout_;
      attempt_failed(c, "connection timeout");
    } else if (connection.state == Connection::State::Up && connection.idle_end == time) {
      gone(c);
    }
  }
  settle();
}

}  // namespace property
