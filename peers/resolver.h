#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "world/world.h"

namespace peers {

/// A stub resolver with a cache: asks the world, and keeps what was found for its time to live.
///
/// Failures are not kept. Questions for one name that are asked while it is being looked up share
/// one lookup. Addresses are handed over in the order of the answer. An IPv4 address in dotted form
/// is its own answer. Source: RFC 1034, section 5.3.1; RFC 1123, section 2.1.
class Resolver {
 public:
  using Done = std::function<void(const world::Resolution&)>;

  explicit Resolver(world::World& world);
  ~Resolver();  ///< Nobody is called any more.
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  /// The answer, if it is known now; valid until the next call. Else nullptr: ask().
  const world::Resolution* cached(std::string_view name);
  /// Calls `done` once, later, or never if the resolver is destroyed before.
  void ask(std::string_view name, Done done);
  void forget() { entries_.clear(); }
  /// From now on what is found is kept whatever its time to live says, as some clients do.
  void keep_for_ever() { keeps_for_ever_ = true; }

 private:
  struct Entry {
    world::Resolution resolution;
    world::TimePoint expires{};
  };

  void answered(const std::string& name, const world::Resolution& resolution);
  void hand_over(const std::string& name, const world::Resolution& resolution);

  world::World& world_;
  bool keeps_for_ever_ = false;
  std::map<std::string, Entry, std::less<>> entries_;
  std::map<std::string, std::vector<Done>, std::less<>> asking_;
  std::shared_ptr<Resolver*> self_;  // lookups under way outlive us
};

}  // namespace peers
