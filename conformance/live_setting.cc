#include "conformance/live_setting.h"

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "live/loopback.h"
#include "live/runtime.h"
#include "live/world.h"
#include "sim/names.h"

namespace conformance {
namespace {

using world::Endpoint;
using world::TraceKind;

constexpr std::uint32_t kSimulated = 0x0a000000;  // 10.0.0.0
constexpr std::uint32_t kHostPart = live::LoopbackNetwork::kHostPart;

/// Text of a trace event is for people.
constexpr std::size_t kTracedBytes = 512;

}  // namespace

/// A network 127.N/16, and what is where in it.
class LiveSetting::Network {
 public:
  explicit Network(std::unique_ptr<live::LoopbackNetwork> own)
      : own_(std::move(own)), base_(own_->base()) {}

  std::uint32_t real_address(std::uint32_t address) const { return base_ | (address & kHostPart); }
  static bool has(std::uint32_t address) { return (address & ~kHostPart) == kSimulated; }

  /// Where that end of the scenario really is.
  Endpoint real(const Endpoint& endpoint) const {
    const auto moved = moved_.find(endpoint);
    return {real_address(endpoint.address), moved == moved_.end() ? endpoint.port : moved->second};
  }
  /// What the scenario knows a real end by.
  Endpoint known(const Endpoint& real) const {
    if ((real.address & ~kHostPart) != base_) return real;
    const Endpoint endpoint{kSimulated | (real.address & kHostPart), real.port};
    for (const auto& [listener, port] : moved_) {
      if (listener.address == endpoint.address && port == endpoint.port) return listener;
    }
    return endpoint;
  }
  void moved(const Endpoint& listener, std::uint16_t port) { moved_[listener] = port; }

  /// A connection begins, from one real end to the other.
  void begin(const Endpoint& from, const Endpoint& to, std::uint64_t flow) {
    flows_[{from, to}] = flow;
  }
  /// The flow of the connection that was accepted: both of its ends have the same one.
  std::uint64_t accepted(const Endpoint& from, const Endpoint& to, std::uint64_t otherwise) {
    const auto found = flows_.find({from, to});
    if (found == flows_.end()) return otherwise;
    const std::uint64_t flow = found->second;
    flows_.erase(found);
    return flow;
  }
  std::optional<std::uint64_t> flow_of(const Endpoint& from, const Endpoint& to) const {
    const auto found = flows_.find({from, to});
    return found == flows_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  std::unique_ptr<live::LoopbackNetwork> own_;
  std::uint32_t base_;
  std::map<Endpoint, std::uint16_t> moved_;  // by what the scenario calls it
  std::map<std::pair<Endpoint, Endpoint>, std::uint64_t> flows_;
};

struct LiveSetting::Inner {
  Inner(const LiveSettingOptions& options, std::unique_ptr<Network> own,
        std::filesystem::path files)
      : runtime({.pace = options.time_scale, .waits_for_loop = options.waits_for_loop}),
        random(options.seed),
        network(std::move(own)),
        folder(std::move(files)) {}
  ~Inner() {
    runtime.loop().clear();
    hosts.clear();
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }

  live::Runtime runtime;
  world::Random random;
  std::unique_ptr<Network> network;
  std::filesystem::path folder;
  const world::CalendarTime calendar_start =
      std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  sim::Names names;
  std::vector<std::unique_ptr<Host>> hosts;  // by number, from 1
  world::TimePoint due{};                    // what is due by then may be run
};

/// One end of a connection. It leaves in the trace what the simulated network does, and calls ends
/// what the scenario calls them.
class LiveSetting::Tap final : public world::Transport, private world::TransportEvents {
 public:
  Tap(world::World& host, const Network& network, world::TransportEvents* events)
      : host_(host), network_(network), events_(events) {}

  /// What it taps; the flow is that of both ends.
  void set(std::unique_ptr<world::Transport> transport, std::uint64_t flow) {
    transport_ = std::move(transport);
    flow_ = flow;
    transport_->set_events(*this);
  }
  world::TransportEvents& tapping() { return *this; }
  void trace(TraceKind kind, std::uint64_t a, std::string_view text = {}) const {
    const Endpoint peer = remote();
    host_.trace(kind, flow_, a, std::uint64_t{peer.address} << 16 | peer.port,
                text.substr(0, kTracedBytes));
  }

