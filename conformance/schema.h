#pragma once

#include <string_view>

namespace conformance {

/// The JSON Schema (draft-07) of scenario files: schema/scenario.schema.json.
std::string_view scenario_schema();

}  // namespace conformance
