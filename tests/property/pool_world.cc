#include "tests/property/pool_world.h"

#include <cstdlib>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "tests/property/http2_frames.h"

namespace property {
namespace {

using namespace std::chrono_literals;
using Kind = PoolStep::Kind;

constexpr std::uint16_t kFrontPort = 9080;
constexpr std::uint16_t kServicePort = 8080;
constexpr std::string_view kLogPath = "/log";
/// Everything that follows from a stimulus is over long before the next timer.
constexpr world::Duration kLatency = 1us;
constexpr world::Duration kNever = 24h;

std::string host_name(std::uint32_t host) {
  return fmt::format("u{}", host);
}

/// The number in "/r12", "GET /r12 HTTP/1.1".
std::uint32_t request_in(std::string_view text) {
  const std::size_t at = text.find("/r");
  return at == text.npos ? 0
                         : static_cast<std::uint32_t>(
                               std::strtoul(std::string(text.substr(at + 2)).c_str(), nullptr, 10));
}

std::shared_ptr<const proxy::GatewayPlan> plan_of(const PoolSetting& setting) {
  proxy::Cluster cluster;
  cluster.name = "service";
  cluster.protocol = setting.http2 ? proxy::Protocol::Http2 : proxy::Protocol::Http1;
  cluster.discovery = proxy::Cluster::Discovery::Static;
  cluster.connect_timeout = std::chrono::milliseconds(setting.connect_timeout);
  cluster.idle_timeout = std::chrono::milliseconds(setting.idle_timeout);
  cluster.limits = {.max_connections = setting.max_connections,
                    .max_pending_requests = setting.max_pending,
                    .max_requests = setting.max_requests};
  cluster.max_requests_per_connection = setting.max_requests_per_connection;
  for (std::uint32_t host = 0; host < setting.hosts; ++host) {
    cluster.endpoints.emplace_back(host_name(host), kServicePort);
  }
  proxy::Route route;
  route.name = "all";
  route.path.text = "/";
  route.timeout = std::chrono::milliseconds(setting.route_timeout);
  route.clusters = {{0, 1}};
  proxy::VirtualHost any;
  any.domains = {"*"};
  any.routes = {route};
  proxy::HopPlan hop;
  hop.name = "ingress";
  hop.port = kFrontPort;
  hop.clusters = {cluster};
  hop.routes.hosts = {any};
  hop.access_log = proxy::AccessLogPlan{std::string(kLogPath),
                                        proxy::AccessLogPlan::Kind::Text,
                                        "%REQ(:PATH)% %RESPONSE_CODE% %RESPONSE_FLAGS% "
                                        "%RESPONSE_CODE_DETAILS%\n",
                                        {}};
  auto plan = std::make_shared<proxy::GatewayPlan>();
  plan->ingress = {hop};
  return plan;
}

}  // namespace

// --- Clients ---------------------------------------------------------------------------------

class PoolWorld::Client : public world::TransportEvents {
 public:
  explicit Client(PoolWorld& world) : world_(world) {
    transport_ = world.client_host_.connect({world.edge_.host().address(), kFrontPort}, *this);
  }
  virtual void leave(std::uint32_t request, bool reset) = 0;

 protected:
  PoolWorld& world_;
  std::unique_ptr<world::Transport> transport_;
};

class PoolWorld::Http1Client final : public Client {
 public:
  Http1Client(PoolWorld& world, std::uint32_t request) : Client(world), request_(request) {
    transport_->write(fmt::format("GET /r{} HTTP/1.1\r\nhost: a.example\r\n\r\n", request));
  }
  void leave(std::uint32_t, bool reset) override {
    if (left_) return;
    left_ = true;
    if (reset) {
      transport_->reset();
    } else {
      transport_->close();
    }
  }

 private:
  void on_data(std::string_view bytes) override {
    bytes_ += bytes;
    for (;;) {
      const std::size_t head = bytes_.find("\r\n\r\n");
      const std::size_t length = bytes_.find("content-length: ");
      if (head == bytes_.npos || length > head) return;
      const std::size_t body = std::strtoul(&bytes_[length + 16], nullptr, 10);
      if (bytes_.size() < head + 4 + body) return;
      const bool overloaded = bytes_.find("x-envoy-overloaded: true\r\n") < head;
      world_.answered(request_, bytes_.substr(9, 3), overloaded, bytes_.substr(head + 4, body));
      bytes_.erase(0, head + 4 + body);
    }
  }
  void on_end() override { world_.tell(fmt::format("the connection of r{} ended", request_)); }
  void on_error(std::error_code error) override {
    world_.tell(fmt::format("the connection of r{}: {}", request_, error.message()));
  }

