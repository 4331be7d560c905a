#pragma once

#include <string>
#include <vector>

#include "tools/exit_status.h"

namespace tools {

/// `meshproof export envoy`.
struct ExportArguments {
  std::vector<std::string> meshes;
  std::string gateway;                ///< Empty: the only one.
  bool single_hop = false;            ///< Both of App Mesh's hops in one.
  std::string folder;                 ///< Where the files go; it is made.
  std::vector<std::string> services;  ///< "NAME=HOST:PORT".
};

/// Writes what a real Envoy is to be started with to be that gateway, and says on the standard
/// error, and in notes.txt, what is otherwise than with App Mesh or left to do.
ExitStatus export_envoy_command(const ExportArguments& arguments);

}  // namespace tools
