#include "peers/resolver.h"

#include <utility>

#include "peers/request_spec.h"

namespace peers {

Resolver::Resolver(world::World& world) : world_(world), self_(std::make_shared<Resolver*>(this)) {}

Resolver::~Resolver() {
  *self_ = nullptr;
}

const world::Resolution* Resolver::cached(std::string_view name) {
  auto found = entries_.find(name);
  if (found != entries_.end()) {
    if (world_.now() < found->second.expires) return &found->second.resolution;
    entries_.erase(found);
  }
  if (const auto address = parse_address(name)) {
    Entry& entry = entries_[std::string(name)];
    entry.resolution = {world::Resolution::Status::Found, {*address}, {}};
    entry.expires = world::TimePoint::max();
    return &entry.resolution;
  }
  return nullptr;
}

void Resolver::ask(std::string_view name, Done done) {
  const auto [asking, first] = asking_.try_emplace(std::string(name));
  asking->second.push_back(std::move(done));
  if (!first) return;
  if (const world::Resolution* known = cached(name)) {
    world_.loop().post(
        [self = self_, asked = asking->first, answer = *known] {
          if (*self != nullptr) (*self)->hand_over(asked, answer);
        },
        world_.id());
    return;
  }
  world_.resolve(name, [self = self_, asked = asking->first](const world::Resolution& answer) {
    if (*self != nullptr) (*self)->answered(asked, answer);
  });
}

void Resolver::answered(const std::string& name, const world::Resolution& resolution) {
  if (resolution.status == world::Resolution::Status::Found && !resolution.addresses.empty()) {
    const world::TimePoint until =
        keeps_for_ever_ ? world::TimePoint::max() : world_.now() + resolution.time_to_live;
    entries_[name] = {resolution, until};
  }
  hand_over(name, resolution);
}

void Resolver::hand_over(const std::string& name, const world::Resolution& resolution) {
  const auto asking = asking_.find(name);
  if (asking == asking_.end()) return;
  const std::vector<Done> waiting = std::move(asking->second);
  asking_.erase(asking);
  const std::shared_ptr<Resolver*> self = self_;
  for (const Done& done : waiting) {
    if (*self == nullptr) return;  // destroyed by the one before
    done(resolution);
  }
}

}  // namespace peers
