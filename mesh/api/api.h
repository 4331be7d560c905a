#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mesh/api/access.h"
#include "mesh/api/store.h"
#include "mesh/quotas.h"
#include "world/time.h"

namespace mesh::api {

/// What holds for all calls.
struct Options {
  Era era = Era::SeedB;
  std::string region = "us-west-2";
  std::string partition = "aws";
  std::optional<Quotas> quotas = Quotas{};  ///< Absent: none.
  std::vector<Share> shares;
  std::uint64_t seed = 0;  ///< Of uids.
};

/// One call, whose account is known: the signature is somebody else's matter.
struct Request {
  std::string_view method;
  std::string_view target;  ///< Path and query as they were sent, still escaped.
  std::string_view body;
  std::string_view account;  ///< Whose call it is; 12 digits.
  world::CalendarTime now;
};

struct Response {
  int status = 200;
  std::string_view error_type;  ///< For the header x-amzn-ErrorType; empty: none.
  std::string body;             ///< JSON.
};

/// The App Mesh API, version 2019-01-25: all 38 operations on what is in the store.
///
/// Its answer is a function of the request, the options and the store, and of nothing else. A call
/// that is refused has changed nothing. Where no source says what the service does, docs/api.md
/// says what was chosen.
///
/// Source: AM-API-01 to -10, AM-OP-01 to -38, AM-ERR-01 to -03, API-01 to -06, DEL-01 to -04.
Response answer(Store& store, const Options& options, const Request& request);

/// An error as the API tells it; also for what is refused before there is a call.
Response refuse(const Refusal& refusal);

}  // namespace mesh::api