  void write(std::string_view bytes) override { transport_->write(bytes); }
  void finish() override { transport_->finish(); }
  void close() override { transport_->close(); }
  void reset() override { transport_->reset(); }
  void pause_reading() override { transport_->pause_reading(); }
  void resume_reading() override { transport_->resume_reading(); }
  std::size_t unsent() const override { return transport_->unsent(); }
  Endpoint local() const override { return network_.known(transport_->local()); }
  Endpoint remote() const override { return network_.known(transport_->remote()); }
  std::uint64_t flow() const override { return flow_; }
  void set_events(world::TransportEvents& events) override { events_ = &events; }

 private:
  // The user may destroy this in any of its events.
  void on_connected() override { events_->on_connected(); }
  void on_data(std::string_view bytes) override {
    trace(TraceKind::Data, bytes.size(), bytes);
    events_->on_data(bytes);
  }
  void on_end() override {
    trace(TraceKind::End, 0);
    events_->on_end();
  }
  void on_error(std::error_code error) override {
    if (error == world::TransportError::Refused) trace(TraceKind::Refuse, 0);
    if (error == world::TransportError::Reset) trace(TraceKind::Reset, 0);
    events_->on_error(error);
  }
  void on_drained() override { events_->on_drained(); }

  world::World& host_;
  const Network& network_;
  world::TransportEvents* events_;
  std::unique_ptr<world::Transport> transport_;
  std::uint64_t flow_ = 0;
};

class LiveSetting::Host final : public world::World {
 public:
  Host(Inner& inner, world::HostId id, const std::string& name)
      : World(inner.runtime.loop(), inner.runtime.trace(), id, name),
        inner_(inner),
        address_(kSimulated | id),
        random_(inner.random.fork(name)),
        folder_(inner.folder / std::to_string(id)),
        machine_(inner.runtime, {.name = name,
                                 .seed = random_.seed(),
                                 .listen_address = inner.network->real_address(address_),
                                 .source_address = inner.network->real_address(address_)}) {}

  std::uint32_t address() const { return address_; }
  world::World& machine() { return machine_; }
  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path path_of(std::string_view path) const {
    return folder_ / std::filesystem::path(path).relative_path();
  }

  world::CalendarTime calendar() const override { return machine_.calendar(); }

  std::unique_ptr<world::Transport> connect(const Endpoint& remote,
                                            world::TransportEvents& events) override {
    Network& network = *inner_.network;
    auto tap = std::make_unique<Tap>(*this, network, &events);
    const bool own = remote.address == world::kLoopbackAddress;
    // Nothing listens at the last address: what is nowhere is refused.
    const Endpoint nowhere{network.real_address(live::LoopbackNetwork::kClaimHost),
                           live::LoopbackNetwork::kClaimPort};
    const Endpoint to = own                            ? remote
                        : Network::has(remote.address) ? network.real(remote)
                                                       : nowhere;
    auto transport = machine_.connect(to, tap->tapping());
    const std::uint64_t flow = transport->flow();
    if (!own) network.begin(transport->local(), to, flow);
    tap->set(std::move(transport), flow);
    tap->trace(TraceKind::Connect, remote.port);
    return tap;
  }

  world::Result<std::unique_ptr<world::Listener>> listen(const Endpoint& local,
                                                         world::AcceptEvents& events) override;

  void resolve(std::string_view name, std::function<void(const world::Resolution&)> done) override {
    loop().post(
        [this, asked = std::string(name), done = std::move(done)] {
          using Status = world::Resolution::Status;
          world::Resolution answer;
          std::string text = asked + ": no such name";
          if (const sim::Names::Record* found = inner_.names.find(asked)) {
            answer.status = Status::Found;
            answer.addresses = inner_.names.answer(asked);
            answer.time_to_live = found->time_to_live;
            text = asked + " ->";
            for (const std::uint32_t address : answer.addresses) {
              text += " " + Endpoint{address, 0}.address_text();
            }
          }
          trace(TraceKind::Resolve, 0, answer.addresses.size(), 0, text);
          done(answer);
        },
        id());
  }

