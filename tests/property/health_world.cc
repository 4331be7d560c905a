#include "tests/property/health_world.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "tests/property/http2_frames.h"

namespace property {
namespace {

using namespace std::chrono_literals;
using Kind = ProbeAnswer::Kind;
using std::chrono::microseconds;

constexpr std::uint16_t kFrontPort = 9080;
constexpr std::uint16_t kServicePort = 8080;
constexpr std::uint16_t kProbePort = 9000;
constexpr std::uint16_t kClosedPort = 9;

std::string host_name(std::uint32_t host) {
  return fmt::format("u{}", host);
}

std::shared_ptr<const proxy::GatewayPlan> plan_of(const HealthSetting& setting) {
  proxy::HealthCheckPlan check;
  check.kind = static_cast<proxy::HealthCheckPlan::Kind>(setting.kind);
  check.interval = microseconds(setting.interval);
  check.timeout = microseconds(setting.timeout);
  check.no_traffic_interval = microseconds(setting.no_traffic_interval);
  check.healthy_threshold = setting.healthy_threshold;
  check.unhealthy_threshold = setting.unhealthy_threshold;
  const auto optional = [](const std::optional<std::int64_t>& time) {
    return time ? std::optional<proxy::Duration>(microseconds(*time)) : std::nullopt;
  };
  check.unhealthy_interval = optional(setting.unhealthy_interval);
  check.unhealthy_edge_interval = optional(setting.unhealthy_edge_interval);
  check.healthy_edge_interval = optional(setting.healthy_edge_interval);
  check.reuse_connection = setting.reuse_connection;
  check.path = "/ping";
  check.port = kProbePort;
  if (setting.wide_statuses) check.expected_statuses = {{200, 400}};
  if (setting.retriable_503) check.retriable_statuses = {{503, 504}};

  proxy::Cluster cluster;
  cluster.name = "service";
  cluster.discovery = proxy::Cluster::Discovery::Static;
  cluster.connect_timeout = 1s;
  cluster.health_check = check;
  cluster.panic_percent = setting.panic_percent;
  cluster.merge_window = microseconds(setting.merge_window);
  for (std::uint32_t host = 0; host < setting.hosts; ++host) {
    cluster.endpoints.emplace_back(host_name(host), kServicePort);
  }
  proxy::Route route;
  route.name = "all";
  route.path.text = "/";
  route.clusters = {{0, 1}};
  proxy::VirtualHost any;
  any.domains = {"*"};
  any.routes = {route};
  proxy::HopPlan hop;
  hop.name = "ingress";
  hop.port = kFrontPort;
  hop.clusters = {cluster};
  hop.routes.hosts = {any};
  auto plan = std::make_shared<proxy::GatewayPlan>();
  plan->ingress = {hop};
  return plan;
}

/// A gRPC message: its head, then the field 1 of a HealthCheckResponse.
std::string grpc_message(char serving) {
  return std::string("\0\0\0\0\x02\x08", 6) + serving;
}

std::string literal(std::string_view name, std::string_view value) {
  std::string out(1, '\0');
  for (const std::string_view text : {name, value}) {
    out += static_cast<char>(text.size());
    out += text;
  }
  return out;
}

}  // namespace

// --- Endpoints -------------------------------------------------------------------------------

/// A connection that probes come on.
class HealthWorld::Probed : public world::TransportEvents,
                            public std::enable_shared_from_this<Probed> {
 public:
  Probed(Server& server, std::unique_ptr<world::Transport> transport)
      : server_(server), transport_(std::move(transport)) {
    transport_->set_events(*this);
  }

 protected:
  void probed();
  /// What was to be answered is not wanted any more.
  void forget() { ++turn_; }
  virtual void answer(const ProbeAnswer& answer) = 0;
  void on_end() override {
    forget();
    transport_->close();
  }
  void on_error(std::error_code) override { forget(); }

  Server& server_;
  std::unique_ptr<world::Transport> transport_;

 private:
  void act(const ProbeAnswer& what) {
    if (what.kind == Kind::Fin) {
      transport_->finish();
    } else if (what.kind == Kind::Reset || what.kind == Kind::Refuse) {
      transport_->reset();
    } else if (what.kind != Kind::Nothing && what.kind != Kind::Silence) {
      answer(what);
    }
  }

  bool first_ = true;
  std::uint64_t turn_ = 0;
};

class HealthWorld::HttpProbed final : public Probed {
 public:
  using Probed::Probed;

 private:
  void on_data(std::string_view bytes) override {
    bytes_ += bytes;
    if (!bytes_.ends_with("\r\n\r\n")) return;
    bytes_.clear();
    probed();
  }
  void answer(const ProbeAnswer& what) override {
    if (what.kind == Kind::Garbage) {
      transport_->write("nonsense\r\n\r\n");
    } else if (what.kind == Kind::HalfBody) {
      transport_->write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf");
    } else {
      transport_->write(
          fmt::format("HTTP/1.1 {} X\r\ncontent-length: 2\r\n{}\r\nok", what.status,
                      what.kind == Kind::StatusAndEnd ? "connection: close\r\n" : ""));
    }
  }

