#pragma once

#include "conformance/scenario.h"
#include "document/reader.h"

namespace conformance {

/// Finds faults of names (`dns`) that nothing in the world has and nobody in it asks for: such a
/// fault changes nothing, and its name is most likely mistyped.
///
/// Requires: the mesh is sound, and the steps name what there is.
void refuse_unasked_names(const Scenario& scenario, document::Problems& problems);

}  // namespace conformance