  world::Random random(std::string_view name) const override { return random_.fork(name); }

  bool append(std::string_view path, std::string_view bytes) override {
    const std::filesystem::path real = path_of(path);
    if (!known_paths_.contains(path)) {
      std::error_code error;
      std::filesystem::create_directories(real.parent_path(), error);
      if (error) return false;
      known_paths_.emplace(path);
    }
    return machine_.append(real.string(), bytes);
  }

 private:
  class Door;

  Inner& inner_;
  std::uint32_t address_;
  world::Random random_;
  std::filesystem::path folder_;
  std::set<std::string, std::less<>> known_paths_;  // whose folders are there
  std::set<std::uint16_t> ports_;                   // that are listened on
  live::World machine_;
};

/// A listener of a host's.
class LiveSetting::Host::Door final : public world::Listener, private world::AcceptEvents {
 public:
  Door(Host& host, const Endpoint& asked, world::AcceptEvents& events)
      : host_(host), asked_(asked), events_(events) {}

  world::Result<bool> open() {
    Network& network = *host_.inner_.network;
    if (asked_.address == world::kLoopbackAddress) {
      auto listener = host_.machine_.listen(asked_, *this);
      if (!listener) return listener.error();
      listener_ = std::move(*listener);
      return true;
    }
    const Endpoint known{host_.address_, asked_.port};
    if (host_.ports_.contains(asked_.port)) {
      return world::Error{{}, known.text() + " is in use", {}};
    }
    auto listener = host_.machine_.listen({0, asked_.port}, *this);
    if (!listener) listener = host_.machine_.listen({0, 0}, *this);
    if (!listener) return listener.error();
    listener_ = std::move(*listener);
    host_.ports_.insert(asked_.port);
    holds_port_ = true;
    if (listener_->local().port != asked_.port) network.moved(known, listener_->local().port);
    return true;
  }
  ~Door() override {
    if (holds_port_) host_.ports_.erase(asked_.port);
  }

  Endpoint local() const override { return host_.inner_.network->known(listener_->local()); }
  void set_accepting(bool accepting) override { listener_->set_accepting(accepting); }

 private:
  void on_accept(std::unique_ptr<world::Transport> transport) override {
    Network& network = *host_.inner_.network;
    auto tap = std::make_unique<Tap>(host_, network, nullptr);
    const std::uint64_t flow =
        network.accepted(transport->remote(), transport->local(), transport->flow());
    tap->set(std::move(transport), flow);
    tap->trace(TraceKind::Accept, asked_.port);
    events_.on_accept(std::move(tap));
  }

