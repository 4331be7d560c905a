#pragma once

#include <string>
#include <vector>

#include "tools/exit_status.h"

namespace tools {

/// `meshproof explain`.
struct ExplainArguments {
  std::vector<std::string> meshes;
  std::string request;               ///< "GET http://host/path".
  std::vector<std::string> headers;  ///< "name: value".
  std::string gateway;               ///< Empty: the only one.
  bool health = false;               ///< Health checks rather than a request.
  bool json = false;
};

/// Says which route a request takes, why, what it becomes, and which others would have matched; or
/// how the gateway and the endpoints behind it are checked.
ExitStatus explain_command(const ExplainArguments& arguments);

}  // namespace tools