  std::string bytes_;
};

class HealthWorld::FrameProbed final : public Probed {
 public:
  FrameProbed(Server& server, std::unique_ptr<world::Transport> transport, bool grpc)
      : Probed(server, std::move(transport)), reader_(true), grpc_(grpc) {
    transport_->write(settings_frame());
  }

 private:
  void on_data(std::string_view bytes) override {
    reader_.feed(bytes, [this](const Frame& frame) { take(frame); });
  }
  void take(const Frame& frame) {
    if (frame.type == FrameType::Settings && (frame.flags & kAck) == 0) {
      transport_->write(property::frame(FrameType::Settings, kAck, 0, {}));
    } else if (frame.type == FrameType::ResetStream) {
      forget();
    } else if ((frame.type == FrameType::Headers || frame.type == FrameType::Data) &&
               (frame.flags & kEndStream) != 0) {
      stream_ = frame.stream;
      probed();
    }
  }
  void answer(const ProbeAnswer& what) override {
    constexpr std::uint32_t kInternalError = 2;
    std::string bytes;
    if (what.kind == Kind::ResetStream) {
      bytes = frame(FrameType::ResetStream, 0, stream_, word(kInternalError));
    } else if (grpc_) {
      const std::string head =
          literal(":status", "200") + literal("content-type", "application/grpc");
      bytes = frame(FrameType::Headers, kEndHeaders, stream_, head);
      if (what.kind != Kind::NoMessage) {
        bytes += frame(FrameType::Data, 0, stream_,
                       grpc_message(what.kind == Kind::NotServing ? '\x02' : '\x01'));
      }
      bytes += frame(FrameType::Headers, kEndHeaders | kEndStream, stream_,
                     literal("grpc-status", what.kind == Kind::GrpcError ? "12" : "0"));
    } else {
      bytes = frame(FrameType::Headers, kEndHeaders | kEndStream, stream_,
                    literal(":status", std::to_string(what.status)));
    }
    if (what.kind == Kind::StatusAndEnd) {
      bytes += frame(FrameType::GoAway, 0, 0, word(stream_) + word(0));
    }
    transport_->write(bytes);
  }

  FrameReader reader_;
  bool grpc_;
  std::uint32_t stream_ = 0;
};

/// A connection that requests come on.
class HealthWorld::Traffic final : public world::TransportEvents {
 public:
  Traffic(std::uint32_t host, std::unique_ptr<world::Transport> transport)
      : host_(host), transport_(std::move(transport)) {
    transport_->set_events(*this);
  }

 private:
  void on_data(std::string_view bytes) override {
    if (!bytes.ends_with("\r\n\r\n")) return;
    transport_->write(fmt::format("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nh{}", host_));
  }
  void on_end() override { transport_->close(); }
  void on_error(std::error_code) override {}

  std::uint32_t host_;
  std::unique_ptr<world::Transport> transport_;
};

class HealthWorld::Server final {
 public:
  Server(HealthWorld& of, std::uint32_t host)
      : world(of),
        number(host),
        host_(of.simulation_.add_host(host_name(host))),
        answers_(of.script_.answers(host)) {
    const sim::LinkOptions link{.latency = microseconds(latency_of(host))};
    sim::Network& network = of.simulation_.network();
    network.set_link(of.edge_.host(), host_, link);
    network.set_link(host_, of.edge_.host(), link);
    of.edge_.know(host_);
    probes_.server = traffic_.server = this;
    probe_listener_ = host_.listen({0, kProbePort}, probes_).value();
    listener_ = host_.listen({0, kServicePort}, traffic_).value();
  }

  std::uint32_t address() const { return host_.address(); }
  const ProbeAnswer& next_answer() { return answers_[next_++ % answers_.size()]; }

  HealthWorld& world;
  const std::uint32_t number;
  ProbeAnswer fresh{};  ///< For the first probe of the connection that is being made.

 private:
  struct Probes final : world::AcceptEvents {
    void on_accept(std::unique_ptr<world::Transport> transport) override {
      const CheckKind kind = server->world.script_.setting.kind;
      if (kind == CheckKind::Http || kind == CheckKind::Tcp) {
        server->probed_ = std::make_shared<HttpProbed>(*server, std::move(transport));
      } else {
        server->probed_ =
            std::make_shared<FrameProbed>(*server, std::move(transport), kind == CheckKind::Grpc);
      }
    }
    Server* server = nullptr;
  };
  struct Requests final : world::AcceptEvents {
    void on_accept(std::unique_ptr<world::Transport> transport) override {
      server->connections_.push_back(
          std::make_unique<Traffic>(server->number, std::move(transport)));
    }
    Server* server = nullptr;
  };