  std::uint32_t request_;
  std::string bytes_;
  bool left_ = false;
};

class PoolWorld::Http2Client final : public Client {
 public:
  Http2Client(PoolWorld& world, std::uint32_t first, std::uint32_t last)
      : Client(world), first_(first), reader_(false) {
    std::string bytes = std::string(kPreface) + settings_frame();
    for (std::uint32_t request = first; request <= last; ++request) {
      bytes += get_frame(stream_of(request), fmt::format("/r{}", request));
    }
    transport_->write(bytes);
  }
  void leave(std::uint32_t request, bool) override {
    constexpr std::uint32_t kCancel = 8;
    transport_->write(frame(FrameType::ResetStream, 0, stream_of(request), word(kCancel)));
  }

 private:
  struct Answer {
    std::string status;
    bool overloaded = false;
    std::string body;
  };
  std::uint32_t stream_of(std::uint32_t request) const { return (request - first_) * 2 + 1; }

  void on_data(std::string_view bytes) override {
    reader_.feed(bytes, [this](const Frame& frame) { take(frame); });
  }
  void take(const Frame& frame) {
    if (frame.stream == 0) return;
    const std::uint32_t request = first_ + (frame.stream - 1) / 2;
    Answer& answer = answers_[request];
    if (frame.type == FrameType::ResetStream) {
      world_.tell(fmt::format("r{} was reset", request));
    } else if (frame.type == FrameType::Headers) {
      answer.status = frame.header(":status");
      answer.overloaded = frame.header("x-envoy-overloaded") == "true";
    } else if (frame.type == FrameType::Data) {
      answer.body += frame.payload;
    } else {
      return;
    }
    if (frame.type == FrameType::ResetStream || (frame.flags & kEndStream) == 0) return;
    world_.answered(request, answer.status, answer.overloaded, answer.body);
  }
  void on_end() override { world_.tell(fmt::format("the connection of r{} ended", first_)); }
  void on_error(std::error_code error) override {
    world_.tell(fmt::format("the connection of r{}: {}", first_, error.message()));
  }

  std::uint32_t first_;
  FrameReader reader_;
  std::map<std::uint32_t, Answer> answers_;
};

// --- Endpoints -------------------------------------------------------------------------------

class PoolWorld::ServerConnection : public world::TransportEvents {
 public:
  ServerConnection(PoolWorld& world, std::uint32_t host, std::uint32_t serial,
                   std::unique_ptr<world::Transport> transport)
      : world_(world), host_(host), serial_(serial), transport_(std::move(transport)) {
    transport_->set_events(*this);
    say("open");
  }
  bool over() const { return over_; }
  virtual void answer(std::uint32_t request, bool say_close) = 0;
  virtual void reset_stream(std::uint32_t, std::uint32_t) {}
  virtual void go_away(std::uint32_t) {}
  virtual void take_streams(std::uint32_t) {}
  void end(bool reset) {
    if (over_) return;
    if (reset) {
      transport_->reset();
    } else {
      transport_->finish();
    }
    finish();
  }

 protected:
  void say(const std::string& what) {
    world_.tell(fmt::format("h{} c{} {}", host_, serial_, what));
  }
  void seen(std::uint32_t request) {
    world_.reached_.push_back(host_);
    world_.served_on_[request] = this;
    say(fmt::format("r{}", request));
  }
  void finish() {
    if (std::exchange(over_, true)) return;
    say("over");
    std::erase_if(world_.served_on_, [this](const auto& served) { return served.second == this; });
  }
  void on_end() override {
    finish();
    transport_->close();
  }
  void on_error(std::error_code) override { finish(); }

  PoolWorld& world_;
  std::uint32_t host_;
  std::uint32_t serial_;
  std::unique_ptr<world::Transport> transport_;
  bool over_ = false;
};

class PoolWorld::Http1Server final : public ServerConnection {
 public:
  using ServerConnection::ServerConnection;

 private:
  void answer(std::uint32_t request, bool say_close) override {
    const std::string body = fmt::format("ok-r{}", request);
    transport_->write(fmt::format("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n{}\r\n{}", body.size(),
                                  say_close ? "connection: close\r\n" : "", body));
    world_.served_on_.erase(request);
  }
  void on_data(std::string_view bytes) override {
    bytes_ += bytes;
    for (std::size_t end = bytes_.find("\r\n\r\n"); end != bytes_.npos;
         end = bytes_.find("\r\n\r\n")) {
      seen(request_in(bytes_));
      bytes_.erase(0, end + 4);
    }
  }

  std::string bytes_;
};

class PoolWorld::Http2Server final : public ServerConnection {
 public:
  Http2Server(PoolWorld& world, std::uint32_t host, std::uint32_t serial,
              std::unique_ptr<world::Transport> transport)
      : ServerConnection(world, host, serial, std::move(transport)), reader_(true) {
    transport_->write(settings_frame(world.setting_.max_streams));
  }

