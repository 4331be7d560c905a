#include "reports/write_report.h"

#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include <unistd.h>

#include "reports/junit.h"
#include "reports/markdown.h"
#include "reports/results_json.h"

namespace reports {
namespace {

namespace fs = std::filesystem;

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, FileCloser>;

world::Error cannot(std::string_view what, const fs::path& path, const std::error_code& why) {
  return {.path = {},
          .message = "cannot " + std::string(what) + ": " + why.message(),
          .place = {.file = path.string()}};
}

std::error_code last_error() {
  return {errno, std::generic_category()};
}

/// Writes beside the file, then renames over it: a reader never sees a part.
std::optional<world::Error> write_whole(const fs::path& path, std::string_view content) {
  fs::path draft = path;
  draft += "." + std::to_string(::getpid()) + ".tmp";
  File file(std::fopen(draft.c_str(), "wb"));
  if (!file) return cannot("write", path, last_error());
  const bool written = std::fwrite(content.data(), 1, content.size(), file.get()) == content.size();
  // Buffered bytes are written at the close, so a full disk may show itself only there.
  const bool closed = std::fclose(file.release()) == 0;
  std::error_code why;
  if (!written || !closed) {
    why = last_error();
  } else {
    fs::rename(draft, path, why);
  }
  if (!why) return std::nullopt;
  std::error_code ignored;
  fs::remove(draft, ignored);
  return cannot("write", path, why);
}

}  // namespace

world::Result<WrittenReport> write_report(const fs::path& folder,
                                          const conformance::Report& report) {
  std::error_code why;
  fs::create_directories(folder, why);
  if (why) return cannot("make the folder of the report", folder, why);
  WrittenReport written{.results_json = folder / "results.json",
                        .junit_xml = folder / "junit.xml",
                        .summary_markdown = folder / "summary.md"};
  if (auto error = write_whole(written.results_json, results_json(report))) return *error;
  if (auto error = write_whole(written.junit_xml, junit_xml(report))) return *error;
  if (auto error = write_whole(written.summary_markdown, summary_markdown(report))) return *error;
  return written;
}

}  // namespace reports