  sim::Host& host_;
  std::vector<ProbeAnswer> answers_;
  std::size_t next_ = 0;
  Probes probes_;
  Requests traffic_;
  std::unique_ptr<world::Listener> probe_listener_;
  std::unique_ptr<world::Listener> listener_;
  std::shared_ptr<Probed> probed_;
  std::vector<std::unique_ptr<Traffic>> connections_;
};

void HealthWorld::Probed::probed() {
  HealthWorld& world = server_.world;
  ProbeAnswer what = server_.fresh;
  if (!std::exchange(first_, false)) {
    what = server_.next_answer();
    world.probes_.emplace_back(world.now() - latency_of(server_.number), server_.number, false);
  }
  world::EventLoop& loop = world.simulation_.loop();
  if (what.delay == 0) {
    act(what);
    return;
  }
  loop.post_at(loop.now() + microseconds(what.delay),
               [weak = weak_from_this(), turn = ++turn_, what] {
                 const auto self = weak.lock();
                 if (self != nullptr && self->turn_ == turn) self->act(what);
               });
}

// --- Clients ---------------------------------------------------------------------------------

class HealthWorld::Client final : public world::TransportEvents {
 public:
  Client(HealthWorld& world, std::size_t number) : world_(world), number_(number) {
    transport_ = world.client_host_.connect({world.edge_.host().address(), kFrontPort}, *this);
    transport_->write("GET /r HTTP/1.1\r\nhost: a.example\r\n\r\n");
  }

 private:
  void on_data(std::string_view bytes) override {
    std::string& pick = world_.picks_[number_];
    const std::size_t body = bytes.find("\r\n\r\n");
    pick += bytes.substr(body == bytes.npos ? 0 : body + 4);
  }
  void on_end() override {}
  void on_error(std::error_code) override {}

  HealthWorld& world_;
  std::size_t number_;
  std::unique_ptr<world::Transport> transport_;
};

// --- The world -------------------------------------------------------------------------------

HealthWorld::HealthWorld(const HealthScript& script)
    : script_(script),
      simulation_({.default_link = {.latency = microseconds(kClientLatency)}}),
      client_host_(simulation_.add_host("client")),
      edge_(simulation_) {
  simulation_.trace().set_hashing(false);
  for (std::uint32_t host = 0; host < script.setting.hosts; ++host) {
    servers_.push_back(std::make_unique<Server>(*this, host));
  }
  edge_.set_ways([this](const world::Endpoint& remote) { return way_of(remote); });
  gateway_ = std::make_unique<proxy::Gateway>(edge_, plan_of(script.setting));
  if (!gateway_->start()) std::abort();
  // The first probes go out as soon as the names are known.
  while (probes_.empty() && simulation_.loop().run_one()) {
  }
  start_ = now();
  for (auto& probe : probes_) std::get<0>(probe) = 0;
  const auto requests = script.requests();
  picks_.resize(requests.size());
  clients_.resize(requests.size());
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const std::int64_t at = start_ + requests[i] - 3 * kClientLatency;
    simulation_.loop().post_at(world::TimePoint(microseconds(at)),
                               [this, i] { clients_[i] = std::make_unique<Client>(*this, i); });
  }
}

HealthWorld::~HealthWorld() = default;

std::int64_t HealthWorld::now() const {
  return std::chrono::duration_cast<microseconds>(simulation_.now().time_since_epoch()).count() -
         start_;
}

EdgeWorld::Way HealthWorld::way_of(const world::Endpoint& remote) {
  EdgeWorld::Way way{remote};
  if (remote.port != kProbePort) return way;
  for (const auto& server : servers_) {
    if (server->address() != remote.address) continue;
    probes_.emplace_back(now(), server->number, true);
    server->fresh = server->next_answer();
    if (server->fresh.kind == Kind::Refuse) way.remote.port = kClosedPort;
    if (server->fresh.kind == Kind::Silence) way.first_packet = 24h;
  }
  return way;
}

void HealthWorld::run_until(std::int64_t at, bool before) {
  const world::TimePoint time(microseconds(start_ + at));
  simulation_.run_until(before ? time - 1ns : time);
}

HealthSeen HealthWorld::seen() const {
  const proxy::ClusterState state = gateway_->clusters().front();
  HealthSeen seen;
  for (std::size_t host = 0; host < state.hosts.size(); ++host) {
    seen.healthy[host] = !state.hosts[host].failed_check;
    seen.used[host] = state.hosts[host].usable;
  }
  const proxy::HealthCounts& counts = state.health;
  seen.counts = {counts.attempts, counts.successes, counts.failures, counts.network_failures,
                 counts.panics};
  return seen;
}

std::vector<std::string> HealthWorld::probes(std::int64_t until) const {
  auto probes = probes_;
  std::sort(probes.begin(), probes.end());
  std::vector<std::string> lines;
  for (const auto& [time, host, fresh] : probes) {
    if (time > until) break;
    lines.push_back(fmt::format("{} h{} {}", time, host, fresh ? "new" : "again"));
  }
  return lines;
}

}  // namespace property
