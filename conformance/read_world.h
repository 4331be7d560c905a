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
/// Its listeners may differ: what its first one speaks is what answers are written for.
bool speaks_http2(const mesh::VirtualNode& node);

/// The virtual node that a name means: its own, or that of a virtual service which it provides.
const mesh::VirtualNode* node_of(const mesh::Mesh& mesh, std::string_view name);

std::optional<peers::ConnectionPolicy> read_connections(const document::Reader& at);

}  // namespace conformance
