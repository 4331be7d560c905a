#include "tools/scenario_files.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "tools/parallel.h"

namespace tools {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSuffix = ".scenario.yaml";

void look_through(const fs::path& folder, FileGroup& found) {
  std::error_code why;
  std::vector<fs::directory_entry> entries;
  for (fs::directory_iterator at(folder, why), end; !why && at != end; at.increment(why)) {
    entries.push_back(*at);
  }
  if (why) {
    found.errors.push_back({.path = {},
                            .message = "cannot look through the folder: " + why.message(),
                            .place = {.file = folder.string()}});
  }
  std::sort(entries.begin(), entries.end());
  for (const fs::directory_entry& entry : entries) {
    std::error_code ignored;
    // Links to folders are not followed: they may lead in a circle.
    if (entry.is_directory(ignored)) {
      if (!entry.is_symlink(ignored)) look_through(entry.path(), found);
    } else if (entry.path().native().ends_with(kSuffix)) {
      found.files.push_back(entry.path().string());
    }
  }
}

conformance::LoadedFile unreadable(const world::Error& error) {
  conformance::LoadedFile file;
  file.file = error.place.file;
  file.id = conformance::id_of(file.file);
  file.errors = {error};
  return file;
}

}  // namespace

FileGroup find_files(const std::string& path) {
  FileGroup found;
  std::error_code ignored;
  found.is_folder = fs::is_directory(path, ignored);
  if (found.is_folder) {
    look_through(path, found);
  } else {
    found.files.push_back(path);
  }
  return found;
}

std::vector<conformance::LoadedFile> load_files(const std::vector<std::string>& paths,
                                                unsigned jobs, const std::function<bool()>& stop) {
  std::vector<conformance::LoadedFile> all;
  for (const std::string& path : paths) {
    const FileGroup group = find_files(path);
    std::vector<conformance::LoadedFile> loaded(group.files.size());
    work_in_order(
        {.count = loaded.size(),
         .jobs = jobs,
         .work = [&](std::size_t i) { loaded[i] = conformance::load_scenario(group.files[i]); },
         .done = {},
         .stop = stop});
    for (const world::Error& error : group.errors) loaded.push_back(unreadable(error));
    if (group.is_folder) {
      std::stable_sort(loaded.begin(), loaded.end(),
                       [](const auto& a, const auto& b) { return a.id < b.id; });
    }
    std::move(loaded.begin(), loaded.end(), std::back_inserter(all));
  }
  return all;
}

bool selects(std::string_view filter, std::string_view id) {
  if (filter.empty() || filter == id) return true;
  if (!id.starts_with(filter)) return false;
  const char next = id[filter.size()];
  return next == '/' || next == '[' || filter.back() == '/';
}

}  // namespace tools
