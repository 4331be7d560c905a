#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "world/result.h"

namespace mesh::api {

/// The errors of the API's model; then those that all of AWS shares: of what is no operation, and
/// of signatures. Source: AM-ERR-01 to -03; AWS General Reference, "Common errors".
enum class ErrorCode : std::uint8_t {
  BadRequest,
  Forbidden,
  NotFound,
  Conflict,
  ResourceInUse,
  LimitExceeded,
  TooManyTags,
  TooManyRequests,
  InternalServerError,
  ServiceUnavailable,
  UnknownOperation,
  MissingAuthenticationToken,
  IncompleteSignature,
  UnrecognizedClient,
  InvalidSignature,
};

/// As in the header x-amzn-ErrorType: "NotFoundException".
std::string_view text(ErrorCode code);
/// The HTTP status.
int status_of(ErrorCode code);

/// Why a call is refused. What was asked for has then not happened.
struct Refusal {
  ErrorCode code = ErrorCode::BadRequest;
  std::string message;
};

template <class T>
using Answer = world::Result<T, Refusal>;

/// All that is wrong with an input as one BadRequest; the first few are told.
Refusal bad_request(const world::Errors& errors);

}  // namespace mesh::api
