#pragma once

#include <string>
#include <string_view>

namespace tools {

/// The program's version alone, e.g. "0.1.0".
std::string_view version();

/// The version and what the program was built with: a line each, or a JSON object.
std::string version_text();
std::string version_json();

}  // namespace tools
