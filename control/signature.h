#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/accounts.h"
#include "mesh/api/refusal.h"
#include "world/time.h"

namespace control {

/// A request as far as its signature goes.
struct SignedRequest {
  std::string_view method;
  std::string_view target;                                   ///< As it was sent.
  std::vector<std::pair<std::string, std::string>> headers;  ///< Names in lower case.
  std::string_view body;
};

/// Whose request it is, by its Signature Version 4 for the service appmesh in the region.
///
/// Errors, each as AWS tells it: no Authorization header, one that lacks a part, an unknown key, a
/// signature that is not the request's, one more than five minutes old or early, one for another
/// region or service.
///
/// Source: AWS General Reference, "Signature Version 4 signing process" and "Common errors".
mesh::api::Answer<std::string> verify(const SignedRequest& request, const Accounts& accounts,
                                      std::string_view region, world::CalendarTime now);

}  // namespace control
