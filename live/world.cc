#include "live/world.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <utility>

#include <boost/asio/ip/tcp.hpp>

#include "live/files.h"
#include "live/listener.h"
#include "live/pair.h"
#include "live/socket.h"

namespace live {
namespace {

using namespace std::chrono_literals;

/// The system's resolver does not say how long an answer holds: as long as the proxy keeps one.
constexpr world::Duration kAnswerHolds = 5s;

/// Local ports of connections within the world: as Linux hands them out.
constexpr std::uint16_t kFirstPort = 32768;
constexpr std::uint16_t kLastPort = 60999;

std::uint64_t seed_of_the_system() {
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

using Resolver = boost::asio::ip::basic_resolver<boost::asio::ip::tcp, Executor>;

world::Resolution resolution(const boost::system::error_code& error,
                             const Resolver::results_type& results) {
  using Status = world::Resolution::Status;
  world::Resolution answer;
  answer.time_to_live = kAnswerHolds;
  if (error) {
    const bool no_such_name =
        error == boost::asio::error::host_not_found || error == boost::asio::error::no_data;
    answer.status = no_such_name ? Status::NoSuchName : Status::Failed;
    return answer;
  }
  for (const auto& entry : results) {
    const std::uint32_t address = from_asio(entry.endpoint()).address;
    if (std::find(answer.addresses.begin(), answer.addresses.end(), address) ==
        answer.addresses.end()) {
      answer.addresses.push_back(address);
    }
  }
  answer.status = answer.addresses.empty() ? Status::NoSuchName : Status::Found;
  return answer;
}

}  // namespace

struct World::Inner {
  Inner(Runtime& runtime, const WorldOptions& options)
      : random(options.seed ? *options.seed : seed_of_the_system()),
        listen_address(options.listen_address),
        source_address(options.source_address),
        files(runtime),
        resolver(runtime.io().get_executor()) {}

  world::Random random;
  std::uint32_t listen_address;
  std::uint32_t source_address;
  std::uint16_t next_port = kFirstPort;
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);
  std::shared_ptr<PairPorts> own_ports = std::make_shared<PairPorts>();
  std::vector<MachineListener*> listeners;  // that are open
  Files files;
  Resolver resolver;
};

class World::MachineListener final : public world::Listener {
 public:
  MachineListener(World& world, const world::Endpoint& asked,
                  boost::intrusive_ptr<SocketListener> socket)
      : world_(world), asked_(asked), socket_(std::move(socket)) {
    world_.inner_->listeners.push_back(this);
  }
  ~MachineListener() override {
    std::erase(world_.inner_->listeners, this);
    socket_->close();
  }
  world::Endpoint local() const override { return socket_->local(); }
  void set_accepting(bool accepting) override { socket_->set_accepting(accepting); }
  Listening listening() const { return {asked_, local(), socket_->accepting()}; }

 private:
  World& world_;
  world::Endpoint asked_;
  boost::intrusive_ptr<SocketListener> socket_;
};

World::World(Runtime& runtime, const WorldOptions& options)
    : world::World(runtime.loop(), runtime.trace(), 1, options.name),
      runtime_(runtime),
      inner_(std::make_unique<Inner>(runtime, options)) {}

World::~World() = default;

world::CalendarTime World::calendar() const {
  return std::chrono::time_point_cast<world::Duration>(std::chrono::system_clock::now());
}

std::unique_ptr<world::Transport> World::connect(const world::Endpoint& remote,
                                                 world::TransportEvents& events) {
  if (remote.address != world::kLoopbackAddress || !inner_->own_ports->contains(remote.port)) {
    return Socket::connect(runtime_, inner_->source_address, remote, events);
  }
  const world::Endpoint local{world::kLoopbackAddress, inner_->next_port};
  inner_->next_port = inner_->next_port == kLastPort
                          ? kFirstPort
                          : static_cast<std::uint16_t>(inner_->next_port + 1);
  return Pair::connect(runtime_, inner_->own_ports, local, remote, events);
}

world::Result<std::unique_ptr<world::Listener>> World::listen(const world::Endpoint& local,
                                                              world::AcceptEvents& events) {
  if (local.address == world::kLoopbackAddress) {
    if (inner_->own_ports->contains(local.port)) {
      return world::Error{{}, local.text() + " is in use", {}};
    }
    return std::unique_ptr<world::Listener>(
        std::make_unique<PairListener>(runtime_, inner_->own_ports, local, events));
  }
  world::Endpoint bound = local;
  if (bound.address == 0) bound.address = inner_->listen_address;
  auto socket = SocketListener::open(runtime_, bound, events);
  if (!socket) return socket.error();
  return std::unique_ptr<world::Listener>(
      std::make_unique<MachineListener>(*this, local, std::move(*socket)));
}

std::vector<World::Listening> World::listening() const {
  std::vector<Listening> all;
  for (const MachineListener* listener : inner_->listeners) all.push_back(listener->listening());
  return all;
}

void World::resolve(std::string_view name, std::function<void(const world::Resolution&)> done) {
  inner_->resolver.async_resolve(
      boost::asio::ip::tcp::v4(), name, "",
      [&runtime = runtime_, alive = std::weak_ptr(inner_->alive), done = std::move(done)](
          const boost::system::error_code& error, const Resolver::results_type& results) {
        runtime.loop().post_at(runtime.arrival(),
                               [alive, done, answer = resolution(error, results)] {
                                 if (!alive.expired()) done(answer);
                               });
      });
}

world::Random World::random(std::string_view name) const {
  return inner_->random.fork(name);
}

bool World::append(std::string_view path, std::string_view bytes) {
  return inner_->files.append(path, bytes);
}

}  // namespace live
