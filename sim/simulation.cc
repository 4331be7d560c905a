#include "sim/simulation.h"

#include <algorithm>
#include <cassert>

namespace sim {

Simulation::Simulation(const SimulationOptions& options)
    : options_(options),
      random_(options.seed),
      network_(loop_, trace_, random_.fork("network"), options.default_link, options.loopback) {
  loop_.set_instant_limit(options.instant_limit);
}

// What was posted may hold ends of connections: it goes while the network still stands. The
// connections go while their hosts still stand.
Simulation::~Simulation() {
  loop_.clear();
  network_.drop_connections();
}

Host& Simulation::add_host(std::string name) {
  assert(find_host(name) == nullptr);
  const auto id = static_cast<world::HostId>(hosts_.size() + 1);
  const std::uint32_t address = Network::kFirstAddress + id - 1;
  names_.set_address(name, address);
  if (hosts_.empty()) {  // few hosts are usual
    hosts_.reserve(8);
    by_name_.reserve(8);
  }
  hosts_.push_back(std::make_unique<Host>(*this, id, std::move(name), address));
  Host& host = *hosts_.back();
  by_name_.insert(place_of(host.name()), &host);
  network_.attach(host);
  return host;
}

std::vector<Host*>::iterator Simulation::place_of(std::string_view name) {
  return std::lower_bound(
      by_name_.begin(), by_name_.end(), name,
      [](const Host* host, std::string_view wanted) { return host->name() < wanted; });
}

Host* Simulation::find_host(std::string_view name) {
  const auto found = place_of(name);
  return found == by_name_.end() || (*found)->name() != name ? nullptr : *found;
}

std::string_view Simulation::host_name(world::HostId id) const {
  return id == 0 || id > hosts_.size() ? std::string_view("world") : hosts_[id - 1]->name();
}

}  // namespace sim
