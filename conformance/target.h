#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "conformance/scenario.h"
#include "proxy/plan.h"
#include "world/result.h"
#include "world/transport.h"
#include "world/world.h"

/// Gateways that are not ours, in place of ours.
namespace conformance {

class StagedSecrets;

/// What a gateway tells of a request, at its begin and at its end, or of a connection at its end.
struct GatewayReport {
  enum class Kind : std::uint8_t { Begin, End, Connection };
  Kind kind = Kind::End;
  world::Endpoint client;   ///< The end of the connection that is the client's; a real address.
  world::Endpoint gateway;  ///< The other one.
  std::string request_id;   ///< As the services see it; empty: it got none.
  std::string route;
  std::string flags;        ///< "-" for none.
  std::string details;      ///< Of an answer of its own; empty for those of services.
  std::string subject;      ///< Of the client's certificate; empty: it showed none.
  std::string tls_failure;  ///< Why it gave up a connection; empty: it did not.
};

/// Numbers of a gateway, of a moment ago.
struct GatewayNumbers {
  std::map<std::string, std::int64_t> own;  ///< By the field of `expect: { gateway/NAME: ... }`.
  /// What it holds of an endpoint: one for each cluster that has it.
  struct Opinion {
    world::Endpoint endpoint;  ///< A real one.
    bool failed_check = false;
    bool ejected = false;
  };
  std::vector<Opinion> endpoints;
};

/// Where one instance of a gateway is to run, and as what.
struct TargetInstance {
  std::string name;
  /// As compiled: names are those of the scenario, as are paths.
  std::shared_ptr<const proxy::GatewayPlan> plan;
  std::uint32_t time_scale = 1;
  world::World& machine;             ///< With the machine's own sockets.
  std::uint32_t address = 0;         ///< Of this machine; nobody else has it.
  std::filesystem::path folder;      ///< Where its files are: a path of the scenario is below it.
  StagedSecrets* secrets = nullptr;  ///< Null: the plan has no TLS.
  bool wants_numbers = false;        ///< Whether somebody will ask for them.
  /// Where the port of a listener really is.
  std::function<std::uint16_t(std::uint16_t)> port;
  /// Where the endpoints really are that are found by a name on a port.
  std::function<std::vector<world::Endpoint>(const std::string&, std::uint16_t)> endpoints;
};

/// One that was started. It ends with this object.
class TargetGateway {
 public:
  TargetGateway() = default;
  TargetGateway(const TargetGateway&) = delete;
  TargetGateway& operator=(const TargetGateway&) = delete;
  virtual ~TargetGateway() = default;

  enum class State : std::uint8_t { Starting, Running, Ended };
  /// To be asked again and again: looks how it is.
  virtual State look() = 0;
  /// How it has ended, and what it has said. Requires: it has.
  virtual std::string last_words() const = 0;
  /// What it has told since the last call.
  virtual std::vector<GatewayReport> reports() = 0;
  virtual const GatewayNumbers& numbers() const = 0;
  /// Whether it has yet to take over what certificates and secrets have become.
  virtual bool behind() const = 0;
};

/// A kind of gateways that are not ours.
class Target {
 public:
  Target() = default;
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;
  virtual ~Target() = default;

  /// As `--target` has it.
  virtual std::string name() const = 0;
  /// Why it cannot show a scenario that our own gateway can show live. One clause.
  virtual std::optional<std::string> cannot_show(const Scenario& scenario) const = 0;
  /// Errors: what of the plan it cannot have, or why it does not start.
  virtual world::Result<std::unique_ptr<TargetGateway>> start(
      const TargetInstance& instance) const = 0;
};

}  // namespace conformance
