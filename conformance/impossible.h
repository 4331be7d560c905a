#pragma once

#include "conformance/scenario.h"
#include "document/reader.h"

namespace conformance {

/// Finds what is awaited, by `until` or `turns`, and can never come, whatever happens: a health
/// that nobody checks, more instances than there are. Waiting for it would only take an hour to
/// fail.
///
/// Requires: the mesh is sound, and the steps name what there is.
void refuse_impossible(const Scenario& scenario, document::Problems& problems);

}  // namespace conformance
