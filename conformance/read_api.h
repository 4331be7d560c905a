#pragma once

#include <optional>
#include <string>

#include "conformance/api_call.h"
#include "document/reader.h"

namespace conformance {

/// The call of an operation with these members of its input, as HTTP has it. The mesh is `mesh`,
/// unless they say another. Absent: there is no such operation, or a member that its path needs is
/// missing; `problem` says which.
std::optional<ApiCall> to_call(const std::string& operation, mesh::api::Json input,
                               const std::string& mesh, std::string* problem = nullptr);

/// The id of an account; empty if it is none.
std::string read_account(const document::Reader& at);
/// `call`, of a step.
std::optional<ApiCall> read_call(document::Reader at, const std::string& mesh);
/// `expect` of a call.
ApiExpectation read_api_expectation(document::Reader at);

}  // namespace conformance
