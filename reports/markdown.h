#pragma once

#include <cstddef>
#include <string>

#include "conformance/verdict.h"

namespace reports {

/// A CI server's page for the summary of a step takes 1 MiB and no more; this leaves room for
/// others.
inline constexpr std::size_t kSummaryBytes = 768 * 1024;

/// A summary for a CI server's page: counts, a table by area, the clauses that were covered, and
/// each failure with its details as long as there is room; then "and N more".
std::string summary_markdown(const conformance::Report& report,
                             std::size_t max_bytes = kSummaryBytes);

}  // namespace reports
