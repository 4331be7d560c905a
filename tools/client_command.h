#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/exit_status.h"
#include "tools/tls_files.h"

namespace tools {

/// `meshproof client`.
struct ClientArguments {
  std::string url;
  std::string method = "GET";
  std::vector<std::string> headers;  ///< "name: value".
  std::optional<std::string> body;
  std::uint64_t count = 1;
  std::uint64_t connections = 1;
  double timeout_seconds = 30;
  bool json = false;
  TlsArguments tls;
};

/// Sends requests over real sockets as the scenarios' clients do, and prints what came. Failed if
/// any of them has no whole answer.
ExitStatus client_command(const ClientArguments& arguments);

}  // namespace tools
