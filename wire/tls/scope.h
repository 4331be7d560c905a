#pragma once

#include "world/world.h"

namespace wire::tls {

/// While it lives, OpenSSL on this thread draws what it needs at random from that world, and finds
/// that world's calendar when it asks for the time. Without one it has the machine's own.
///
/// Blinding of RSA keys is not drawn from the world: keys are shared by worlds, and when they are
/// blinded anew depends on how often they were used; what is signed does not depend on it.
class Scope {
 public:
  explicit Scope(world::World& world);
  /// For what is made once and the same each time: keys, certificates, contexts. All is drawn from
  /// `random`; the time is the machine's.
  explicit Scope(world::Random& random);
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

 private:
  friend struct ScopeAccess;

  const Scope* outer_;
  world::Random* random_;  // null: the machine's
  world::World* world_;    // null: the machine's calendar
};

}  // namespace wire::tls
