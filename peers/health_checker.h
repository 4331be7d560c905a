#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "peers/response_reader.h"
#include "world/world.h"

namespace peers {

/// How a balancer looks at its targets. Source: NLB-80.
struct HealthCheckOptions {
  bool http = false;       ///< Else a handshake is all (NLB-83).
  std::uint16_t port = 0;  ///< 0: where the traffic goes.
  std::string path = "/";
  world::Duration interval = std::chrono::seconds(30);
  world::Duration timeout = std::chrono::seconds(10);
  struct Codes {
    std::uint16_t first = 200;
    std::uint16_t last = 399;
  };
  std::vector<Codes> codes{{}};  ///< That count as healthy.
};

/// What hears of one check's result.
class HealthCheckEvents {
 public:
  virtual ~HealthCheckEvents() = default;
  virtual void on_checked(const world::Endpoint& target, std::size_t checker, bool passed) = 0;
};

/// Checks one target from one host, at fixed intervals from a first instant on. A check that is
/// under way when the next would begin takes its place.
///
/// No connection, a reset, no answer in time, another code, or what is no answer: each is a failure
/// (NLB-88). A reset after the handshake of a check without a request is none (NLB-83).
class HealthChecker final : private world::TransportEvents {
 public:
  /// What an HTTP check sends before its request: a PROXY header, or nothing.
  struct Place {
    world::World& world;
    world::Endpoint target;  ///< As it is registered.
    std::size_t checker = 0;
    std::string authority{};  ///< For Host: NLB-84.
    std::string preamble{};
    std::uint16_t first_port = 0;  ///< It connects from here on, one after another; 0: from any.
    std::uint16_t last_port = 0;
  };

  /// `options` must outlive it.
  HealthChecker(Place place, const HealthCheckOptions& options, HealthCheckEvents& events);
  ~HealthChecker() override;

  void start_after(world::Duration delay) { next_.start_after(delay); }
  std::uint64_t checks() const { return checks_; }

 private:
  void check();
  void timed_out() { done(false); }
  void done(bool passed);
  void on_connected() override;
  void on_data(std::string_view bytes) override;
  void on_end() override { done(false); }
  void on_error(std::error_code error) override;
  bool code_fits() const;

  Place place_;
  const HealthCheckOptions& options_;
  HealthCheckEvents& events_;
  std::uint64_t checks_ = 0;
  std::uint16_t port_;
  ResponseReader reader_;
  std::unique_ptr<world::Transport> transport_;
  world::Timer next_;
  world::Timer timeout_;
};

}  // namespace peers
