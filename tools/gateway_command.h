#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/exit_status.h"

namespace tools {

/// `meshproof gateway`.
struct GatewayArguments {
  std::vector<std::string> meshes;
  std::string resource;               ///< Empty: as the environment says, or the only one.
  std::vector<std::string> services;  ///< "NAME=HOST:PORT".
  std::string listen = "0.0.0.0";
  std::optional<std::uint16_t> port;  ///< In place of the listener's; 0: any that is free.
  std::optional<std::uint64_t> seed;
  std::string log_file;  ///< Empty: as the gateway's access log says.
};

/// Serves real traffic as a virtual gateway until SIGTERM or SIGINT, then ends at once and without
/// a drain, as the real proxy does. Source: ENV-LIFE-09.
ExitStatus gateway_command(const GatewayArguments& arguments);

}  // namespace tools
