#pragma once

#include <vector>

#include "conformance/names.h"
#include "conformance/scenario.h"
#include "document/reader.h"

namespace conformance {

/// Reads the `steps` of a scenario.
std::vector<Step> read_steps(const document::Reader& at, const WorldSetup& world,
                             const mesh::Mesh& mesh, const Names& names,
                             const std::shared_ptr<const Protos>& protos);

}  // namespace conformance
