#pragma once

#include <optional>

#include "conformance/scenario.h"
#include "document/reader.h"
#include "mesh/model.h"

namespace conformance {

/// Reads the `world` of a scenario (absent: all of it is left out) and completes it: every gateway
/// and virtual node of the mesh has a setup, and there is at least one client.
WorldSetup read_world(std::optional<document::Reader> at, const mesh::Mesh& mesh,
                      bool mesh_is_sound, const std::shared_ptr<const Protos>& protos,
                      document::Problems& problems);

/// Whether that is spoken as HTTP/2.
bool is_http2(mesh::Protocol protocol);

std::optional<peers::ConnectionPolicy> read_connections(const document::Reader& at);

}  // namespace conformance