  Host& host_;
  Endpoint asked_;
  world::AcceptEvents& events_;
  std::unique_ptr<world::Listener> listener_;
  bool holds_port_ = false;
};

world::Result<std::unique_ptr<world::Listener>> LiveSetting::Host::listen(
    const Endpoint& local, world::AcceptEvents& events) {
  auto door = std::make_unique<Door>(*this, local, events);
  if (const auto opened = door->open(); !opened) return opened.error();
  return std::unique_ptr<world::Listener>(std::move(door));
}

world::Result<std::unique_ptr<LiveSetting>> LiveSetting::open(const LiveSettingOptions& options) {
  auto network = live::LoopbackNetwork::claim();
  if (!network) return network.error();
  std::error_code error;
  std::string folder = (std::filesystem::temp_directory_path(error) / "meshproof-XXXXXX").string();
  if (error || ::mkdtemp(folder.data()) == nullptr) {
    return world::Error{{}, fmt::format("cannot make the folder {}", folder), {}};
  }
  auto inner = std::make_unique<Inner>(options, std::make_unique<Network>(std::move(*network)),
                                       std::move(folder));
  return std::unique_ptr<LiveSetting>(new LiveSetting(std::move(inner)));
}

LiveSetting::LiveSetting(std::unique_ptr<Inner> inner) : inner_(std::move(inner)) {}
LiveSetting::~LiveSetting() = default;

world::EventLoop& LiveSetting::loop() {
  return inner_->runtime.loop();
}

world::Trace& LiveSetting::trace() {
  return inner_->runtime.trace();
}

world::CalendarTime LiveSetting::calendar_start() const {
  return inner_->calendar_start;
}

world::World& LiveSetting::add_host(const std::string& name) {
  const auto taken = [this](const std::string& wanted) {
    return std::any_of(inner_->hosts.begin(), inner_->hosts.end(),
                       [&](const auto& host) { return host->name() == wanted; });
  };
  std::string unique = name;
  while (taken(unique)) unique += "'";
  const auto id = static_cast<world::HostId>(inner_->hosts.size() + 1);
  assert(id < live::LoopbackNetwork::kClaimHost);
  inner_->hosts.push_back(std::make_unique<Host>(*inner_, id, unique));
  Host& host = *inner_->hosts.back();
  inner_->names.set_address(unique, host.address());
  return host;
}

std::uint32_t LiveSetting::address_of(const world::World& host) const {
  return static_cast<const Host&>(host).address();
}

std::string_view LiveSetting::host_name(world::HostId id) const {
  const auto& hosts = inner_->hosts;
  return id == 0 || id > hosts.size() ? std::string_view("world") : hosts[id - 1]->name();
}

void LiveSetting::set_name(std::string_view name, std::vector<std::uint32_t> addresses) {
  inner_->names.set(name, {.addresses = std::move(addresses)});
}

void LiveSetting::set_rotating_name(std::string_view name, std::vector<std::uint32_t> addresses) {
  inner_->names.set(name, {.addresses = std::move(addresses), .rotates = true});
}

/// A folder stands where the file would be.
void LiveSetting::make_unwritable(world::World& host, const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(static_cast<Host&>(host).path_of(path), error);
  if (error) throw std::system_error(error, path);
}

std::string LiveSetting::file(const world::World& host, const std::string& path) const {
  const std::filesystem::path real = static_cast<const Host&>(host).path_of(path);
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(real, ignored)) return {};
  std::ifstream file(real, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

LiveSetting::Place LiveSetting::place_of(world::World& host) {
  Host& one = static_cast<Host&>(host);
  return {one.machine(), inner_->network->real_address(one.address()), one.folder()};
}

std::uint16_t LiveSetting::real_port(world::World& host, std::uint16_t port) {
  struct Nobody final : world::AcceptEvents {
    void on_accept(std::unique_ptr<world::Transport>) override {}
  } nobody;
  Host& one = static_cast<Host&>(host);
  const Endpoint known{one.address(), port};
  if (const Endpoint real = inner_->network->real(known); real.port != port) return real.port;
  if (one.machine().listen({0, port}, nobody)) return port;
  const auto free = one.machine().listen({0, 0}, nobody);
  if (!free) return port;  // then nobody can listen, which the program will say
  const std::uint16_t real = (*free)->local().port;
  inner_->network->moved(known, real);
  return real;
}

std::vector<Endpoint> LiveSetting::real_ends(std::string_view name, std::uint16_t port) {
  std::vector<Endpoint> ends;
  if (inner_->names.find(name) == nullptr) return ends;
  for (const std::uint32_t address : inner_->names.answer(std::string(name))) {
    ends.push_back(inner_->network->real({address, port}));
  }
  return ends;
}

Endpoint LiveSetting::known(const Endpoint& real) const {
  return inner_->network->known(real);
}

std::optional<std::uint64_t> LiveSetting::flow_of(const Endpoint& from, const Endpoint& to) const {
  return inner_->network->flow_of(from, to);
}

bool LiveSetting::step(world::TimePoint until) {
  world::EventLoop& loop = inner_->runtime.loop();
  while (true) {
    const world::TimePoint due = std::min(inner_->due, until);
    if (loop.pending() > 0 && loop.next_due() <= due) {
      loop.run_one();
      return true;
    }
    if (due > loop.now()) loop.run_until(due);
    if (inner_->due >= until) return false;
    inner_->due = inner_->runtime.await(until);
  }
}

}  // namespace conformance
