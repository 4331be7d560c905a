#include "proxy/host_set.h"

#include <algorithm>
#include <utility>

#include "proxy/upstream_host.h"

namespace proxy {
namespace {

/// In percent: with so many times the healthy ones, all that is asked for can be served. Envoy's
/// overprovisioning factor.
constexpr std::size_t kOverprovisioning = 140;

}  // namespace

HostSet::HostSet(world::World& world, const Cluster& cluster, HealthCounts& counts)
    : world_(world),
      cluster_(cluster),
      counts_(counts),
      window_(world.loop(), world.id(), world::bind<&HostSet::on_window_end>(this)) {}

HostSet::~HostSet() = default;

HostSet::Hosts HostSet::replace(Hosts hosts) {
  if (hosts.size() > 1 && !std::exchange(begun_, true)) {
    next_of_every_ = next_of_healthy_ =
        world_.random("cluster/" + cluster_.name).below(hosts.size());
  }
  Hosts former = std::exchange(hosts_, std::move(hosts));
  look();
  return former;
}

std::unique_ptr<UpstreamHost> HostSet::remove(UpstreamHost& host) {
  const auto found = std::find_if(hosts_.begin(), hosts_.end(),
                                  [&host](const auto& other) { return other.get() == &host; });
  std::unique_ptr<UpstreamHost> removed = std::move(*found);
  hosts_.erase(found);
  look();
  return removed;
}

void HostSet::changed() {
  if (!merging_ || cluster_.merge_window <= Duration::zero()) {
    look();
    return;
  }
  if (seen_before_ && world_.now() - seen_at_ <= cluster_.merge_window) {
    if (!window_.running()) window_.start_after(cluster_.merge_window);
    return;
  }
  on_window_end();
}

void HostSet::on_window_end() {
  window_.stop();
  seen_before_ = true;
  seen_at_ = world_.now();
  look();
}

void HostSet::look() {
  std::size_t healthy = 0;
  std::size_t total = 0;
  for (const auto& host : hosts_) {
    if (host->healthy()) ++healthy;
    if (!host->excluded) ++total;
  }
  all_healthy_ = healthy == hosts_.size();
  healthy_.clear();
  if (!all_healthy_) {
    for (const auto& host : hosts_) {
      if (host->healthy()) healthy_.push_back(host.get());
    }
  }
  const bool enough = total > 0 && healthy * kOverprovisioning >= total * 100;
  panic_ = !enough && cluster_.panic_percent > 0 &&
           (total == 0 || healthy * 100 < total * cluster_.panic_percent);
}

bool HostSet::usable(const UpstreamHost& host) const {
  return all_healthy_ || std::find(healthy_.begin(), healthy_.end(), &host) != healthy_.end();
}

UpstreamHost* HostSet::next() {
  if (hosts_.empty()) return nullptr;
  if (panic_) {
    ++counts_.panics;
    return cluster_.fail_on_panic ? nullptr : hosts_[next_of_every_++ % hosts_.size()].get();
  }
  const std::size_t turn = next_of_healthy_;
  if (all_healthy_) {
    ++next_of_healthy_;
    return hosts_[turn % hosts_.size()].get();
  }
  if (healthy_.empty()) return nullptr;
  ++next_of_healthy_;
  return healthy_[turn % healthy_.size()];
}

}  // namespace proxy
