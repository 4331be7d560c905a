#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace conformance::recorded {

/// Cuts what was recorded and what was simulated down to what is to be compared.
///
/// Left out: what the record's `varies` names; events at upstreams, and log lines, that come after
/// the last recorded one.
void make_comparable(const nlohmann::json& record, nlohmann::json& expected,
                     nlohmann::json& actual);

/// Whether two comparable observations agree.
///
/// The order of everything counts, except where ends of connections stand among the requests of
/// other connections: nothing but chance decides that. Nor does it count into how many DATA frames
/// the bytes of an HTTP/2 stream are cut; an empty DATA frame that ends a stream stays a frame of
/// its own, as ENV-HTTP-116 measured it.
bool agree(const nlohmann::json& expected, const nlohmann::json& actual);

/// Each pointer at which they differ, with both values; empty if they are equal.
std::vector<std::string> differences(const nlohmann::json& expected, const nlohmann::json& actual);

}  // namespace conformance::recorded
