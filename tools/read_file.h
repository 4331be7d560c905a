#pragma once

#include <string>

namespace tools {

/// The text of a small file, such as one of PEM, or in `error` why there is none: it is not there,
/// is no file, is larger than 1 MiB.
std::string read_file(const std::string& path, std::string& error);

}  // namespace tools
