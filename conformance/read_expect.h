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
enum class Named : std::uint8_t { Request, Grpc, WebSocket, Group, Raw };

/// What the step itself does, whose `expect` is read.
enum class StepAction : std::uint8_t { None, Request, Grpc, WebSocket, Group, Raw };

/// Names given by `as` in the steps so far.
struct NamedStep {
  Named what = Named::Request;
  std::optional<Protos::Method> method{};  ///< Of a call, where it is known.
};
using NamedSteps = std::map<std::string, NamedStep, std::less<>>;

/// What the words of an `expect` may speak of.
struct ExpectContext {
  const NamedSteps& named;
  const Names& names;
  std::shared_ptr<const Protos> protos;
};

/// Reads the `expect` of a step. `method`: of the step's own call, where it is known.
Expectation read_expect(document::Reader at, StepAction action, const ExpectContext& context,
                        const std::optional<Protos::Method>& method);

/// "gateway/edge" taken apart, if the word before the slash is one.
std::optional<std::pair<EntityKind, std::string>> entity_of(std::string_view text);
/// The numbers of one thing: `{ requests: 3 }`; of what has a health also `healthy`, `unhealthy`.
void read_counts(Expectation& out, document::Reader at, EntityKind kind, const std::string& name,
                 const Names& names);

/// Reads `expect: { refused: ... }`.
RefusedExpectation read_refused(document::Reader expect);

/// Reads one line of `always`.
std::optional<Invariant> read_invariant(const document::Reader& at, const Names& names);

/// Whether a word may be an `as`: a name that is no word of `expect`.
bool is_free_name(std::string_view text);

}  // namespace conformance
