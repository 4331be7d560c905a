#pragma once

#include <string>
#include <vector>

#include "envoy/json.h"
#include "envoy/tls.h"
#include "proxy/plan.h"

namespace envoy {

/// A cluster as Envoy's own. `self`: the address of the second hop. `notes` gets, a clause each,
/// what could not be carried over.
///
/// Source: CD-04, AM-CB-01, AM-OUT-01, ENV-HC-01 to -19.
Json cluster(const proxy::Cluster& from, const std::string& self, Tls& tls,
             std::vector<std::string>& notes);

}  // namespace envoy
