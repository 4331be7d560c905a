#include "sim/host.h"

#include "sim/passage.h"
#include "sim/simulation.h"

namespace sim {

Host::Host(Simulation& simulation, world::HostId id, std::string name, std::uint32_t address)
    : World(simulation.loop_, simulation.trace_, id, std::move(name)),
      simulation_(simulation),
      address_(address) {}

Host::~Host() = default;

world::CalendarTime Host::calendar() const {
  return simulation_.options_.calendar_start + now().time_since_epoch() + calendar_offset_;
}

std::unique_ptr<world::Transport> Host::connect(const world::Endpoint& remote,
                                                world::TransportEvents& events) {
  return connect_from(0, remote, events);
}

std::unique_ptr<world::Transport> Host::connect_from(std::uint16_t port,
                                                     const world::Endpoint& remote,
                                                     world::TransportEvents& events) {
  const bool elsewhere = remote.address != address_ && remote.address != world::kLoopbackAddress;
  if (redirect_ != nullptr && redirect_->outgoing != 0 && elsewhere) {
    return simulation_.network_.connect(*this, port, {world::kLoopbackAddress, redirect_->outgoing},
                                        events);
  }
  return simulation_.network_.connect(*this, port, remote, events);
}

void Host::set_pace(std::uint64_t reading, std::uint64_t writing) {
  read_rate_ = reading;
  write_rate_ = writing;
  simulation_.network_.pace_changed(*this);
}

std::unique_ptr<world::Passage> Host::pass_on(world::PassageEvents& events) {
  return std::make_unique<SimPassage>(*this, events);
}

world::Result<std::unique_ptr<world::Listener>> Host::listen(const world::Endpoint& local,
                                                             world::AcceptEvents& events) {
  return simulation_.network_.listen(*this, local, events);
}

void Host::resolve(std::string_view name, std::function<void(const world::Resolution&)> done) {
  const Names::Record* record = simulation_.names_.find(name);
  const world::Duration delay = record != nullptr ? record->delay : std::chrono::milliseconds(1);
  loop().post_at(
      now() + delay,
      [this, asked = std::string(name), done = std::move(done)] {
        using Status = world::Resolution::Status;
        world::Resolution answer;
        std::string text;
        text.reserve(asked.size() + 48);
        text += asked;
        if (const Names::Record* found = simulation_.names_.find(asked)) {
          answer.status = found->failing ? Status::Failed : Status::Found;
          if (!found->failing) answer.addresses = simulation_.names_.answer(asked);
          answer.time_to_live = found->time_to_live;
          text += found->failing ? ": failure" : " ->";
          for (const std::uint32_t address : answer.addresses) {
            text += ' ';
            text += world::Endpoint{address, 0}.address_text();
          }
        } else {
          text += ": no such name";
        }
        trace(world::TraceKind::Resolve, 0, answer.addresses.size(), 0, text);
        done(answer);
      },
      id());
}

world::Random* Host::secrets() {
  if (!secrets_) secrets_ = random("secrets");
  return &*secrets_;
}

world::Random Host::random(std::string_view name) const {
  if (!random_) random_ = simulation_.random_.fork(this->name());
  return random_->fork(name);
}

bool Host::append(std::string_view path, std::string_view bytes) {
  if (unwritable_.count(std::string(path)) != 0) return false;
  auto found = files_.find(path);
  if (found == files_.end()) found = files_.emplace(path, std::string()).first;
  found->second += bytes;
  return true;
}

}  // namespace sim
