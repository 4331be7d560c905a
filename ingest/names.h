#pragma once

#include <string>
#include <string_view>

#include "document/value.h"

namespace ingest {

/// The API's spelling of a property: "VirtualGatewayName" is virtualGatewayName, "HTTP2" http2,
/// "AWSCloudMap" awsCloudMap.
std::string api_name(std::string_view property);

/// CloudFormation takes text where the API has a number or a boolean. The value of the API's member
/// `name`, converted if it is text that says one; any other value as it is. `in_duration`: the
/// member stands beside a unit.
document::Value typed(std::string_view name, document::Value value, bool in_duration);

}  // namespace ingest
