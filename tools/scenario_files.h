#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/load.h"

namespace tools {

/// Files that one path of the command line stands for.
struct FileGroup {
  std::vector<std::string> files;
  bool is_folder = false;  ///< Then `files` were found in it, in order of their paths.
  world::Errors errors;    ///< Folders that could not be looked through.
};

/// A folder stands for all files named *.scenario.yaml in it and below, anything else for itself.
FileGroup find_files(const std::string& path);

/// Reads what the paths stand for, in their order; what is in a folder comes in order of id. A
/// file that is not there, or is bad, is among them with its errors.
///
/// `stop` says that no further files need be read; then the result is of no use.
std::vector<conformance::LoadedFile> load_files(const std::vector<std::string>& paths,
                                                unsigned jobs,
                                                const std::function<bool()>& stop = {});

/// Whether `filter` selects the id: it is the id, or the id of a folder above it, or the id without
/// its variant.
bool selects(std::string_view filter, std::string_view id);

}  // namespace tools
