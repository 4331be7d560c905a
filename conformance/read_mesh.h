#pragma once

#include <optional>
#include <string>
#include <vector>

#include "conformance/api_call.h"
#include "conformance/read_scenario.h"
#include "document/reader.h"
#include "mesh/model.h"

namespace conformance {

/// Reads the `mesh` of a scenario: resources in it, or in files that it names. Errors of resources
/// go to `mesh_problems`, those of naming files to `problems`. Without a `mesh`: absent, reported.
/// `resources`, unless null, gets them as they are written.
mesh::Mesh read_mesh(const document::Document& scenario, std::optional<mesh::Era> era,
                     const ReadFile& read_file, document::Problems& problems,
                     document::Problems& mesh_problems,
                     std::vector<WrittenResource>* resources = nullptr);

/// Puts a virtual node with one listener and a DNS name behind each virtual service that a gateway
/// route names and nobody defines. The node is named by the service's first label, or by the whole
/// name if that is taken.
void complete_mesh(mesh::Mesh& mesh);

/// Says what of a mesh cannot be simulated yet.
void refuse_unsupported(const mesh::Mesh& mesh, document::Problems& problems);

}  // namespace conformance
