#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "world/world.h"

namespace targets {

/// Asks a program on this machine by HTTP, one question after the other.
class Admin {
 public:
  /// `machine`: with the machine's own sockets. It outlives this.
  Admin(world::World& machine, world::Endpoint at);
  ~Admin();
  Admin(const Admin&) = delete;
  Admin& operator=(const Admin&) = delete;

  /// The status, 0 if there is no answer, and the body.
  using Done = std::function<void(int status, const std::string& body)>;
  /// `request`: "GET /ready". Requires: not busy().
  void ask(const std::string& request, Done done);
  bool busy() const { return question_ != nullptr; }

 private:
  class Question;

  world::World& machine_;
  world::Endpoint at_;
  std::unique_ptr<Question> question_;
};

}  // namespace targets
