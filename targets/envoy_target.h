#pragma once

#include <string>

#include "conformance/target.h"

namespace targets {

/// A real Envoy, started with what `meshproof export envoy` writes.
///
/// It runs with one worker, at an address of its own. Requests are known by its access log, which
/// it writes at their begin and end; its numbers are those of its administration interface.
class EnvoyTarget final : public conformance::Target {
 public:
  /// The program `path`; if that is empty, "envoy" as the shell finds it.
  /// Errors: there is none.
  static world::Result<std::unique_ptr<EnvoyTarget>> find(const std::string& path);

  std::string name() const override;
  std::optional<std::string> cannot_show(const conformance::Scenario& scenario) const override;
  world::Result<std::unique_ptr<conformance::TargetGateway>> start(
      const conformance::TargetInstance& instance) const override;

 private:
  EnvoyTarget(std::string given, std::string program)
      : given_(std::move(given)), program_(std::move(program)) {}

  std::string given_;
  std::string program_;
};

}  // namespace targets
