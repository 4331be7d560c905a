#pragma once

#include <string>

#include "conformance/verdict.h"

namespace reports {

/// Why a run did not pass, in plain text that ends with a line end; empty for a run that passed.
///
/// For a failure: each broken expectation with its place, virtual time, what was expected and what
/// was seen; the last events before the first of them; the command that replays the run. For a bad
/// file: each error on a line of its own as `file:line:column: /pointer: message`. The same text
/// stands in the terminal, in results.json, in JUnit and in Markdown.
std::string failure_text(const conformance::RunResult& run);

/// The same in one line: the first broken expectation, the first error or the reason.
std::string failure_headline(const conformance::RunResult& run);

}  // namespace reports
