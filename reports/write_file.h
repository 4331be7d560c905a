#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "world/result.h"

namespace reports {

/// Writes beside the file, then renames over it: a reader never sees a part.
std::optional<world::Error> write_whole(const std::filesystem::path& path,
                                        std::string_view content);

}  // namespace reports
