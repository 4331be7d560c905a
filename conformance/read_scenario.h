#pragma once

#include <functional>
#include <optional>
#include <string>

#include "conformance/scenario.h"
#include "document/parse.h"
#include "document/reader.h"
#include "world/result.h"

namespace conformance {

/// Reads a file that a scenario names; the path is relative to the scenario's folder.
using ReadFile = std::function<world::Result<std::string>(const std::string& path)>;

/// Reads one scenario, in one variant (see Vary), and fills in what it leaves out.
///
/// Errors: all that is wrong with it and with its mesh, each with pointer and place. Nothing is
/// ignored: a key that is not known is an error, and so is one that is not supported yet.
world::Result<Scenario, world::Errors> read_scenario(const document::Document& document,
                                                     const ReadFile& read_file);

/// The mesh of a scenario and nothing else. Errors: those of its mesh.
world::Result<mesh::Mesh, world::Errors> mesh_of_scenario(const document::Document& document,
                                                          const ReadFile& read_file);

/// The `id` that a scenario gives itself. Wrong ones are reported by read_scenario().
std::optional<std::string> own_id(const document::Document& document);

}  // namespace conformance
