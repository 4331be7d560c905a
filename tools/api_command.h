#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "tools/exit_status.h"

namespace tools {

/// `meshproof api serve`.
struct ApiServeArguments {
  std::string listen = "127.0.0.1";
  std::uint16_t port = 4599;  ///< 0: any that is free.
  std::string store;          ///< File; empty: in memory.
  std::string accounts;       ///< File; empty: any signature is taken.
  std::string region = "us-west-2";
  std::string era = "seed-b";
  bool no_quotas = false;
  std::optional<std::uint32_t> calls_per_second;
  std::size_t connections = 1024;
};

/// Serves the App Mesh API until SIGTERM or SIGINT.
ExitStatus api_serve_command(const ApiServeArguments& arguments);

}  // namespace tools
