#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace conformance::recorded {

/// What keeps a recorded case from being replayed; empty if nothing does.
///
/// This is the one place that says which part of the vocabulary is there: HTTP/1 on both sides, all
/// steps and script members of it. A case that needs more is counted apart, never as agreement.
std::string unsupported(const nlohmann::json& record);

}  // namespace conformance::recorded
