#pragma once

#include <string>
#include <string_view>

#include "conformance/verdict.h"

namespace reports {

/// results.json: everything a report knows, in one fixed order, indented, with a line end at the
/// end. Nothing in it depends on the machine or on real time, so two runs can be compared with cmp.
/// Bytes that are not UTF-8 (a raw header value, a binary body) stand as U+FFFD.
std::string results_json(const conformance::Report& report);

/// The JSON Schema (draft-07) of results.json: schema/results.schema.json.
std::string_view results_schema();

}  // namespace reports
