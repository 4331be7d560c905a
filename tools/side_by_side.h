#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace tools {

/// Two JSON values where they differ: for each such place its pointer, and under it both values
/// beside each other, with a mark between lines that are not the same. Empty if they are equal.
std::string side_by_side(const nlohmann::json& left, const nlohmann::json& right,
                         const std::string& left_title, const std::string& right_title);

}  // namespace tools
