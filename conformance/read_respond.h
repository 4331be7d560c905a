#pragma once

#include "document/reader.h"
#include "peers/behaviour.h"

namespace conformance {

/// Reads `respond`: one answer, or a list of them of which the last one goes on for ever.
std::vector<peers::Answer> read_respond(const document::Reader& at);

}  // namespace conformance