 private:
  void answer(std::uint32_t request, bool) override {
    transport_->write(answer_frames(streams_[request], fmt::format("ok-r{}", request)));
    world_.served_on_.erase(request);
  }
  void reset_stream(std::uint32_t request, std::uint32_t code) override {
    transport_->write(frame(FrameType::ResetStream, 0, streams_[request], word(code)));
    world_.served_on_.erase(request);
  }
  void go_away(std::uint32_t looked_at) override {
    if (std::exchange(gone_away_, true)) return;
    const std::uint32_t last = looked_at == 0 ? 0 : looked_at * 2 - 1;
    transport_->write(frame(FrameType::GoAway, 0, 0, word(last) + word(0)));
    std::erase_if(world_.served_on_, [&](const auto& served) {
      return served.second == this && streams_[served.first] > last;
    });
  }
  void take_streams(std::uint32_t streams) override { transport_->write(settings_frame(streams)); }

  void on_data(std::string_view bytes) override {
    reader_.feed(bytes, [this](const Frame& frame) { take(frame); });
  }
  void take(const Frame& frame) {
    switch (frame.type) {
      case FrameType::Settings:
        if ((frame.flags & kAck) == 0) {
          transport_->write(property::frame(FrameType::Settings, kAck, 0, {}));
        }
        break;
      case FrameType::Headers: {
        const std::uint32_t request = request_in(frame.header(":path"));
        streams_[request] = frame.stream;
        seen(request);
        break;
      }
      case FrameType::ResetStream:
        for (const auto& [request, stream] : streams_) {
          if (stream != frame.stream) continue;
          say(fmt::format("r{} reset {}", request, static_cast<int>(frame.payload[3])));
          world_.served_on_.erase(request);
        }
        break;
      default:
        break;
    }
  }

  FrameReader reader_;
  std::map<std::uint32_t, std::uint32_t> streams_;
  bool gone_away_ = false;
};

class PoolWorld::Server final : public world::AcceptEvents {
 public:
  Server(PoolWorld& world, std::uint32_t number)
      : host(world.simulation_.add_host(host_name(number))), world_(world), number_(number) {
    set_open(true);
  }
  void set_open(bool open) {
    if (open && listener_ == nullptr) {
      listener_ = host.listen({0, kServicePort}, *this).value();
    } else if (!open) {
      listener_.reset();
    }
  }
  ServerConnection* connection(std::uint32_t serial) {
    if (serial >= connections_.size() || connections_[serial]->over()) return nullptr;
    return connections_[serial].get();
  }

  sim::Host& host;

 private:
  void on_accept(std::unique_ptr<world::Transport> transport) override {
    const auto serial = static_cast<std::uint32_t>(connections_.size());
    if (world_.setting_.http2) {
      connections_.push_back(
          std::make_unique<Http2Server>(world_, number_, serial, std::move(transport)));
    } else {
      connections_.push_back(
          std::make_unique<Http1Server>(world_, number_, serial, std::move(transport)));
    }
  }

