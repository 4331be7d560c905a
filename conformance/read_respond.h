#pragma once

#include "conformance/protos.h"
#include "document/reader.h"
#include "peers/behaviour.h"

namespace conformance {

/// Reads `respond`: one answer, or a list of them of which the last one goes on for ever.
/// `http2`: the service speaks HTTP/2, which some of it needs and some of it cannot have.
std::vector<peers::Answer> read_respond(const document::Reader& at, bool http2,
                                        const std::shared_ptr<const Protos>& protos);

}  // namespace conformance
