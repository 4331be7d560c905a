#pragma once

#include <cstddef>
#include <string>

#include "conformance/verdict.h"

namespace reports {

/// How the terminal wants it. Whoever knows the terminal decides (a tty, NO_COLOR unset).
struct TerminalStyle {
  bool colour = false;
  std::size_t id_width = 0;  ///< Ids are padded to so many characters, so that columns align.
};

/// One run on one line, with its line end: verdict, id, virtual time, start of the hash, title.
std::string terminal_line(const conformance::RunResult& run, const TerminalStyle& style);

/// Why a run did not pass, under a heading; empty for one that passed or was skipped.
std::string terminal_failure(const conformance::RunResult& run, const TerminalStyle& style);

/// The last line: how many passed, failed, could not be judged or were skipped.
std::string terminal_summary(const conformance::Report& report, const TerminalStyle& style);

/// The whole report: a line for each run, then each failure, then the summary. `style.id_width` is
/// worked out from the ids.
std::string terminal_report(const conformance::Report& report, TerminalStyle style);

}  // namespace reports
