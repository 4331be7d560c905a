#pragma once

#include <string>
#include <vector>

#include "mesh/model.h"

namespace envoy {

/// What is otherwise in the single-hop form of a gateway than in App Mesh's two hops, a clause
/// each.
///
/// Requires: the mesh has that gateway. Source: CD-01, CD-05, AM-POOL-01, AM-LOG-06.
std::vector<std::string> single_hop_notes(const mesh::Mesh& mesh,
                                          const mesh::VirtualGateway& gateway);

}  // namespace envoy