  PoolWorld& world_;
  std::uint32_t number_;
  std::unique_ptr<world::Listener> listener_;
  std::vector<std::unique_ptr<ServerConnection>> connections_;
};

// --- The world -------------------------------------------------------------------------------

PoolWorld::PoolWorld(const PoolSetting& setting)
    : setting_(setting),
      simulation_({.default_link = {.latency = kLatency}}),
      client_host_(simulation_.add_host("client")),
      edge_(simulation_) {
  simulation_.trace().set_hashing(false);
  for (std::uint32_t host = 0; host < setting.hosts; ++host) {
    servers_.push_back(std::make_unique<Server>(*this, host));
    edge_.know(servers_.back()->host);
  }
  edge_.set_ways([this](const world::Endpoint& remote) {
    EdgeWorld::Way way{remote};
    const auto late = late_.find(remote.address);
    if (late != late_.end()) way.first_packet = late->second;
    return way;
  });
  gateway_ = std::make_unique<proxy::Gateway>(edge_, plan_of(setting));
  if (!gateway_->start()) std::abort();
  simulation_.run_until(world::TimePoint(std::chrono::milliseconds(kStepMillis)));
}

PoolWorld::~PoolWorld() = default;

void PoolWorld::tell(const std::string& what) {
  const auto time = simulation_.now().time_since_epoch();
  events_.push_back(fmt::format(
      "{}ms {}", std::chrono::duration_cast<std::chrono::milliseconds>(time).count(), what));
}

void PoolWorld::answered(std::uint32_t request, std::string_view status, bool overloaded,
                         std::string_view body) {
  ++answers_[request];
  constexpr std::string_view kBeginning =
      "upstream connect error or disconnect/reset before headers. reset reason: ";
  if (status == "503" && body.starts_with(kBeginning)) body.remove_prefix(kBeginning.size());
  tell(fmt::format("r{} {} {}{}", request, status, body, overloaded ? " overloaded" : ""));
}

std::vector<std::string> PoolWorld::take_events() {
  return std::exchange(events_, {});
}

std::string PoolWorld::counts() const {
  const proxy::ClusterState state = gateway_->clusters().front();
  const proxy::PoolCounts& pool = state.pool;
  return fmt::format(
      "cx {} pending {} active {} open {}{}{} | cx_total {} cx_overflow {} connect_fail {} "
      "connect_timeout {} max_requests {} close_notify {} rq_total {} pending_total {} "
      "pending_overflow {} active_overflow {} pending_failure_eject {} timeout {} cancelled {} "
      "completed {}",
      pool.connections, pool.pending, pool.requests, state.open.connections ? 'c' : '-',
      state.open.pending ? 'p' : '-', state.open.requests ? 'r' : '-', pool.connections_total,
      pool.connection_overflow, pool.connect_failures, pool.connect_timeouts,
      pool.connections_used_up, pool.close_notifies, pool.requests_total, pool.pending_total,
      pool.pending_overflow, pool.active_overflow, pool.pending_failures, pool.timeouts,
      pool.cancelled, pool.completed);
}

std::vector<std::string> PoolWorld::log() const {
  std::vector<std::string> lines;
  const auto file = edge_.host().files().find(kLogPath);
  std::string_view text = file->second;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return lines;
}

std::vector<std::string> PoolWorld::miscounted() const {
  std::vector<std::string> wrong;
  for (const auto& [request, times] : answers_) {
    if (times != 1) wrong.push_back(fmt::format("r{} was answered {} times", request, times));
  }
  return wrong;
}

void PoolWorld::step(const PoolStep& step) {
  act(step);
  const std::int64_t steps = step.kind == Kind::Wait ? step.a : 1;
  simulation_.run_for(std::chrono::milliseconds(steps * kStepMillis));
}

void PoolWorld::act(const PoolStep& step) {
  const auto served = served_on_.find(step.a);
  ServerConnection* serving = served == served_on_.end() ? nullptr : served->second;
  ServerConnection* connection =
      step.a < servers_.size() ? servers_[step.a]->connection(step.b) : nullptr;
  switch (step.kind) {
    case Kind::Send:
      answers_[step.a] = 0;
      clients_[step.a] = std::make_shared<Http1Client>(*this, step.a);
      break;
    case Kind::Burst: {
      auto client = std::make_shared<Http2Client>(*this, step.a, step.b);
      for (std::uint32_t request = step.a; request <= step.b; ++request) {
        answers_[request] = 0;
        clients_[request] = client;
      }
      break;
    }
    case Kind::LeaveByFin:
    case Kind::LeaveByReset: {
      const auto client = clients_.find(step.a);
      if (client == clients_.end() || answers_[step.a] != 0) break;
      client->second->leave(step.a, step.kind == Kind::LeaveByReset);
      clients_.erase(client);
      answers_.erase(step.a);
      break;
    }
    case Kind::Answer:
      if (serving != nullptr) serving->answer(step.a, false);
      break;
    case Kind::AnswerAndSay:
    case Kind::AnswerAndFin:
      if (serving == nullptr || setting_.http2) break;
      serving->answer(step.a, step.kind == Kind::AnswerAndSay);
      if (step.kind == Kind::AnswerAndFin) serving->end(false);
      break;
    case Kind::Fin:
    case Kind::Reset:
      if (connection != nullptr) connection->end(step.kind == Kind::Reset);
      break;
    case Kind::ResetStream:
      if (serving != nullptr) serving->reset_stream(step.a, step.b);
      break;
    case Kind::GoAway:
      if (connection != nullptr) connection->go_away(step.c);
      break;
    case Kind::MaxStreams:
      if (connection != nullptr) connection->take_streams(step.c);
      break;
    case Kind::Refuse:
    case Kind::Silence:
    case Kind::Delay:
    case Kind::Welcome: {
      servers_[step.a]->set_open(step.kind != Kind::Refuse);
      const std::uint32_t address = servers_[step.a]->host.address();
      late_.erase(address);
      if (step.kind == Kind::Silence) late_[address] = kNever;
      if (step.kind == Kind::Delay) late_[address] = std::chrono::milliseconds(kLateMillis);
      break;
    }
    case Kind::Wait:
      break;
  }
}

}  // namespace property
