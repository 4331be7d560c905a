#pragma once

#include <string>
#include <string_view>

namespace conformance {

/// Records hold bytes as latin-1 text: one character is one byte.
std::string to_latin1(std::string_view utf8);
std::string to_utf8(std::string_view latin1);

}  // namespace conformance
