#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/exit_status.h"
#include "tools/tls_files.h"

namespace tools {

/// `meshproof service`.
struct ServiceArguments {
  std::uint16_t port = 8080;  ///< 0: any that is free.
  std::string listen = "0.0.0.0";
  std::string name = "service";
  std::string endpoint;  ///< Empty: as the service.
  std::uint16_t respond = 200;
  std::vector<std::string> headers;  ///< "name: value", of the answer.
  std::optional<std::string> body;   ///< Absent: what was seen, as JSON.
  double after_seconds = 0;
  TlsArguments tls;
};

/// Serves as the scenarios' services do, on real sockets, until SIGTERM or SIGINT.
ExitStatus service_command(const ServiceArguments& arguments);

}  // namespace tools
