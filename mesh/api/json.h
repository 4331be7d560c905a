#pragma once

#include <string_view>

#include <nlohmann/json.hpp>

#include "document/parse.h"
#include "mesh/api/refusal.h"

namespace mesh::api {

/// Members in alphabetical order, so that equal values have equal texts.
using Json = nlohmann::json;

/// The body of a request: a JSON object; nothing at all is an empty one. Members that are null are
/// left out, as the SDKs' protocol treats them.
///
/// Errors: what is no JSON, or no object, or lists and objects more than 100 deep.
Answer<Json> parse_body(std::string_view text);

/// The same value for strict readers. It has no places.
document::Document to_document(const Json& json);
/// And the other way, without the places.
Json from_value(const document::Value& value);

}  // namespace mesh::api
