#pragma once

#include <memory>

#include "conformance/fault.h"
#include "conformance/names.h"
#include "conformance/protos.h"
#include "conformance/scenario.h"
#include "document/reader.h"

namespace conformance {

/// Reads `fault:` of a step, with the `for:` or `until: 90s` that stands beside it.
std::optional<Fault> read_fault(document::Reader& step, const WorldSetup& world,
                                const mesh::Mesh& mesh, const Names& names,
                                const std::shared_ptr<const Protos>& protos);

/// Reads `until:` of a step, with the `within:` that stands beside it.
std::optional<Until> read_until(document::Reader& step, const Names& names);

}  // namespace conformance
