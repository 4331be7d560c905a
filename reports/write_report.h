#pragma once

#include <filesystem>

#include "conformance/verdict.h"
#include "world/result.h"

namespace reports {

/// Where the files of a report are.
struct WrittenReport {
  std::filesystem::path results_json;
  std::filesystem::path junit_xml;
  std::filesystem::path summary_markdown;
};

/// Writes results.json, junit.xml and summary.md into the folder, which is made if it is not there.
/// Each file is either the old one or the whole new one, never a part. Errors: the folder or a file
/// cannot be made or written; the message says which and why.
world::Result<WrittenReport> write_report(const std::filesystem::path& folder,
                                          const conformance::Report& report);

}  // namespace reports
