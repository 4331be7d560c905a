#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "conformance/scenario.h"
#include "world/result.h"

namespace conformance {

/// What became of one scenario file.
struct LoadedFile {
  std::string file;    ///< As given.
  std::string id;      ///< Of the file; each variant's has "[name=value,...]" behind it.
  std::string title;   ///< Empty if it could not be read.
  std::string digest;  ///< Of the file's bytes, 32 hexadecimal digits; empty if it was not read.
  std::vector<Scenario> variants;
  world::Errors errors;  ///< All that is wrong; then there are no variants.
};

/// Reads and checks a scenario file and the mesh files that it names.
///
/// Files are bounded in size (1 MiB a scenario, 16 MiB a mesh) and are not read beyond that.
/// Errors are in the result: a missing or unreadable file, syntax, unknown keys, wrong types, a
/// mesh that is refused without being expected to be.
LoadedFile load_scenario(const std::string& path);

/// The id of a scenario: its `id:`, else its path below the folder `scenarios`, without
/// ".scenario.yaml".
std::string id_of(std::string_view path);

/// Reads a mesh for `meshproof explain`: a scenario file, or resources in any form that mesh/
/// reads.
world::Result<mesh::Mesh, world::Errors> load_mesh(const std::vector<std::string>& paths);

}  // namespace conformance
