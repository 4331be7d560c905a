#include "reports/write_report.h"

#include <string>
#include <system_error>

#include "reports/junit.h"
#include "reports/markdown.h"
#include "reports/results_json.h"
#include "reports/write_file.h"

namespace reports {

namespace fs = std::filesystem;

world::Result<WrittenReport> write_report(const fs::path& folder,
                                          const conformance::Report& report) {
  std::error_code why;
  fs::create_directories(folder, why);
  if (why) {
    return world::Error{
        {}, "cannot make the folder of the report: " + why.message(), {.file = folder.string()}};
  }
  WrittenReport written{.results_json = folder / "results.json",
                        .junit_xml = folder / "junit.xml",
                        .summary_markdown = folder / "summary.md"};
  if (auto error = write_whole(written.results_json, results_json(report))) return *error;
  if (auto error = write_whole(written.junit_xml, junit_xml(report))) return *error;
  if (auto error = write_whole(written.summary_markdown, summary_markdown(report))) return *error;
  return written;
}

}  // namespace reports
