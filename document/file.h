#pragma once

#include <cstdint>
#include <string>

#include "world/result.h"

namespace document {

/// The bytes of a regular file, whose size is looked at before it is read.
///
/// Errors, with the file as their place: it is not there, no regular file, larger, or unreadable.
world::Result<std::string> read_file(const std::string& path, std::uintmax_t most_bytes);

}  // namespace document
