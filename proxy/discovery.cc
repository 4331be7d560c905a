#include "proxy/discovery.h"

namespace proxy {
namespace {

using namespace std::chrono_literals;

/// How old an answer may be before the name is asked again, as in the real proxy.
constexpr Duration kRefresh = 5s;

}  // namespace

Discovery::Discovery(world::World& world, const Cluster& cluster, DiscoveryEvents& events)
    : world_(world), cluster_(cluster), events_(events) {}

Discovery::~Discovery() {
  if (self_ != nullptr) *self_ = nullptr;
}

void Discovery::ask() {
  if (asking_) return;
  asking_ = true;
  if (self_ == nullptr && cluster_.discovery != Cluster::Discovery::Self) {
    self_ = std::make_shared<Discovery*>(this);
  }
  switch (cluster_.discovery) {
    case Cluster::Discovery::Self:
      take({{world::kLoopbackAddress, cluster_.port}}, false);
      break;
    case Cluster::Discovery::LogicalDns:
    case Cluster::Discovery::StrictDns:
      ask_for_one_name();
      break;
    case Cluster::Discovery::Static:
      ask_for_each();
      break;
  }
}

void Discovery::refresh() {
  if (cluster_.discovery == Cluster::Discovery::Self) return;
  if (!asking_ && world_.now() - answered_at_ >= kRefresh) ask();
}

void Discovery::ask_for_one_name() {
  world_.resolve(cluster_.host_name, [weak = self_](const world::Resolution& answer) {
    if (*weak == nullptr) return;
    Discovery& self = **weak;
    const bool one = self.cluster_.discovery != Cluster::Discovery::StrictDns;
    Addresses addresses;
    for (const std::uint32_t address : answer.addresses) {
      addresses.emplace_back(address, self.cluster_.port);
      if (one) break;
    }
    self.take(addresses, answer.status == world::Resolution::Status::Failed);
  });
}

/// Asks for several names, and waits for the last answer.
void Discovery::ask_for_each() {
  struct Answers {
    std::vector<Addresses> of;
    std::size_t missing = 0;
    bool failed = false;
  };
  const auto& names = cluster_.endpoints;
  if (names.empty()) {
    take({}, false);
    return;
  }
  auto answers = std::make_shared<Answers>();
  answers->of.resize(names.size());
  answers->missing = names.size();
  for (std::size_t i = 0; i < names.size(); ++i) {
    world_.resolve(names[i].first, [weak = self_, answers, i,
                                    port = names[i].second](const world::Resolution& answer) {
      if (*weak == nullptr) return;
      if (answer.status == world::Resolution::Status::Failed) answers->failed = true;
      if (!answer.addresses.empty()) answers->of[i].emplace_back(answer.addresses.front(), port);
      if (--answers->missing != 0) return;
      Addresses addresses;
      for (const auto& of : answers->of) addresses.insert(addresses.end(), of.begin(), of.end());
      (*weak)->take(addresses, answers->failed);
    });
  }
}

void Discovery::take(const Addresses& addresses, bool failed) {
  asking_ = false;
  answered_at_ = world_.now();
  // A name that cannot be asked for keeps the addresses it had.
  const bool keeps = failed && answered_;
  answered_ = true;
  events_.on_discovered(addresses, keeps);
}

}  // namespace proxy
