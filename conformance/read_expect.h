#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "conformance/expectation.h"
#include "conformance/names.h"
#include "document/reader.h"

namespace conformance {

/// What an `as` names.
enum class Named : std::uint8_t { Request, Group, Raw };

/// What the step itself does, whose `expect` is read.
enum class StepAction : std::uint8_t { None, Request, Group, Raw };

/// Names given by `as` in the steps so far.
using NamedSteps = std::map<std::string, Named, std::less<>>;

/// Reads the `expect` of a step.
Expectation read_expect(document::Reader at, StepAction action, const NamedSteps& named,
                        const Names& names);

/// Reads `expect: { refused: ... }`.
RefusedExpectation read_refused(document::Reader expect);

/// Reads one line of `always`.
std::optional<Invariant> read_invariant(const document::Reader& at, const Names& names);

/// Whether a word may be an `as`: a name that is no word of `expect`.
bool is_free_name(std::string_view text);

}  // namespace conformance
