#include "mesh/api/refusal.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include <fmt/format.h>

namespace mesh::api {
namespace {

struct Row {
  std::string_view name;
  int status;
};

/// In the order of ErrorCode.
constexpr std::array<Row, 15> kRows = {{
    {"BadRequestException", 400},
    {"ForbiddenException", 403},
    {"NotFoundException", 404},
    {"ConflictException", 409},
    {"ResourceInUseException", 409},
    {"LimitExceededException", 400},
    {"TooManyTagsException", 400},
    {"TooManyRequestsException", 429},
    {"InternalServerErrorException", 500},
    {"ServiceUnavailableException", 503},
    {"UnknownOperationException", 404},
    {"MissingAuthenticationTokenException", 403},
    {"IncompleteSignatureException", 400},
    {"UnrecognizedClientException", 403},
    {"InvalidSignatureException", 403},
}};

/// As many as the service itself lists where it lists names (AM-VAL-24).
constexpr std::size_t kMostTold = 5;

}  // namespace

std::string_view text(ErrorCode code) {
  return kRows[static_cast<std::size_t>(code)].name;
}

int status_of(ErrorCode code) {
  return kRows[static_cast<std::size_t>(code)].status;
}

Refusal bad_request(const world::Errors& errors) {
  std::string message;
  for (std::size_t i = 0; i < std::min(errors.size(), kMostTold); ++i) {
    message += (message.empty() ? "" : "; ") + errors[i].text();
  }
  if (errors.size() > kMostTold) {
    message += fmt::format("; and {} more", errors.size() - kMostTold);
  }
  return {ErrorCode::BadRequest, std::move(message)};
}

}  // namespace mesh::api
